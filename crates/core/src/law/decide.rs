//! What an operation does to a message: ask its rules, compare each item's Seq, count against the limits, take the next Seq.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Change, ChangeKind, Entry, Message, Operation, Writer};
use crate::code::{Error, FULL, INVALID_PARAMETER, SEQ_CONFLICT, TOO_MANY_TOMBSTONES};
use crate::limits::{Limits, exceeds};
use crate::wire::{Extension, Item, ItemReply, OK, Rules, SetReply};

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

/// What an operation is held against, besides the message.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The server's.
    pub limits: &'a Limits,
    /// The message's, if it has any.
    pub rules: Option<&'a Rules>,
    /// Milliseconds since 1970.
    pub now: u64,
}

impl<'a> Terms<'a> {
    /// Those of a message without rules.
    #[must_use]
    pub const fn new(limits: &'a Limits, now: u64) -> Self {
        Self { limits, rules: None, now }
    }

    /// What the rules have against an item; `value` is `None` for a delete.
    fn forbid(
        &self,
        writer: Writer<'_>,
        key: &str,
        value: Option<&str>,
        entry: Option<&Entry>,
    ) -> Option<u32> {
        self.rules?.forbids(writer, key, value, entry.is_some_and(|e| e.value.is_some()), self.now)
    }

    /// Whether the rules leave room for so many keys.
    fn has_room(&self, writer: Writer<'_>, live: usize) -> bool {
        writer.is_admin || self.rules.and_then(|rules| rules.max_keys).is_none_or(|max| live <= max)
    }
}

impl Message {
    /// Answers `operation` of `writer` without making its change.
    ///
    /// # Errors
    /// 10004 when the message would hold more live keys than the limits allow, 23107 when its rules forbid the clear; then
    /// nothing counts.
    pub fn decide(
        &self,
        operation: &Operation,
        writer: Writer<'_>,
        terms: Terms<'_>,
    ) -> Result<Decision, Error> {
        let seq = self.latest_seq + 1;
        let (items, kind) = match operation {
            Operation::Set(items) => self.set(items, seq, writer, terms)?,
            Operation::Delete(items) => self.delete(items, seq, writer, terms),
            Operation::Clear => {
                terms.rules.map_or(Ok(()), |rules| rules.check_clear(writer, terms.now))?;
                (Vec::new(), Some(ChangeKind::Clear))
            }
        };
        let change = kind.map(|kind| Change { seq, kind, author: writer.user.to_string(), time: terms.now });
        let latest_seq = if change.is_some() { seq } else { self.latest_seq };
        Ok(Decision { items, change, latest_seq })
    }

    fn set(
        &self,
        items: &[Item],
        seq: u64,
        writer: Writer<'_>,
        terms: Terms<'_>,
    ) -> Result<(Vec<ItemAnswer>, Option<ChangeKind>), Error> {
        let mut answers = Vec::with_capacity(items.len());
        let mut written = Vec::new();
        let mut live = self.live_keys();
        for item in items {
            let entry = self.entries.get(&item.key);
            if let Some(code) = terms.forbid(writer, &item.key, Some(&item.value), entry) {
                answers.push(refused(code, &item.key, entry));
                continue;
            }
            if !accepts(entry, item, writer.is_admin) {
                answers.push(refused(SEQ_CONFLICT, &item.key, entry));
                continue;
            }
            if entry.is_none_or(|e| e.value.is_none()) {
                if !terms.has_room(writer, live + 1) {
                    answers.push(refused(FULL, &item.key, entry));
                    continue;
                }
                live += 1;
            }
            answers.push(ItemAnswer { code: 0, key: item.key.clone(), value: item.value.clone(), seq });
            written.push((item.key.clone(), item.value.clone()));
        }
        let allowed = terms.limits.live_keys;
        if live > self.live_keys() && exceeds(live, allowed) {
            return Err(Error::with(
                INVALID_PARAMETER,
                format!("ExtensionList would make {live} keys on the message, at most {allowed} are allowed"),
            ));
        }
        let kind = (!written.is_empty()).then_some(ChangeKind::Set(written));
        Ok((answers, kind))
    }

    fn delete(
        &self,
        items: &[Item],
        seq: u64,
        writer: Writer<'_>,
        terms: Terms<'_>,
    ) -> (Vec<ItemAnswer>, Option<ChangeKind>) {
        let mut answers = Vec::with_capacity(items.len());
        let mut deleted = Vec::new();
        let mut tombstones = self.entries.len() - self.live_keys();
        for item in items {
            let key = item.key.clone();
            let entry = self.entries.get(&key);
            if let Some(code) = terms.forbid(writer, &key, None, entry) {
                answers.push(refused(code, &key, entry));
                continue;
            }
            let Some(entry) = entry else {
                answers.push(ItemAnswer { code: 0, key, value: String::new(), seq: 0 });
                continue;
            };
            if !accepts(Some(entry), item, writer.is_admin) {
                answers.push(refused(SEQ_CONFLICT, &key, Some(entry)));
                continue;
            }
            if entry.value.is_some() {
                if exceeds(tombstones + 1, terms.limits.tombstones) {
                    answers.push(refused(TOO_MANY_TOMBSTONES, &key, Some(entry)));
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

/// With what the key holds instead.
fn refused(code: u32, key: &str, entry: Option<&Entry>) -> ItemAnswer {
    ItemAnswer {
        code,
        key: key.to_string(),
        value: entry.and_then(|e| e.value.clone()).unwrap_or_default(),
        seq: entry.map_or(0, |e| e.seq),
    }
}
