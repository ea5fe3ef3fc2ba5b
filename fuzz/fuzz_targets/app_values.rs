#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::begin("app_values", std::env::var_os("FUZZ_BEGIN")),
    |bytes: &[u8]| fuzz::app_values(bytes)
);
