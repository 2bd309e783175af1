//! UserSig against a signature that the public package `tls-sig-api-v2` minted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

use message_extensions_core::code::*;
use message_extensions_core::usersig::{sign, verify};

const APP: u64 = 1_400_000_000;
const SECRET: &[u8] = b"5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";
const FOREIGN: &str = "eJyrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwhWZiflZpXlQqeKU7MSCgswUJStDEwMogMiUZOamKlkZmluaGpkZmxuZQ0RTKwoyi0DipqamRnC1xZnpSlZKBf75hdolXsnFJaa5ycGmfv5OYSnG-v4WyZFBjh4FuSEuBoa*Hk7GlpZOjrZKtQCqcDFa";
const MINTED: u64 = 1_795_263_727;
const EXPIRE: u64 = 15_552_000;

fn code(result: Result<u64, Error>) -> u32 {
    result.map_or_else(|e| e.code, |until| panic!("accepted until {until}"))
}

#[test]
fn a_signature_that_another_library_minted_is_accepted() {
    assert_eq!(verify(APP, &[SECRET], "xiaojun", FOREIGN, MINTED), Ok(MINTED + EXPIRE));
    assert_eq!(verify(APP, &[b"rotated out", SECRET], "xiaojun", FOREIGN, MINTED), Ok(MINTED + EXPIRE));
}

#[test]
fn an_own_signature_is_accepted_until_it_expires() {
    let sig = sign(APP, SECRET, "张三", 1000, 60);
    assert_eq!(verify(APP, &[SECRET], "张三", &sig, 1059), Ok(1060));
    assert_eq!(code(verify(APP, &[SECRET], "张三", &sig, 1060)), SIGNATURE_EXPIRED);
}

#[test]
fn each_way_of_being_wrong_has_its_code() {
    let at = MINTED + 1;
    assert_eq!(code(verify(APP, &[SECRET], "mallory", FOREIGN, at)), SIGNATURE_OF_ANOTHER_USER);
    assert_eq!(code(verify(APP + 1, &[SECRET], "xiaojun", FOREIGN, at)), SIGNATURE_OF_ANOTHER_APP);
    assert_eq!(code(verify(APP, &[b"another"], "xiaojun", FOREIGN, at)), SIGNATURE_REFUSED);
    assert_eq!(code(verify(APP, &[], "xiaojun", FOREIGN, at)), SIGNATURE_REFUSED);
    assert_eq!(code(verify(APP, &[SECRET], "xiaojun", &FOREIGN[..80], at)), SIGNATURE_UNREADABLE);
    assert_eq!(code(verify(APP, &[SECRET], "xiaojun", "", at)), SIGNATURE_UNREADABLE);
    assert_eq!(code(verify(APP, &[SECRET], "xiaojun", "不是", at)), SIGNATURE_UNREADABLE);
}

/// As a signature, whatever it says.
fn packed(json: &[u8], level: flate2::Compression) -> String {
    use base64::Engine;
    use std::io::Write;
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), level);
    zlib.write_all(json).unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode(zlib.finish().unwrap());
    text.replace('+', "*").replace('/', "-").replace('=', "_")
}

fn unpacked(signature: &str) -> Vec<u8> {
    use base64::Engine;
    use std::io::Read;
    let text = signature.replace('*', "+").replace('-', "/").replace('_', "=");
    let zlib = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let mut json = Vec::new();
    flate2::read::ZlibDecoder::new(zlib.as_slice()).read_to_end(&mut json).unwrap();
    json
}

#[test]
fn a_signature_unpacks_to_4_kib_and_no_further_however_it_is_packed() {
    for level in [flate2::Compression::none(), flate2::Compression::best()] {
        for (length, expected) in [(4096, Ok(MINTED + EXPIRE)), (4097, Err(SIGNATURE_UNREADABLE))] {
            let mut json = unpacked(FOREIGN);
            json.resize(length, b' ');
            let outcome = verify(APP, &[SECRET], "xiaojun", &packed(&json, level), MINTED);
            assert_eq!(outcome.map_err(|e| e.code), expected, "{length} bytes");
        }
    }
}

#[test]
fn a_signature_that_unpacks_to_megabytes_or_is_padded_is_refused() {
    use base64::Engine;
    let mut json = unpacked(FOREIGN);
    json.resize(4 << 20, b' ');
    let bomb = packed(&json, flate2::Compression::best());
    assert!(bomb.len() < 6144, "short enough to be looked at");
    // What follows the packed part, nobody reads.
    let text = FOREIGN.replace('*', "+").replace('-', "/").replace('_', "=");
    let zlib = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let longer = |length: usize| {
        let mut zlib = zlib.clone();
        zlib.resize(length, 0);
        let padded = base64::engine::general_purpose::STANDARD.encode(zlib);
        padded.replace('+', "*").replace('/', "-").replace('=', "_")
    };
    assert_eq!(longer(zlib.len()), FOREIGN);
    for signature in [bomb, longer(zlib.len() + 1), longer(zlib.len() * 2), longer(6000)] {
        assert_eq!(code(verify(APP, &[SECRET], "xiaojun", &signature, MINTED)), SIGNATURE_UNREADABLE);
    }
}
