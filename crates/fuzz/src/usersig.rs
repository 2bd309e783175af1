//! Signatures: one that was minted is good for exactly what it was minted for, and whatever is made of it is good for
//! nothing more.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use message_extensions_core::code::SIGNATURE_EXPIRED;
use message_extensions_core::usersig::{sign, verify};

use crate::check_refusal;

const APP: u64 = 1_400_000_000;
const SECRET: &[u8] = b"a secret key for fuzzing";
const MINTED: u64 = 1_700_000_000;
const EXPIRE: u64 = 3600;

/// The first byte says where the rest goes: it is the signature, its JSON, changes to a good one, or what is minted.
pub fn check(input: &[u8]) {
    let Some((how, rest)) = input.split_first() else { return };
    match how {
        b'"' => drop(std::str::from_utf8(rest).map(made)),
        b'{' => made(&packed(input)),
        b'~' => changed(rest, |signature| signature.to_vec(), |text| String::from_utf8_lossy(text).into()),
        b'z' => changed(rest, unarmoured, armoured),
        b'j' => changed(rest, |signature| inflated(&unarmoured(signature)), packed),
        _ => minted(*how, rest),
    }
}

fn armoured(bytes: &[u8]) -> String {
    BASE64.encode(bytes).replace('+', "*").replace('/', "-").replace('=', "_")
}

fn unarmoured(signature: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(signature.to_vec()).unwrap();
    BASE64.decode(text.replace('*', "+").replace('-', "/").replace('_', "=")).unwrap()
}

fn packed(json: &[u8]) -> String {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(json).unwrap();
    armoured(&zlib.finish().unwrap())
}

fn inflated(zlib: &[u8]) -> Vec<u8> {
    let mut json = Vec::new();
    ZlibDecoder::new(zlib).read_to_end(&mut json).unwrap();
    json
}

fn refused(signature: &str, app: u64, secrets: &[&[u8]], identifier: &str, now: u64) -> u32 {
    let error = verify(app, secrets, identifier, signature, now).expect_err("a signature for something else");
    check_refusal(error.code.into(), &error.message);
    error.code
}

/// A signature that was made without the key; whoever finds a good one has found the key.
fn made(signature: &str) {
    refused(signature, APP, &[SECRET], "alice", MINTED);
}

/// Whatever was changed in a good one: it says what it said, or it is refused.
fn changed(changes: &[u8], open: impl Fn(&[u8]) -> Vec<u8>, close: impl Fn(&[u8]) -> String) {
    let good = sign(APP, SECRET, "alice", MINTED, EXPIRE);
    let mut bytes = open(good.as_bytes());
    for change in changes.chunks_exact(3) {
        let at = usize::from(change[1]) % bytes.len().max(1);
        match change[0] % 4 {
            0 if at < bytes.len() => bytes[at] = change[2],
            1 if at < bytes.len() => bytes[at] ^= 1 << (change[2] % 8),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            _ if change[1] == u8::MAX => bytes.push(change[2]),
            _ => bytes.insert(at.min(bytes.len()), change[2]),
        }
    }
    let signature = close(&bytes);
    match verify(APP, &[SECRET], "alice", &signature, MINTED) {
        Ok(until) => {
            assert_eq!(until, MINTED + EXPIRE);
            let packed = unarmoured(signature.as_bytes());
            let mut zlib = ZlibDecoder::new(packed.as_slice());
            zlib.read_to_end(&mut Vec::new()).unwrap();
            assert_eq!(zlib.total_in(), packed.len() as u64, "there is more than the signature");
        }
        Err(error) => check_refusal(error.code.into(), &error.message),
    }
    for identifier in ["bob", "", "alice "] {
        refused(&signature, APP, &[SECRET], identifier, MINTED);
    }
    refused(&signature, APP + 1, &[SECRET], "alice", MINTED);
    refused(&signature, APP, &[b"another", &SECRET[1..]], "alice", MINTED);
    refused(&signature, APP, &[SECRET], "alice", MINTED + EXPIRE);
}

/// One for a user of any name, at any time: it is good from then on, as long as it was to be.
fn minted(how: u8, rest: &[u8]) {
    let Some((numbers, name)) = rest.split_at_checked(16) else { return };
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap()) >> (how % 64);
    let (now, expire) = (number(&numbers[..8]), number(&numbers[8..]));
    let Ok(name) = std::str::from_utf8(name) else { return };
    let app = u64::from(how);
    let signature = sign(app, SECRET, name, now, expire);
    let until = now.saturating_add(expire);
    // A name that is too long is refused where it comes in.
    if name.len() > 255 {
        return;
    }
    if until > now {
        assert_eq!(verify(app, &[SECRET], name, &signature, now), Ok(until));
        assert_eq!(verify(app, &[b"the new one", SECRET], name, &signature, until - 1), Ok(until));
    }
    assert_eq!(refused(&signature, app, &[SECRET], name, until), SIGNATURE_EXPIRED);
    refused(&signature, app, &[SECRET], &format!("{name} "), now);
    refused(&signature, app + 1, &[SECRET], name, now);
}
