//! What the rules of a message ([`Rules`], ours) forbid, and whom. An app admin is bound by none of them.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::code::{
    CLEAR_REFUSED, CLOSED, Error, INVALID_PARAMETER, KEY_OF_ANOTHER, VALUE_NOT_ALLOWED, WRITTEN_ONCE,
};
use crate::limits::{Limits, exceeds};
use crate::wire::{ClearBy, KeyOwner, Rules};

/// Who writes, and whose message it is.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    /// UserID of the caller.
    pub user: &'a str,
    /// An app admin: neither Seqs nor rules bind them.
    pub is_admin: bool,
    /// Whether the caller sent the message.
    pub is_sender: bool,
}

impl<'a> Writer<'a> {
    /// A user who did not send the message.
    #[must_use]
    pub const fn new(user: &'a str) -> Self {
        Self { user, is_admin: false, is_sender: false }
    }
}

impl Rules {
    /// Values that [`Rules::values`] may list.
    pub const VALUES: usize = 100;

    /// Whether the rules make sense.
    ///
    /// # Errors
    /// 10004 naming the rule and what was expected.
    pub fn check(&self, limits: &Limits) -> Result<(), Error> {
        let wrong = |text: String| Err(Error::with(INVALID_PARAMETER, text));
        if let Some(owner) = &self.key_owner
            && exceeds(owner.suffix.len() + 1, limits.key_bytes)
        {
            return wrong(format!(
                "ExtensionRules.KeyOwner.Suffix has {} bytes of UTF-8, which leaves a key of {} no room for a UserID",
                owner.suffix.len(),
                limits.key_bytes
            ));
        }
        if self.closes_at == Some(0) {
            return wrong(
                "ExtensionRules.ClosesAt must be a time in milliseconds since 1970, at least 1".into(),
            );
        }
        if self.max_keys == Some(0) {
            return wrong("ExtensionRules.MaxKeys must be at least 1".into());
        }
        if let Some(keys) = self.max_keys
            && exceeds(keys, limits.live_keys)
        {
            return wrong(format!("ExtensionRules.MaxKeys must be at most {}, not {keys}", limits.live_keys));
        }
        let Some(values) = &self.values else { return Ok(()) };
        if !(1..=Self::VALUES).contains(&values.len()) {
            return wrong(format!(
                "ExtensionRules.Values must list 1 to {} values, not {}",
                Self::VALUES,
                values.len()
            ));
        }
        let mut listed = BTreeSet::new();
        for (i, value) in values.iter().enumerate() {
            if value.is_empty() {
                return wrong(format!("ExtensionRules.Values[{i}] must not be empty"));
            }
            if exceeds(value.len(), limits.value_bytes) {
                return wrong(format!(
                    "ExtensionRules.Values[{i}] has {} bytes of UTF-8, at most {} are allowed",
                    value.len(),
                    limits.value_bytes
                ));
            }
            if !listed.insert(value) {
                return wrong(format!("ExtensionRules.Values[{i}] is in the list twice"));
            }
        }
        Ok(())
    }

    /// Who may clear: where keys have owners, or are written once, the sender; otherwise anybody.
    #[must_use]
    pub fn clear_by(&self) -> ClearBy {
        let protects_keys = self.key_owner.is_some() || self.write_once;
        self.clear_by.unwrap_or(if protects_keys { ClearBy::Author } else { ClearBy::Any })
    }

    /// The code with which a set of the key to `value`, or its delete, is refused. `is_live`: the key has a value.
    pub(super) fn forbids(
        &self,
        writer: Writer<'_>,
        key: &str,
        value: Option<&str>,
        is_live: bool,
        now: u64,
    ) -> Option<u32> {
        if writer.is_admin {
            return None;
        }
        let owns = |owner: &KeyOwner| {
            key.strip_suffix(owner.suffix.as_str()).is_some_and(|user| user == writer.user)
        };
        let lists =
            |values: &Vec<String>| value.is_none_or(|value| values.iter().any(|listed| listed == value));
        if self.is_closed(now) {
            Some(CLOSED)
        } else if !self.key_owner.as_ref().is_none_or(owns) {
            Some(KEY_OF_ANOTHER)
        } else if self.write_once && is_live {
            Some(WRITTEN_ONCE)
        } else if !self.values.as_ref().is_none_or(lists) {
            Some(VALUE_NOT_ALLOWED)
        } else {
            None
        }
    }

    /// Whether the writer may clear.
    ///
    /// # Errors
    /// A refusal of the whole request: a clear has no items.
    pub(super) fn check_clear(&self, writer: Writer<'_>, now: u64) -> Result<(), Error> {
        let refused = |text| Err(Error::new(CLEAR_REFUSED, text));
        if writer.is_admin {
            return Ok(());
        }
        if self.is_closed(now) {
            return refused("the message is closed by its rules: only an app admin may clear it");
        }
        match self.clear_by() {
            ClearBy::Admin => refused("by the message's rules only an app admin may clear it"),
            ClearBy::Author if !writer.is_sender => {
                refused("by the message's rules only its sender or an app admin may clear it")
            }
            ClearBy::Author | ClearBy::Any => Ok(()),
        }
    }

    fn is_closed(&self, now: u64) -> bool {
        self.closes_at.is_some_and(|closes_at| now >= closes_at)
    }
}
