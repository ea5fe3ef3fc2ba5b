#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::write_seeds("causal_wire"),
    |bytes: &[u8]| fuzz::causal_wire(bytes)
);
