#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::write_seeds("app_values"),
    |bytes: &[u8]| fuzz::app_values(bytes)
);
