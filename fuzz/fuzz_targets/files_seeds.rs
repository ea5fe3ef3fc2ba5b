#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::begin("files_seeds", std::env::var_os("FUZZ_BEGIN")),
    |bytes: &[u8]| fuzz::files_seeds(bytes)
);
