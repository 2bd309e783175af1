//! What the client knows of one message, and how pushes, own replies and pulls merge into it by Seq.
//!
//! `known` is the line between what listeners were told and what not: everything up to it is in `entries`, and every
//! change past it is told exactly once, in Seq order, when it is certain that nothing before it is missing. Entries past
//! `known` come from own replies: they are shown at once and told when the changes before them are there.

use alloc::string::String;
use alloc::vec::Vec;

use crate::change::{Change, ChangeKind};
use crate::wire::{Extension, PullReply};

/// Changes that wait for an earlier one; past this many the pull that is under way must bring them.
const MOST_HELD: usize = 1000;

/// What a listener is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// These keys have these values.
    Updated(Vec<(String, String)>),
    /// These keys are gone.
    Deleted(Vec<String>),
}

#[derive(Debug, Clone)]
struct Entry {
    key: String,
    /// `None`: a tombstone.
    value: Option<String>,
    seq: u64,
    /// Somebody outside may hold a value of this key, so that a clear must tell them it is gone.
    is_told: bool,
}

/// One message.
#[derive(Debug, Default)]
pub(super) struct Cached {
    /// Ascending by key.
    entries: Vec<Entry>,
    clear_seq: u64,
    known: u64,
    /// The largest Seq heard of.
    ahead: u64,
    /// A pull from 0 has finished.
    loaded: bool,
    /// The push connection (by number) since whose beginning nothing was missed.
    synced_with: u64,
    /// Changes told while not loaded, first and last.
    told: (u64, u64),
    /// Changes past a gap, ascending by Seq.
    held: Vec<Change>,
}

/// The pages of a pull that has not finished.
#[derive(Debug)]
pub(super) struct Pages {
    start: u64,
    /// The push connection that was live when the pull was sent, 0 for none.
    connection: u64,
    next: u64,
    count: usize,
    first_latest: u64,
    latest: u64,
    clear_seq: u64,
    entries: Vec<Extension>,
}

impl Pages {
    /// Far more than a message can fill.
    const MOST: usize = 100;

    pub(super) const fn new(start: u64, connection: u64) -> Self {
        Self {
            start,
            connection,
            next: start,
            count: 0,
            first_latest: 0,
            latest: 0,
            clear_seq: 0,
            entries: Vec::new(),
        }
    }

    /// The `StartSeq` of the next page.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// Takes a page. `Some(true)`: it was the last; `None`: it cannot be used, or brings the pull no further.
    pub(super) fn add(&mut self, page: PullReply) -> Option<bool> {
        if self.count == 0 {
            self.first_latest = page.latest_seq;
        }
        self.count += 1;
        self.latest = page.latest_seq;
        self.clear_seq = self.clear_seq.max(page.clear_seq);
        if page.extension_list.iter().any(|e| e.key.is_empty() || e.seq == 0) {
            return None;
        }
        let last = page.extension_list.last().map(|e| e.seq);
        self.entries.extend(page.extension_list);
        if page.complete_flag == 1 {
            return Some(true);
        }
        let last = last.filter(|seq| *seq >= self.next && self.count < Self::MOST)?;
        self.next = last + 1;
        Some(false)
    }
}

impl Cached {
    /// The key's Seq as far as known, for compare-and-set.
    pub(super) fn seq_of(&self, key: &str) -> u64 {
        // Until a clear is told, the keys that it dropped are still here.
        let clear = self.held.iter().rev().find(|change| change.kind == ChangeKind::Clear);
        let cleared = clear.map_or(0, |change| change.seq);
        let entry = self.position(key).ok().and_then(|i| self.entries.get(i));
        entry.map(|e| e.seq).filter(|seq| *seq > cleared).unwrap_or(0)
    }

    /// The keys that have a value, ascending, for somebody outside.
    pub(super) fn live(&mut self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter_mut().filter_map(|e| {
            let value = e.value.as_deref()?;
            e.is_told = true;
            Some((e.key.as_str(), value))
        })
    }

