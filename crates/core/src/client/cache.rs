//! What the client knows of one message, and how pushes, own replies and pulls merge into it by Seq.
//!
//! `known` is the line between what listeners were told and what not: everything up to it is in `entries`, and every
//! change past it is told exactly once, in Seq order, when it is certain that nothing before it is missing. Entries past
//! `known` come from own replies: they are shown at once and told when the changes before them are there.

mod anew;
mod entries;
mod shown;

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;

use super::pages::Pages;
use crate::change::{Change, ChangeKind, keys, pairs};
use crate::list::{gather, take};
use crate::wire::{Extension, MessageState};
pub use entries::Listing;
use entries::{Entries, Entry};

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

/// One message.
#[derive(Debug, Default)]
pub(super) struct Cached {
    entries: Entries,
    clear_seq: u64,
    known: u64,
    /// The largest Seq heard of that no pull has answered for yet; no more than `known` when there is none.
    ahead: u64,
    /// A pull from 0 has finished.
    loaded: bool,
    /// The server has another history: what is here is of no Seq, and shown until the pull from 0 replaces it.
    is_anew: bool,
    /// The push connection (by number) since whose beginning nothing was missed.
    synced_with: u64,
    /// Changes told while not loaded, first and last.
    told: (u64, u64),
    /// Changes past a gap, ascending by Seq.
    held: Vec<Change>,
    /// Keys without an entry that have changed since [`Cached::take_touched`]; `None` when nobody asks.
    touched: Option<Vec<String>>,
    /// It has changed since [`Cached::take_stale`].
    is_stale: bool,
}

/// What a key is to hold.
struct Write<'a> {
    key: &'a str,
    /// `None`: a tombstone.
    value: Option<&'a String>,
    seq: u64,
    author: &'a str,
    time: u64,
}

impl<'a> From<&'a Extension> for Write<'a> {
    fn from(e: &'a Extension) -> Self {
        Self {
            key: &e.key,
            value: Some(&e.value).filter(|v| !v.is_empty()),
            seq: e.seq,
            author: e.author.as_deref().unwrap_or(""),
            time: e.time.unwrap_or(0),
        }
    }
}

impl Cached {
    /// The key's Seq as far as known, for compare-and-set.
    pub(super) fn seq_of(&self, key: &str) -> u64 {
        self.entry(key).map_or(0, |e| e.seq)
    }

    /// The value that this Seq wrote, if the key has one.
    pub(super) fn value_of(&self, key: &str) -> Option<&str> {
        self.entry(key)?.value.as_deref()
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.position(key).ok().and_then(|i| self.entries.get(i)).filter(|e| !e.is_cleared)
    }

    /// The keys that have a value, for somebody outside: all, or those of `keys`.
    pub(super) fn listing(&mut self, keys: Option<&[String]>) -> Listing {
        self.entries.listing(keys)
    }

    /// Whether everything that the server has is here, given that the push connection `connection` is live.
    pub(super) const fn is_current(&self, connection: u64) -> bool {
        self.loaded && connection != 0 && self.synced_with == connection && self.known >= self.ahead
    }

    /// Whether a change is known to exist that has not come, by push or by pull.
    pub(super) const fn is_behind(&self) -> bool {
        self.loaded && self.known < self.ahead
    }

    /// Whether a pull from 0 has finished, be it of another history.
    pub(super) const fn is_loaded(&self) -> bool {
        self.loaded || self.is_anew
    }

    /// The pages of the next pull, which have not come.
    pub(super) fn begin_pull(&self, connection: u64) -> Pages {
        let start = if self.loaded { self.known.saturating_add(1) } else { 0 };
        Pages::new(start, self.digest(), self.ahead, connection)
    }

    /// What is not past it was told, or is moot since a clear was.
    fn last_told(&self) -> u64 {
        if self.loaded { self.known } else { self.told.1.max(self.clear_seq) }
    }

    /// A change was pushed.
    pub(super) fn push(&mut self, change: Change, notices: &mut Vec<Notice>) {
        let seq = change.seq;
        self.ahead = self.ahead.max(seq);
        if seq > self.last_told() {
            self.hold(change);
            // What was pushed of own ones before it was not heard, and will not come again.
            self.tell_held(seq, notices);
        }
    }

    /// An own operation was accepted as `change`. `live`: its push is on its way.
    pub(super) fn own(&mut self, change: Change, live: bool, notices: &mut Vec<Notice>) {
        if change.seq <= self.last_told() {
            return;
        }
        self.ahead = self.ahead.max(change.seq);
        if !self.loaded && !live {
            return self.tell(&change, notices);
        }
        self.write_early(&change);
        self.hold(change);
        self.tell_held(0, notices);
    }

    /// The server, whose counter was at `latest`, says that the key holds this (a refused item, or an absent key that
    /// was deleted); Seq 0 is nothing.
    pub(super) fn correct(&mut self, item: &Extension, latest: u64) {
        self.ahead = self.ahead.max(item.seq);
        if item.seq > 0 {
            // What is known is here already, unless it has been deleted since.
            if !self.loaded || item.seq > self.known {
                self.put(&item.into(), false);
            }
            return;
        }
        self.touch(&item.key);
        if let Ok(i) = self.entries.position(&item.key)
            && let Some(entry) = self.entries.edit().get_mut(i).filter(|e| e.seq <= latest)
        {
            entry.is_cleared = true;
        }
    }

