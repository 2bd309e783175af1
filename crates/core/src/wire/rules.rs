//! The rules that a message is sent with (ours). What they forbid is in [`law`](crate::law).

use alloc::string::String;
use alloc::vec::Vec;

use serde::de::{Deserializer, Error as _, Unexpected};
use serde::{Deserialize, Serialize};

use super::object;

/// `ExtensionRules`, given when a message is sent and never changed. A rule that is not known is refused: one that is
/// misspelt would protect nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Rules {
    /// A key must be the caller's UserID followed by the suffix; deletes too.
    #[serde(deserialize_with = "object::optional", skip_serializing_if = "Option::is_none")]
    pub key_owner: Option<KeyOwner>,
    /// A key that has a value keeps it: no other set of it, no delete. 1 and 0 are read as `true` and `false`.
    #[serde(deserialize_with = "flag", skip_serializing_if = "core::ops::Not::not")]
    pub write_once: bool,
    /// From this time on nothing is written, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<u64>,
    /// The message has so many live keys at most; 1 to the limit of live keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_keys: Option<usize>,
    /// A value must be one of these; 1 to [`Rules::VALUES`] of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
    /// Who may clear; [`Rules::clear_by`] says what holds without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear_by: Option<ClearBy>,
}

/// Whose keys are whose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct KeyOwner {
    /// What follows the UserID in a key, such as `_0`; may be empty.
    #[serde(alias = "suffix")]
    pub suffix: String,
}

/// Who may clear a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClearBy {
    /// App admins only.
    Admin,
    /// The message's sender.
    Author,
    /// Everybody who sees the message.
    Any,
}

/// The rest of the protocol has numbers where JSON has booleans.
fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Boolean(bool),
        Number(u64),
    }
    match Flag::deserialize(from).map_err(|_| D::Error::custom("expected true or false"))? {
        Flag::Boolean(flag) => Ok(flag),
        Flag::Number(0) => Ok(false),
        Flag::Number(1) => Ok(true),
        Flag::Number(other) => Err(D::Error::invalid_value(Unexpected::Unsigned(other), &"true or false")),
    }
}
