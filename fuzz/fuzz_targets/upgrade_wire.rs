#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::begin("upgrade_wire", std::env::var_os("FUZZ_BEGIN")),
    |bytes: &[u8]| fuzz::upgrade_wire(bytes)
);
