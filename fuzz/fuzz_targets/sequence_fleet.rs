#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::begin("sequence_fleet", std::env::var_os("FUZZ_BEGIN")),
    |bytes: &[u8]| fuzz::sequence_fleet(bytes)
);
