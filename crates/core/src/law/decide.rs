//! What an operation does to a message: compare each item's Seq, count against the limits, take the next Seq.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Change, ChangeKind, Entry, Message, Operation};
use crate::code::{Error, INVALID_PARAMETER, SEQ_CONFLICT, TOO_MANY_TOMBSTONES};
use crate::limits::{Limits, exceeds};
use crate::wire::{Extension, Item, ItemReply, OK, SetReply};

/// The answer to one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemAnswer {
    /// 0, or a code of [`Scope::Item`](crate::code::Scope::Item).
    pub code: u32,
    /// The key.
    pub key: String,
    /// What the key holds after the operation, `""` when nothing.
    pub value: String,
    /// The key's Seq after the operation, 0 when it holds nothing.
    pub seq: u64,
}

/// The answer to an operation, and the change it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// One answer an item, in the operation's order.
    pub items: Vec<ItemAnswer>,
    /// `None` when every item was refused, or only absent keys were deleted.
    pub change: Option<Change>,
    /// The message's counter after the operation.
    pub latest_seq: u64,
}

impl Decision {
    /// As the reply of seed 002.
    #[must_use]
    pub fn into_reply(self) -> SetReply {
        let item = |item: ItemAnswer| ItemReply {
            error_code: item.code,
            extension: Some(Extension {
                key: item.key,
                value: item.value,
                seq: item.seq,
                author: None,
                time: None,
            }),
        };
        SetReply {
            action_status: OK.into(),
            error_info: String::new(),
            error_code: 0,
            extension_list: self.items.into_iter().map(item).collect(),
            seq: Some(self.latest_seq),
        }
    }
}

impl Message {
    /// Answers `operation` without making its change. `admin`: Seqs are not compared. `now`: milliseconds since 1970.
    ///
    /// # Errors
    /// 10004 when the message would hold more live keys than `limits` allow; then nothing counts.
    pub fn decide(
        &self,
        operation: &Operation,
        author: &str,
        admin: bool,
        now: u64,
        limits: &Limits,
    ) -> Result<Decision, Error> {
        let seq = self.latest_seq + 1;
        let (items, kind) = match operation {
            Operation::Set(items) => self.set(items, seq, admin, limits)?,
            Operation::Delete(items) => self.delete(items, seq, admin, limits),
            Operation::Clear => (Vec::new(), Some(ChangeKind::Clear)),
        };
        let change = kind.map(|kind| Change { seq, kind, author: author.to_string(), time: now });
        let latest_seq = if change.is_some() { seq } else { self.latest_seq };
        Ok(Decision { items, change, latest_seq })
    }

    fn set(
        &self,
        items: &[Item],
        seq: u64,
        admin: bool,
        limits: &Limits,
    ) -> Result<(Vec<ItemAnswer>, Option<ChangeKind>), Error> {
        let mut answers = Vec::with_capacity(items.len());
        let mut written = Vec::new();
        let mut live = self.live_keys();
        for item in items {
            let entry = self.entries.get(&item.key);
            if !accepts(entry, item, admin) {
                answers.push(conflict(&item.key, entry));
                continue;
            }
            live += usize::from(entry.is_none_or(|e| e.value.is_none()));
            answers.push(ItemAnswer { code: 0, key: item.key.clone(), value: item.value.clone(), seq });
            written.push((item.key.clone(), item.value.clone()));
        }
        if live > self.live_keys() && exceeds(live, limits.live_keys) {
            return Err(Error::with(
                INVALID_PARAMETER,
                format!(
                    "ExtensionList would make {live} keys on the message, at most {} are allowed",
                    limits.live_keys
                ),
            ));
        }
        let kind = (!written.is_empty()).then_some(ChangeKind::Set(written));
        Ok((answers, kind))
    }

    fn delete(
        &self,
        items: &[Item],
        seq: u64,
        admin: bool,
        limits: &Limits,
    ) -> (Vec<ItemAnswer>, Option<ChangeKind>) {
        let mut answers = Vec::with_capacity(items.len());
        let mut deleted = Vec::new();
        let mut tombstones = self.entries.len() - self.live_keys();
        for item in items {
            let key = item.key.clone();
            let Some(entry) = self.entries.get(&key) else {
                answers.push(ItemAnswer { code: 0, key, value: String::new(), seq: 0 });
                continue;
            };
            if !accepts(Some(entry), item, admin) {
                answers.push(conflict(&key, Some(entry)));
                continue;
            }
            if entry.value.is_some() {
                if exceeds(tombstones + 1, limits.tombstones) {
                    answers.push(ItemAnswer { code: TOO_MANY_TOMBSTONES, ..conflict(&key, Some(entry)) });
                    continue;
                }
                tombstones += 1;
            }
            answers.push(ItemAnswer { code: 0, key: key.clone(), value: String::new(), seq });
            deleted.push(key);
        }
        let kind = (!deleted.is_empty()).then_some(ChangeKind::Delete(deleted));
        (answers, kind)
    }
}

/// Compare-and-set: a key never set or cleared has Seq 0; a tombstone accepts 0 or its own Seq.
fn accepts(entry: Option<&Entry>, item: &Item, admin: bool) -> bool {
    let given = item.seq.unwrap_or(0);
    admin
        || match entry {
            None => given == 0,
            Some(entry) => given == entry.seq || (given == 0 && entry.value.is_none()),
        }
}

fn conflict(key: &str, entry: Option<&Entry>) -> ItemAnswer {
    ItemAnswer {
        code: SEQ_CONFLICT,
        key: key.to_string(),
        value: entry.and_then(|e| e.value.clone()).unwrap_or_default(),
        seq: entry.map_or(0, |e| e.seq),
    }
}
