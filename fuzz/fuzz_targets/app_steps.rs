#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::write_seeds("app_steps"),
    |bytes: &[u8]| fuzz::app_steps(bytes)
);
