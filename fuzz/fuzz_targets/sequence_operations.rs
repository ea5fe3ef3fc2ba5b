#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::write_seeds("sequence_operations"),
    |bytes: &[u8]| fuzz::sequence_operations(bytes)
);
