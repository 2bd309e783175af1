//! The receiver's URL: what is asked for, and what of it may be shown.

use std::fmt;

use axum::http::uri::Scheme;
use axum::http::{HeaderValue, Uri};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use percent_encoding::percent_decode_str;

/// Where a receiver listens. It prints without user, password and query, which may be secret.
#[derive(Clone)]
pub struct Url {
    /// Without user and password, with the query.
    address: String,
    /// Made of user and password, if there are any.
    authorization: Option<HeaderValue>,
    shown: String,
    is_https: bool,
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// What it must be; not what it is, which may be secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        const EXPECTED: &str =
            "must be a URL that begins with http:// or https://, such as https://chat.example/webhook";
        let uri: Uri = text.parse().map_err(|_| EXPECTED)?;
        let scheme =
            uri.scheme().filter(|scheme| [Scheme::HTTP, Scheme::HTTPS].contains(scheme)).ok_or(EXPECTED)?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let (user, place) =
            authority.rsplit_once('@').map_or((None, authority), |(user, place)| (Some(user), place));
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(EXPECTED)?;
        if place != host && uri.port_u16().is_none() {
            return Err("has a port that is not a number from 0 to 65535".into());
        }
        let path = uri.path();
        let shown_query = uri.query().map_or("", |_| "?…");
        Ok(Self {
            address: format!("{scheme}://{place}{}", uri.path_and_query().map_or("/", |path| path.as_str())),
            authorization: user.map(basic).transpose()?,
            shown: format!("{scheme}://{place}{path}{shown_query}"),
            is_https: *scheme == Scheme::HTTPS,
        })
    }

    /// Whether nothing of it was left out where it is shown.
    #[must_use]
    pub fn is_shown_whole(&self) -> bool {
        self.authorization.is_none() && !self.address.contains('?')
    }

    /// The address for one command, with the parameters that the mirrored service sends.
    pub(super) fn of(&self, app: u64, command: &str) -> String {
        let separator = match self.address.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        format!("{}{separator}SdkAppid={app}&CallbackCommand={command}&contenttype=json", self.address)
    }

    pub(super) const fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    pub(super) const fn is_https(&self) -> bool {
        self.is_https
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// `user:password` of a URL as a header.
fn basic(user: &str) -> Result<HeaderValue, String> {
    let user: Vec<u8> = percent_decode_str(user).collect();
    let mut header = HeaderValue::try_from(format!("Basic {}", BASE64.encode(user)))
        .map_err(|_| "has a user that cannot be sent")?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_follow_those_that_are_there() {
        const OURS: &str = "SdkAppid=7&CallbackCommand=c&contenttype=json";
        for (url, address) in [
            ("http://a.example", "http://a.example/?"),
            ("http://a.example:81/p", "http://a.example:81/p?"),
            ("https://[::1]:81/p?", "https://[::1]:81/p?"),
            ("HTTPS://a.example/p?k=v", "https://a.example/p?k=v&"),
            ("https://u:p@a.example/p?k=v#f", "https://a.example/p?k=v&"),
        ] {
            assert_eq!(Url::parse(url).unwrap().of(7, "c"), format!("{address}{OURS}"), "{url}");
        }
    }

    #[test]
    fn what_may_be_secret_is_not_shown() {
        let url = Url::parse("https://user:pass%20word@a.example/p?token=secret").unwrap();
        assert_eq!((url.to_string(), url.is_shown_whole()), ("https://a.example/p?…".into(), false));
        // printf 'user:pass word' | base64
        assert_eq!(url.authorization().unwrap(), "Basic dXNlcjpwYXNzIHdvcmQ=");
        let url = Url::parse("https://a.example:8443/p").unwrap();
        assert_eq!((url.to_string(), url.is_shown_whole()), ("https://a.example:8443/p".into(), true));
    }

    #[test]
    fn what_is_no_url_is_refused_and_not_repeated() {
        for text in [
            "",
            "a.example",
            "/secret",
            "ftp://secret",
            "http://",
            "https://:80/secret",
            "http://a b/",
            "http://a:secret/",
            "http://a:99999/",
        ] {
            let Err(why) = Url::parse(text) else { panic!("{text} was taken") };
            assert!(!why.contains("secret") && why.len() > 20, "{text}: {why}");
        }
    }
}
