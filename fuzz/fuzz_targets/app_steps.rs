#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::begin("app_steps", std::env::var_os("FUZZ_BEGIN")),
    |bytes: &[u8]| fuzz::app_steps(bytes)
);
