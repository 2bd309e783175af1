//! UserSig (TLSSigAPIv2): an HMAC-SHA256 over who, for which app, from when and for how long; JSON, zlib, base64 with
//! three characters replaced. Existing backends mint the same.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::code::{
    Error, SIGNATURE_EXPIRED, SIGNATURE_OF_ANOTHER_APP, SIGNATURE_OF_ANOTHER_USER, SIGNATURE_REFUSED,
    SIGNATURE_UNREADABLE,
};

/// A signature's JSON may not be larger than this when it is unpacked, bytes.
const LARGEST: u64 = 4096;

/// A longer one is not looked at: base64 of JSON of the largest size, had it not been compressed at all.
const LONGEST: usize = 6144;

/// What a signature says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Token {
    #[serde(rename = "TLS.ver")]
    version: String,
    #[serde(rename = "TLS.identifier")]
    identifier: String,
    #[serde(rename = "TLS.sdkappid")]
    app: u64,
    #[serde(rename = "TLS.expire")]
    expire: u64,
    #[serde(rename = "TLS.time")]
    time: u64,
    #[serde(rename = "TLS.sig")]
    sig: String,
}

impl Token {
    fn signed_text(&self) -> String {
        format!(
            "TLS.identifier:{}\nTLS.sdkappid:{}\nTLS.time:{}\nTLS.expire:{}\n",
            self.identifier, self.app, self.time, self.expire
        )
    }

    fn hmac(&self, secret: &[u8]) -> Option<Hmac<Sha256>> {
        let mut hmac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        hmac.update(self.signed_text().as_bytes());
        Some(hmac)
    }
}

/// Mints a signature for `identifier`, valid `expire` seconds from `now` (seconds since 1970).
#[must_use]
pub fn sign(app: u64, secret: &[u8], identifier: &str, now: u64, expire: u64) -> String {
    let mut token = Token {
        version: "2.0".into(),
        identifier: identifier.into(),
        app,
        expire,
        time: now,
        sig: String::new(),
    };
    if let Some(hmac) = token.hmac(secret) {
        token.sig = BASE64.encode(hmac.finalize().into_bytes());
    }
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    let packed = serde_json::to_vec(&token)
        .map_err(std::io::Error::from)
        .and_then(|json| packed.write_all(&json))
        .and_then(|()| packed.finish())
        .unwrap_or_default();
    BASE64.encode(packed).replace('+', "*").replace('/', "-").replace('=', "_")
}

/// Checks that `signature` was made for `identifier` of `app` with one of `secrets`, and has not expired at `now`
/// (seconds since 1970). Returns when it will, seconds since 1970.
///
/// # Errors
/// 70003 unreadable, 70014 of another app, 70013 of another user, 70009 not made with a secret of ours, 70001 expired.
pub fn verify(
    app: u64,
    secrets: &[&[u8]],
    identifier: &str,
    signature: &str,
    now: u64,
) -> Result<u64, Error> {
    let token = unpack(signature).ok_or(Error::new(
        SIGNATURE_UNREADABLE,
        "usersig is not a UserSig: it may be cut short or badly escaped",
    ))?;
    if token.app != app {
        return Err(Error::with(
            SIGNATURE_OF_ANOTHER_APP,
            format!("usersig was made for SDKAppID {}", token.app),
        ));
    }
    if token.identifier != identifier {
        return Err(Error::new(
            SIGNATURE_OF_ANOTHER_USER,
            "usersig was made for another identifier than this one",
        ));
    }
    let given = BASE64.decode(&token.sig).unwrap_or_default();
    // verify_slice compares in constant time.
    let is_ours = |secret: &&[u8]| token.hmac(secret).is_some_and(|hmac| hmac.verify_slice(&given).is_ok());
    if !secrets.iter().any(is_ours) {
        return Err(Error::new(SIGNATURE_REFUSED, "usersig was not made with the secret key of this app"));
    }
    let until = token.time.saturating_add(token.expire);
    if until <= now {
        return Err(Error::with(SIGNATURE_EXPIRED, format!("usersig expired {} seconds ago", now - until)));
    }
    Ok(until)
}

fn unpack(signature: &str) -> Option<Token> {
    if signature.len() > LONGEST {
        return None;
    }
    let base64 = signature.replace('*', "+").replace('-', "/").replace('_', "=");
    let packed = BASE64.decode(base64).ok()?;
    let mut json = Vec::new();
    let mut zlib = ZlibDecoder::new(packed.as_slice());
    zlib.by_ref().take(LARGEST + 1).read_to_end(&mut json).ok()?;
    // What followed the packed part would be read by nobody, so that one signature could be written in many ways.
    if json.len() as u64 > LARGEST || zlib.total_in() != packed.len() as u64 {
        return None;
    }
    serde_json::from_slice(&json).ok()
}
