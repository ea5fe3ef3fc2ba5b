#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::begin("files_rows", std::env::var_os("FUZZ_BEGIN")),
    |bytes: &[u8]| fuzz::files_rows(bytes)
);
