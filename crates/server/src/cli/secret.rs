//! Secrets: given as they are, or in a file; never shown. A URL may hold one, and so may a store.

use std::fmt;
use std::path::Path;

use message_extensions_server::store::Servers;
use message_extensions_server::webhook::Url;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What stands where a secret would.
pub(super) const SET: &str = "(set)";

/// A secret key. However it is printed, it is not shown.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// What is not to be shown.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(key: String) -> Self {
        Self(key)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SET)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(SET)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // serde's own error would quote what is there instead of a string.
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(key) => Ok(Self(key)),
            _ => Err(D::Error::custom("invalid type, expected a string")),
        }
    }
}

/// The secret `name`, from its setting or from the file that the setting `{name}-file` names. `None`: neither is given.
///
/// # Errors
/// A sentence: both are given, or it is empty, or the file cannot be read.
pub(super) fn get(name: &str, given: Option<&Secret>, file: Option<&Path>) -> Result<Option<String>, String> {
    let (key, whence) = match (given, file) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(format!("{name} and {name}-file are both given: leave one of them out"));
        }
        (Some(Secret(key)), None) => (key.clone(), name.to_owned()),
        (None, Some(path)) => {
            let whence = format!("the file {} of {name}-file", path.display());
            let key = std::fs::read_to_string(path).map_err(|e| format!("cannot read {whence}: {e}"))?;
            // Editors and `echo` end a file with a line break.
            (key.trim_end_matches(['\r', '\n']).to_owned(), whence)
        }
    };
    if key.is_empty() { Err(format!("{whence} is empty")) } else { Ok(Some(key)) }
}

/// A URL of which a part may be secret, as it was given.
#[derive(Clone, Deserialize)]
pub(crate) struct GivenUrl(Secret);

impl From<String> for GivenUrl {
    fn from(url: String) -> Self {
        Self(url.into())
    }
}

impl GivenUrl {
    /// What was meant.
    ///
    /// # Errors
    /// What it must be.
    pub(super) fn url(&self) -> Result<Url, String> {
        Url::parse(self.0.reveal())
    }
}

impl fmt::Debug for GivenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// As it is shown: whole, or as a secret with what is none.
impl Serialize for GivenUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.url() {
            Ok(url) if url.is_shown_whole() => serializer.collect_str(&url),
            Ok(url) => serializer.collect_str(&format_args!("{SET} {url}")),
            Err(_) => serializer.serialize_str(SET),
        }
    }
}

/// Where the data is, as it was given.
#[derive(Clone, Deserialize)]
pub(crate) struct GivenStore(Secret);

/// Where the data is.
pub(crate) enum StoreKind {
    /// SQLite in the folder of --data.
    Sqlite,
    /// Forgets everything at exit.
    Memory,
    /// Redis or Valkey servers.
    Redis(Servers),
}

impl From<String> for GivenStore {
    fn from(store: String) -> Self {
        Self(store.into())
    }
}

impl GivenStore {
    /// What was meant.
    ///
    /// # Errors
    /// What it must be; not what it is, which may hold a password.
    pub(super) fn kind(&self) -> Result<StoreKind, String> {
        match self.0.reveal() {
            "sqlite" => Ok(StoreKind::Sqlite),
            "memory" => Ok(StoreKind::Memory),
            url if url.contains("://") => Servers::parse(url).map(StoreKind::Redis),
            _ => Err("must be sqlite, memory, or redis://host:port".into()),
        }
    }
}

impl fmt::Debug for GivenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for GivenStore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.kind() {
            Ok(StoreKind::Sqlite) => serializer.serialize_str("sqlite"),
            Ok(StoreKind::Memory) => serializer.serialize_str("memory"),
            Ok(StoreKind::Redis(servers)) if servers.is_shown_whole() => serializer.collect_str(&servers),
            Ok(StoreKind::Redis(servers)) => serializer.collect_str(&format_args!("{SET} {servers}")),
            Err(_) => serializer.serialize_str(SET),
        }
    }
}
