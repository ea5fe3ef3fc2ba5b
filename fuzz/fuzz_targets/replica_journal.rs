#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::begin("replica_journal", std::env::var_os("FUZZ_BEGIN")),
    |bytes: &[u8]| fuzz::replica_journal(bytes)
);