    /// Whether everything that the server has is here, given that the push connection `connection` is live.
    pub(super) const fn is_current(&self, connection: u64) -> bool {
        self.loaded && connection != 0 && self.synced_with == connection && self.known >= self.ahead
    }

    /// Whether a pull is the only way to learn what is missing: a change is known to exist and is not on its way.
    pub(super) const fn is_behind(&self) -> bool {
        self.loaded && self.known < self.ahead
    }

    /// Whether a pull from 0 has finished.
    pub(super) const fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// Where the next pull starts.
    pub(super) const fn start_seq(&self) -> u64 {
        if self.loaded { self.known + 1 } else { 0 }
    }

    /// A change was pushed.
    pub(super) fn push(&mut self, change: Change, notices: &mut Vec<Notice>) {
        self.ahead = self.ahead.max(change.seq);
        if self.loaded {
            self.hold(change);
            self.tell_held(notices);
            return;
        }
        if change.seq <= self.told.1 {
            return;
        }
        self.held.retain(|own| own.seq != change.seq);
        let first = if change.seq == self.told.1 + 1 { self.told.0 } else { change.seq };
        self.told = (first, change.seq);
        self.tell(&change, notices);
    }

    /// An own operation was accepted as `change`. `live`: its push is on its way.
    pub(super) fn own(&mut self, change: Change, live: bool, notices: &mut Vec<Notice>) {
        if change.seq <= self.known || (!self.loaded && change.seq <= self.told.1) {
            return;
        }
        self.ahead = self.ahead.max(change.seq);
        if !self.loaded && !live {
            return self.tell(&change, notices);
        }
        self.write_early(&change);
        self.hold(change);
        if self.loaded {
            self.tell_held(notices);
        }
    }

    /// The server, whose counter was at `latest`, says that the key holds this (a refused item, or an absent key that
    /// was deleted); Seq 0 is nothing.
    pub(super) fn correct(&mut self, item: Extension, latest: u64) {
        self.ahead = self.ahead.max(item.seq);
        if item.seq > 0 {
            self.put(item.key, Some(item.value).filter(|v| !v.is_empty()), item.seq, false);
        } else if let Ok(i) = self.position(&item.key)
            && let Some(entry) = self.entries.get_mut(i).filter(|e| e.seq <= latest)
        {
            // It was cleared. The entry stays until the clear is told.
            entry.value = None;
            entry.seq = 0;
        }
    }

    /// The server's counter was at `seq`.
    pub(super) fn heard_of(&mut self, seq: u64) {
        self.ahead = self.ahead.max(seq);
    }

    /// The push connection is gone: changes that waited for their push are told now, unless a pull will.
    pub(super) fn connection_lost(&mut self, notices: &mut Vec<Notice>) {
        for change in core::mem::take(&mut self.held) {
            if !self.loaded {
                self.tell(&change, notices);
            }
        }
        self.told = (0, 0);
    }

