#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| spanway_tests::fuzz::config(bytes));
