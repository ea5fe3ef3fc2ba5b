#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::begin("sequence_operations", std::env::var_os("FUZZ_BEGIN")),
    |bytes: &[u8]| fuzz::sequence_operations(bytes)
);