    /// The server's counter was at `seq`.
    pub(super) fn heard_of(&mut self, seq: u64) {
        self.ahead = self.ahead.max(seq);
    }

    /// Takes what was kept, into a message of which nothing is known.
    pub(super) fn restore(&mut self, state: &MessageState) {
        self.clear_seq = state.clear_seq.unwrap_or(0);
        self.known = state.latest_seq.unwrap_or(0);
        self.loaded = true;
        for extension in state.extension_list.iter().flatten() {
            if !extension.key.is_empty() {
                self.put(&extension.into(), true);
            }
        }
    }

    /// What is to be kept, if it has changed since this was called last.
    pub(super) fn take_stale(&mut self) -> Option<MessageState> {
        if !core::mem::take(&mut self.is_stale) || !self.loaded {
            return None;
        }
        let extension = |e: &Entry| Extension {
            key: e.key.clone(),
            value: e.value.clone().unwrap_or_default(),
            seq: e.seq,
            author: Some(e.author.clone()),
            time: Some(e.time),
        };
        Some(MessageState {
            latest_seq: Some(self.known),
            clear_seq: Some(self.clear_seq),
            extension_list: Some(gather(self.entries.iter().filter(|e| !e.is_cleared).map(extension))),
            ..MessageState::default()
        })
    }

    /// It is to be kept once more.
    pub(super) const fn make_stale(&mut self) {
        self.is_stale = true;
    }

    /// Whether it differs from what is kept.
    pub(super) const fn is_stale(&self) -> bool {
        self.loaded && self.is_stale
    }

    /// The push connection is gone: changes that waited for their push are told now, unless a pull will.
    pub(super) fn connection_lost(&mut self, notices: &mut Vec<Notice>) {
        if !self.loaded {
            self.tell_held(u64::MAX, notices);
        }
        self.held = Vec::new();
        self.told = (0, 0);
        // When it was cleared the server says by the pull from 0.
        if !self.loaded {
            self.clear_seq = 0;
        }
    }

    /// A pull has finished. A first load tells nothing; a later one tells the difference. `false`: the server has another
    /// history, so everything is to be pulled from the beginning.
    pub(super) fn pulled(&mut self, pages: &Pages, connection: u64, notices: &mut Vec<Notice>) -> bool {
        let Pages { start, first_latest, latest, clear_seq, .. } = *pages;
        let before = self.known;
        let is_cleared = clear_seq > self.clear_seq;
        // Whoever knows all up to a Seq knows of the clears.
        if pages.is_from_another_history() || (self.loaded && is_cleared && clear_seq <= before) {
            self.begin_anew();
            return false;
        }
        if self.is_anew {
            self.tell_replaced(pages, notices);
        }
        if is_cleared {
            if self.loaded {
                self.tell_cleared(clear_seq, notices);
            }
            self.clear(clear_seq);
        }
        if start == 0 {
            self.drop_up_to(first_latest);
        }
        if self.loaded {
            self.tell_difference(&pages.entries, before, notices);
        } else {
            // No more than they need: most messages of a chat get no more keys.
            self.entries.edit().reserve_exact(pages.entries.len());
        }
        for e in &pages.entries {
            // What was told is here, unless the server has another history, of which all is told later.
            if !self.loaded || e.seq > before {
                self.put(&e.into(), true);
            }
        }
        let same_connection = pages.connection == connection && connection != 0;
        self.known = before.max(latest);
        self.is_stale |= self.known != before || !self.loaded;
        if !self.loaded && same_connection && self.told.1 > latest {
            // Pushed while the pull was under way, dense, told and written already.
            self.known = self.told.1;
        }
        // What was heard of before the pull has come with it, or the server has lost it.
        if self.ahead == pages.ahead {
            self.ahead = self.known;
        }
        let is_same = self.is_same(pages);
        self.loaded = true;
        self.is_anew = false;
        if same_connection {
            self.synced_with = connection;
        }
        self.tell_held(0, notices);
        if !is_same {
            self.begin_anew();
        }
        is_same
    }

