#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::write_seeds("upgrade_wire"),
    |bytes: &[u8]| fuzz::upgrade_wire(bytes)
);
