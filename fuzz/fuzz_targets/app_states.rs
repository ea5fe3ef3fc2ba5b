#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::write_seeds("app_states"),
    |bytes: &[u8]| fuzz::app_states(bytes)
);
