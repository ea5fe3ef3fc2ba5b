#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz::begin("files_template", std::env::var_os("FUZZ_BEGIN")),
    |bytes: &[u8]| fuzz::files_template(bytes)
);
