#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| spanmux_tests::fuzz::redaction(bytes));