    /// The larger Seq wins, and nothing survives a clear that came after it. `is_told`: somebody outside learns of it.
    fn put(&mut self, write: &Write<'_>, is_told: bool) {
        let Write { key, value, seq, author, time } = *write;
        if seq <= self.clear_seq {
            return;
        }
        self.is_stale = true;
        let is_cleared = self.held.iter().any(|c| c.seq > seq && c.kind == ChangeKind::Clear);
        match self.entries.position(key) {
            Ok(i) => {
                let Some(entry) = self.entries.edit().get_mut(i) else { return };
                // A tombstone that comes late takes nothing away from what was told since.
                if is_told && (value.is_some() || entry.seq <= seq) {
                    entry.is_told.set(value.is_some());
                }
                if entry.seq <= seq {
                    entry.is_touched.set(true);
                    entry.is_cleared = is_cleared;
                    entry.value = value.cloned();
                    entry.seq = seq;
                    entry.author = author.into();
                    // An own reply does not say when; what comes after it does.
                    entry.time = time;
                }
            }
            Err(i) => {
                let is_told = is_told && value.is_some();
                let entry = Entry {
                    key: key.into(),
                    value: value.cloned(),
                    seq,
                    author: author.into(),
                    time,
                    is_cleared,
                    is_told: Cell::new(is_told),
                    is_touched: Cell::new(true),
                };
                self.entries.edit().insert(i, entry);
            }
        }
    }

    fn drop_up_to(&mut self, seq: u64) {
        let touched = &mut self.touched;
        self.entries.edit().retain(|e| {
            let stays = e.seq > seq;
            if let Some(touched) =
                touched.as_mut().filter(|_| !stays && (e.value.is_some() || e.is_touched.get()))
            {
                touched.push(e.key.clone());
            }
            stays
        });
    }

    fn clear(&mut self, seq: u64) {
        self.is_stale = true;
        self.clear_seq = seq;
        self.drop_up_to(seq);
    }

    fn write(&mut self, change: &Change, is_told: bool) {
        let mut write = |key, value| {
            let Change { seq, author, time, .. } = change;
            self.put(&Write { key, value, seq: *seq, author, time: *time }, is_told);
        };
        match &change.kind {
            ChangeKind::Set(items) => items.iter().for_each(|(key, value)| write(key, Some(value))),
            ChangeKind::Delete(keys) => keys.iter().for_each(|key| write(key, None)),
            ChangeKind::Clear => self.clear(change.seq),
        }
    }

    /// Shows an own change that cannot be told yet, so that the next operation knows its Seq; not a clear, whose telling
    /// needs the keys that it drops.
    fn write_early(&mut self, change: &Change) {
        let is_told_now = self.loaded && change.seq == self.known.saturating_add(1);
        if !is_told_now && change.kind != ChangeKind::Clear {
            self.write(change, false);
        }
    }

    fn hold(&mut self, change: Change) {
        if change.kind == ChangeKind::Clear {
            // Until it is told, the keys that it drops are still here.
            for entry in self.entries.edit().iter_mut().filter(|e| e.seq <= change.seq) {
                entry.is_touched.set(true);
                entry.is_cleared = true;
            }
        }
        if let Err(i) = self.held.binary_search_by(|c| c.seq.cmp(&change.seq)) {
            self.held.insert(i, change);
            self.held.truncate(MOST_HELD);
        }
    }

    /// Tells what is held without a gap; while not loaded, all up to `seq`.
    fn tell_held(&mut self, seq: u64, notices: &mut Vec<Notice>) {
        loop {
            let until = if self.loaded { self.known.saturating_add(1) } else { seq };
            let Some(next) = take(&mut self.held, |change| change.seq <= until) else { return };
            let is_told = self.told.0 <= next.seq && next.seq <= self.told.1;
            if !self.loaded {
                let is_next = next.seq == self.told.1.saturating_add(1);
                self.told = (if is_next { self.told.0 } else { next.seq }, next.seq);
            } else if next.seq > self.known {
                self.known = next.seq;
            } else {
                continue;
            }
            if is_told {
                self.write(&next, true);
            } else {
                self.tell(&next, notices);
            }
        }
    }

    /// Tells of a change, and writes it.
    fn tell(&mut self, change: &Change, notices: &mut Vec<Notice>) {
        match &change.kind {
            ChangeKind::Set(items) => notices.push(Notice::Updated(items.clone())),
            ChangeKind::Delete(keys) => notices.push(Notice::Deleted(keys.clone())),
            ChangeKind::Clear => self.tell_cleared(change.seq, notices),
        }
        self.write(change, true);
    }

    fn tell_cleared(&self, seq: u64, notices: &mut Vec<Notice>) {
        // What was written since is told again, but for what own replies told at once.
        let until = if self.loaded || !self.held.is_empty() { u64::MAX } else { seq };
        let gone = |e: &Entry| (e.seq <= until && e.is_told.take()).then(|| e.key.clone());
        notices.push(Notice::Deleted(gather(self.entries.iter().filter_map(gone))));
    }

    /// What became of the keys between two Seqs, in the order of the pull, a notice for each Seq and kind.
    fn tell_difference(&self, pulled: &[Extension], after: u64, notices: &mut Vec<Notice>) {
        let told =
            |seq: u64| seq <= after || seq <= self.clear_seq || (self.told.0 <= seq && seq <= self.told.1);
        for same in pulled.chunk_by(|a, b| a.seq == b.seq && a.value.is_empty() == b.value.is_empty()) {
            let Some(first) = same.first().filter(|e| !told(e.seq)) else { continue };
            notices.push(if first.value.is_empty() {
                Notice::Deleted(keys(same))
            } else {
                Notice::Updated(pairs(same))
            });
        }
    }
}
