#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::begin("sequence_messages", std::env::var_os("FUZZ_BEGIN")),
    |bytes: &[u8]| fuzz::sequence_messages(bytes)
);