    /// A pull has finished. A first load tells nothing; a later one tells the difference.
    pub(super) fn pulled(&mut self, pages: Pages, connection: u64, notices: &mut Vec<Notice>) {
        let Pages { start, first_latest, latest, clear_seq, entries, .. } = pages;
        let before = self.known;
        if clear_seq > self.clear_seq {
            if self.loaded && clear_seq > before {
                self.tell_cleared(notices);
            }
            self.clear(clear_seq);
        }
        if start == 0 {
            self.entries.retain(|e| e.seq > first_latest);
        }
        if self.loaded {
            self.tell_difference(&entries, before, notices);
        }
        for e in entries {
            self.put(e.key, Some(e.value).filter(|v| !v.is_empty()), e.seq, true);
        }
        let same_connection = pages.connection == connection && connection != 0;
        self.known = before.max(latest);
        if !self.loaded && same_connection && self.told.1 > latest {
            // Pushed while the pull was under way, dense, told and written already.
            self.known = self.told.1;
        }
        self.ahead = self.ahead.max(self.known);
        self.loaded = true;
        if same_connection {
            self.synced_with = connection;
        }
        self.tell_held(notices);
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|e| e.key.as_str().cmp(key))
    }

    /// The larger Seq wins, and nothing survives a clear that came after it. `is_told`: somebody outside learns of it.
    fn put(&mut self, key: String, value: Option<String>, seq: u64, is_told: bool) {
        if seq <= self.clear_seq {
            return;
        }
        match self.position(&key) {
            Ok(i) => {
                let Some(entry) = self.entries.get_mut(i) else { return };
                // A tombstone that comes late takes nothing away from what was told since.
                if is_told && (value.is_some() || entry.seq <= seq) {
                    entry.is_told = value.is_some();
                }
                if entry.seq <= seq {
                    entry.value = value;
                    entry.seq = seq;
                }
            }
            Err(i) => {
                let is_told = is_told && value.is_some();
                self.entries.insert(i, Entry { key, value, seq, is_told });
            }
        }
    }

    fn clear(&mut self, seq: u64) {
        self.clear_seq = seq;
        self.entries.retain(|e| e.seq > seq);
    }

    fn write(&mut self, change: &Change, is_told: bool) {
        match &change.kind {
            ChangeKind::Set(items) => {
                for (key, value) in items {
                    self.put(key.clone(), Some(value.clone()), change.seq, is_told);
                }
            }
            ChangeKind::Delete(keys) => {
                for key in keys {
                    self.put(key.clone(), None, change.seq, is_told);
                }
            }
            ChangeKind::Clear => self.clear(change.seq),
        }
    }

    /// Shows an own change that cannot be told yet, so that the next operation knows its Seq; not a clear, whose telling
    /// needs the keys that it drops.
    fn write_early(&mut self, change: &Change) {
        let is_told_now = self.loaded && change.seq == self.known + 1;
        if !is_told_now && change.kind != ChangeKind::Clear {
            self.write(change, false);
        }
    }

    fn hold(&mut self, change: Change) {
        if let Err(i) = self.held.binary_search_by(|c| c.seq.cmp(&change.seq)) {
            self.held.insert(i, change);
            self.held.truncate(MOST_HELD);
        }
    }

    /// Tells what is held without a gap.
    fn tell_held(&mut self, notices: &mut Vec<Notice>) {
        let held = core::mem::take(&mut self.held);
        for change in held {
            if change.seq == self.known + 1 {
                self.tell(&change, notices);
                self.known = change.seq;
            } else if change.seq > self.known {
                self.held.push(change);
            }
        }
    }

    /// Tells of a change, and writes it.
    fn tell(&mut self, change: &Change, notices: &mut Vec<Notice>) {
        match &change.kind {
            ChangeKind::Set(items) => notices.push(Notice::Updated(items.clone())),
            ChangeKind::Delete(keys) => notices.push(Notice::Deleted(keys.clone())),
            ChangeKind::Clear => self.tell_cleared(notices),
        }
        self.write(change, true);
    }

    fn tell_cleared(&mut self, notices: &mut Vec<Notice>) {
        let gone = |e: &mut Entry| core::mem::take(&mut e.is_told).then(|| e.key.clone());
        notices.push(Notice::Deleted(self.entries.iter_mut().filter_map(gone).collect()));
    }

    /// What became of the keys between two Seqs, in the order of the pull, a notice for each Seq and kind.
    fn tell_difference(&self, pulled: &[Extension], after: u64, notices: &mut Vec<Notice>) {
        let told =
            |seq: u64| seq <= after || seq <= self.clear_seq || (self.told.0 <= seq && seq <= self.told.1);
        for same in pulled.chunk_by(|a, b| a.seq == b.seq && a.value.is_empty() == b.value.is_empty()) {
            let Some(first) = same.first().filter(|e| !told(e.seq)) else { continue };
            notices.push(if first.value.is_empty() {
                Notice::Deleted(same.iter().map(|e| e.key.clone()).collect())
            } else {
                Notice::Updated(same.iter().map(|e| (e.key.clone(), e.value.clone())).collect())
            });
        }
    }
}
