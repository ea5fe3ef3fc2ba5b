#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::begin("app_states", std::env::var_os("FUZZ_BEGIN")),
    |bytes: &[u8]| fuzz::app_states(bytes)
);
