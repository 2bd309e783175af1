//! The law: what a message holds, and what each operation does to it.
//!
//! [`Message::decide`] answers an operation and says which [`Change`] it makes, without making it; [`Message::absorb`]
//! makes a change. A server decides, stores the change, absorbs it, then answers and pushes; a store replays changes; the
//! tests' oracle decides and absorbs at once. All of it follows seeds 002 to 004.

mod decide;
mod frequency;
mod operation;
mod pull;
mod rules;

pub use crate::change::{Change, ChangeKind};
pub use decide::{Decision, ItemAnswer, Terms};
pub use frequency::{Attempts, CallRate};
pub use operation::Operation;
pub use pull::Page;
pub use rules::Writer;

use alloc::collections::BTreeMap;
use alloc::string::String;

use crate::digest::of_entry;

/// The state of one message's extensions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The counter: the Seq of the last accepted operation; starts at 0, dense, never goes back.
    pub latest_seq: u64,
    /// The Seq of the last clear, 0 if there was none.
    pub clear_seq: u64,
    /// What each key holds. A key that was never set, or was dropped by a clear, is not in here.
    pub entries: BTreeMap<String, Entry>,
    live: usize,
    digest: u32,
}

/// What a key holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value; `None` is a tombstone.
    pub value: Option<String>,
    /// The Seq of the operation that wrote it.
    pub seq: u64,
    /// UserID of who wrote it.
    pub author: String,
    /// When, milliseconds since 1970.
    pub time: u64,
}

impl Message {
    /// A message as a store holds it.
    #[must_use]
    pub fn restore(latest_seq: u64, clear_seq: u64, entries: BTreeMap<String, Entry>) -> Self {
        let live = entries.values().filter(|e| e.value.is_some()).count();
        let digest = entries.iter().fold(0_u32, |sum, (key, entry)| sum.wrapping_add(entry.digest(key)));
        Self { latest_seq, clear_seq, entries, live, digest }
    }

    /// The digest of the state ([`crate::digest`]).
    #[must_use]
    pub const fn digest(&self) -> u32 {
        self.digest
    }

    /// How many keys have a value.
    #[must_use]
    pub const fn live_keys(&self) -> usize {
        self.live
    }

    /// Makes a change that [`decide`](Self::decide) gave for this very state.
    pub fn absorb(&mut self, change: &Change) {
        self.latest_seq = change.seq;
        match &change.kind {
            ChangeKind::Set(items) => {
                for (key, value) in items {
                    self.write(key, Some(value.clone()), change);
                }
            }
            ChangeKind::Delete(keys) => {
                for key in keys {
                    self.write(key, None, change);
                }
            }
            ChangeKind::Clear => {
                self.entries.clear();
                self.live = 0;
                self.digest = 0;
                self.clear_seq = change.seq;
            }
        }
    }

    fn write(&mut self, key: &str, value: Option<String>, change: &Change) {
        let is_live = value.is_some();
        let entry = Entry { value, seq: change.seq, author: change.author.clone(), time: change.time };
        let added = entry.digest(key);
        let old = self.entries.insert(key.into(), entry);
        let was_live = old.as_ref().is_some_and(|old| old.value.is_some());
        self.live = self.live + usize::from(is_live) - usize::from(was_live);
        let removed = old.map_or(0, |old| old.digest(key));
        self.digest = self.digest.wrapping_add(added).wrapping_sub(removed);
    }
}

impl Entry {
    /// What it adds to the digest of its message.
    fn digest(&self, key: &str) -> u32 {
        self.value.as_ref().map_or(0, |value| of_entry(key, value, self.seq))
    }
}
