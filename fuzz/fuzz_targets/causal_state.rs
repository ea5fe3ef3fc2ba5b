#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::write_seeds("causal_state"),
    |bytes: &[u8]| fuzz::causal_state(bytes)
);
