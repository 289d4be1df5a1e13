#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| reftable_fuzz::config::run(bytes));
