#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::write_seeds("replica_datagrams"),
    |bytes: &[u8]| fuzz::replica_datagrams(bytes)
);
