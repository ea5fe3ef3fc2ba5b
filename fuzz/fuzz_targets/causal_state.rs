#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::begin("causal_state", std::env::var_os("FUZZ_BEGIN")),
    |bytes: &[u8]| fuzz::causal_state(bytes)
);
