//! What a watch shows of a message, and which keys of it have changed since it was asked last.

use alloc::string::String;
use alloc::vec::Vec;

use super::Cached;
use super::entries::Entry;
use crate::client::watch::{EntryStatus, EntryView};
use crate::list::gather;

/// The keys of the entries, ascending by Seq.
fn by_seq<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<String> {
    let mut sorted: Vec<&Entry> = Vec::new();
    for entry in entries {
        // Few, and most of them in order: a sort would weigh more than all of this file.
        let i = sorted.partition_point(|e| e.seq <= entry.seq);
        sorted.insert(i, entry);
    }
    gather(sorted.iter().map(|e| e.key.clone()))
}

impl Cached {
    /// Begins or ends to remember which keys change.
    pub(in crate::client) fn track(&mut self, on: bool) {
        self.touched = on.then(|| self.touched.take().unwrap_or_default());
    }

    /// The keys that changed since this was called last: those that are gone, then ascending by the Seq that wrote them.
    pub(in crate::client) fn take_touched(&mut self) -> Vec<String> {
        let Some(touched) = &mut self.touched else { return Vec::new() };
        let mut keys = core::mem::take(touched);
        let touched = self.entries.iter().filter(|e| e.is_touched.take());
        keys.append(&mut by_seq(touched));
        keys
    }

    /// The keys that have a value, ascending by the Seq that wrote it.
    pub(in crate::client) fn keys_by_seq(&self) -> Vec<String> {
        by_seq(self.entries.iter().filter(|e| e.value().is_some()))
    }

    /// What the key shows has changed.
    pub(in crate::client) fn touch(&mut self, key: &str) {
        if let Some(entry) = self.entries.position(key).ok().and_then(|i| self.entries.get(i)) {
            entry.is_touched.set(true);
        } else if let Some(touched) = self.touched.as_mut().filter(|t| !t.iter().any(|k| k == key)) {
            touched.push(key.into());
        }
    }

    /// What any key shows may have changed.
    pub(in crate::client) fn touch_all(&mut self) {
        self.entries.iter().for_each(|e| e.is_touched.set(true));
    }

    /// What a key shows.
    pub(in crate::client) fn shown(&self, key: &str) -> Option<EntryView> {
        let entry = self.entry(key)?;
        Some(EntryView {
            key: key.into(),
            value: entry.value.clone()?,
            author: entry.author.clone(),
            time: entry.time,
            status: EntryStatus::Confirmed,
            seq: entry.seq,
        })
    }
}
