#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| spanmux_tests::fuzz::decision_cache(bytes));
