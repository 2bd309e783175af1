//! libFuzzer on [`message_extensions_fuzz::rest`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| message_extensions_fuzz::rest::check(input));
