//! How a receiver knows that a webhook is ours, and whether it had it before: the headers of the Standard Webhooks
//! specification.

use std::fmt::Write;

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD as BASE64};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Before a secret that is written in base64.
const PREFIX: &str = "whsec_";

/// What webhooks are signed with. Not `Debug`, for its sake.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Reads a secret: base64 behind `whsec_`, or else the text as it is.
    ///
    /// # Errors
    /// What is wrong, without the secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let secret = match text.strip_prefix(PREFIX) {
            Some(encoded) => GeneralPurpose::new(&alphabet::STANDARD, config)
                .decode(encoded)
                .map_err(|_| "is not base64 after whsec_")?,
            None => text.as_bytes().to_vec(),
        };
        if secret.is_empty() { Err("is empty".into()) } else { Ok(Self(secret)) }
    }

    /// `v1,` and the signature; `None` cannot be, a key has any length.
    fn sign(&self, id: &str, timestamp: u64, body: &str) -> Option<String> {
        let mut hmac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        hmac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        Some(format!("v1,{}", BASE64.encode(hmac.finalize().into_bytes())))
    }
}

/// `webhook-id`: the same for every attempt. Made of the body, which names message, Seq and millisecond, so that it is
/// another one for every change, also after the data were lost or an older copy of them was put back.
pub(super) fn id(body: &str) -> String {
    let hash = Sha256::digest(body.as_bytes());
    hash.iter().take(16).fold(String::from("msg_"), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    })
}

/// `webhook-signature`: one by each secret.
pub(super) fn signatures(secrets: &[Secret], id: &str, timestamp: u64, body: &str) -> String {
    let signatures = secrets.iter().filter_map(|secret| secret.sign(id, timestamp, body));
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn the_published_example_of_the_specifications_libraries_has_its_signature() {
        let secrets = [secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
        let signed =
            signatures(&secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn the_protocols_example_is_signed_as_it_says() {
        let page = include_str!("../../../../docs/protocol.md");
        let (_, part) = page.split_once("<!-- webhook -->").unwrap();
        let (_, body) = part.split_once("```json\n").unwrap();
        let body = body.split_once("\n```").unwrap().0;
        let header = |name: &str| {
            let line = part.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.unwrap().to_owned()
        };
        let timestamp = header("webhook-timestamp").parse().unwrap();
        assert_eq!(id(body), header("webhook-id"));
        let secrets = [secret("whsec_bWVzc2FnZS1leHRlbnNpb25zIGV4YW1wbGU=")];
        assert_eq!(signatures(&secrets, &id(body), timestamp, body), header("webhook-signature"));
    }

    #[test]
    fn a_secret_is_base64_behind_its_prefix_and_else_what_it_is() {
        assert_eq!(secret("whsec_YQ==").0, b"a");
        assert_eq!(secret("whsec_YQ").0, b"a");
        assert_eq!(secret("YQ==").0, b"YQ==");
        for wrong in ["", "whsec_", "whsec_not base64"] {
            assert!(Secret::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn two_secrets_make_two_signatures() {
        let both = signatures(&[secret("a"), secret("b")], "id", 1, "{}");
        let each = [secret("a"), secret("b")].map(|secret| signatures(&[secret], "id", 1, "{}"));
        assert_eq!(both, each.join(" "));
    }
}
