//! All targets under libFuzzer: the first byte chooses one.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| estoile_fuzz::any(bytes));
