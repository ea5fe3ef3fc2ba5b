#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::write_seeds("replica_journal"),
    |bytes: &[u8]| fuzz::replica_journal(bytes)
);
