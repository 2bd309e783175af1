//! `watchMessageExtensions`: what a message shows right now, own writes that are on their way included, as differences.

use alloc::string::String;
use alloc::vec::Vec;

use super::argument::{self, MessageArgument};
use super::messages::{Tracked, Wanted};
use super::write::Write;
use super::{Answer, CallId, Client, Event, Output, TIME_LIMIT};
use crate::code::{Error, SEQ_CONFLICT};
use crate::list::take;
use crate::wire::{QueuedItem, operate_type};

/// Names a watch.
pub type WatchId = u32;

/// Whether what an entry shows is what the server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryStatus {
    /// It is.
    Confirmed,
    /// An own write that is on its way; a delete shows the value `""`.
    Pending,
    /// An own write that waits for the network.
    Queued,
    /// It is, and it has won against an own write that is not shown any more.
    Conflict,
}

/// One key as a snapshot shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryView {
    /// The key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// UserID of who wrote it; empty when the server does not say.
    pub author: String,
    /// When, milliseconds since 1970; 0 when it is not known yet.
    pub time: u64,
    /// Whether the server has it.
    pub status: EntryStatus,
    /// What its place among the others goes by: the Seq that wrote it; for an own write without an answer, the largest.
    pub seq: u64,
}

/// What is different from what the watches were told before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Those who watch.
    pub watches: Vec<WatchId>,
    /// Keys that show something else than before, ascending by the Seq that wrote them, those on their way last.
    pub changed: Vec<EntryView>,
    /// Keys that show nothing any more.
    pub removed: Vec<String>,
    /// Whether everything that the server has is shown.
    pub synced: bool,
}

/// What a watched message keeps for those who watch it.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// Those who were told everything so far.
    watches: Vec<WatchId>,
    /// Those who were told nothing yet.
    fresh: Vec<WatchId>,
    synced: bool,
}

/// Own writes of a message that have no answer.
#[derive(Debug)]
pub(super) struct PendingWrite {
    id: String,
    operation: u32,
    items: Vec<QueuedItem>,
    is_queued: bool,
}

impl PendingWrite {
    /// What it wants of the key, if anything; `""` to delete it.
    fn wants(&self, key: &str) -> Option<&str> {
        if self.operation == operate_type::CLEAR {
            return Some("");
        }
        self.items.iter().find(|item| item.key == key).map(|item| item.value.as_str())
    }
}

impl EntryView {
    /// Whether it shows an own write without an answer.
    #[must_use]
    pub const fn is_own(&self) -> bool {
        matches!(self.status, EntryStatus::Pending | EntryStatus::Queued)
    }
}

impl Watched {
    pub(super) fn is_empty(&self) -> bool {
        self.watches.is_empty() && self.fresh.is_empty()
    }

    fn remove(&mut self, id: WatchId) -> bool {
        let is_it = |watch: &WatchId| *watch == id;
        take(&mut self.watches, is_it).or_else(|| take(&mut self.fresh, is_it)).is_some()
    }
}

impl Tracked {
    /// What a key shows.
    pub(super) fn shown(&self, key: &str) -> Option<EntryView> {
        let shown = self.cached.shown(key);
        let wanted = self.pending.iter().rev().find_map(|write| Some((write.wants(key)?, write.is_queued)));
        let Some((wanted, is_queued)) = wanted else {
            let entry = shown?;
            let status = match self.conflicts.iter().any(|(k, s)| k == key && *s == entry.seq) {
                true => EntryStatus::Conflict,
                false => EntryStatus::Confirmed,
            };
            return Some(EntryView { status, ..entry });
        };
        if shown.is_none() && wanted.is_empty() {
            return None;
        }
        let key = key.into();
        Some(EntryView {
            key,
            value: wanted.into(),
            author: String::new(),
            time: 0,
            status: if is_queued { EntryStatus::Queued } else { EntryStatus::Pending },
            seq: u64::MAX,
        })
    }

    /// Every key that shows something, or may.
    fn shown_keys(&self) -> Vec<String> {
        let mut keys = self.cached.keys_by_seq();
        for QueuedItem { key, .. } in self.pending.iter().flat_map(|write| &write.items) {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        keys
    }

    fn view(&self, watches: Vec<WatchId>, keys: Vec<String>, synced: bool) -> View {
        let mut view = View { watches, changed: Vec::new(), removed: Vec::new(), synced };
        for key in keys {
            match self.shown(&key) {
                Some(entry) => view.changed.push(entry),
                None => view.removed.push(key),
            }
        }
        view
    }

    /// A write goes out, or waits for the network.
    pub(super) fn begin(&mut self, write: &Write, is_queued: bool) {
        let (id, items) = (write.id.clone(), write.items.clone());
        let pending = PendingWrite { id, operation: write.operation, items, is_queued };
        self.touch(&pending);
        match self.pending.iter_mut().find(|other| other.id == write.id) {
            Some(other) => *other = pending,
            None => self.pending.push(pending),
        }
    }

    /// A write was answered, or given up.
    pub(super) fn finish(&mut self, id: &str, answer: &Result<Answer, Error>) {
        let Some(i) = self.pending.iter().position(|write| write.id == id) else { return };
        let write = self.pending.remove(i);
        self.touch(&write);
        while take(&mut self.conflicts, |(key, _)| write.wants(key).is_some()).is_some() {}
        if let Ok(Answer::Items(items)) = answer {
            for (_, key, _) in items.iter().filter(|(code, ..)| *code == SEQ_CONFLICT) {
                self.conflicts.push((key.clone(), self.cached.seq_of(key)));
            }
        }
    }

    fn touch(&mut self, write: &PendingWrite) {
        match write.operation {
            operate_type::CLEAR => self.cached.touch_all(),
            _ => write.items.iter().for_each(|item| self.cached.touch(&item.key)),
        }
    }
}

impl Client {
    /// `watchMessageExtensions(message, listener)`. Views come as [`Event::View`]; the call is settled when the message has been
    /// brought up to date for the first time, or cannot be.
    pub fn handle_watch(&mut self, call: CallId, watch: WatchId, message: Option<MessageArgument>, now: u64) {
        let made = self.watch(call, watch, message.as_ref(), now);
        self.made(call, made);
    }

    fn watch(
        &mut self,
        call: CallId,
        watch: WatchId,
        message: Option<&MessageArgument>,
        now: u64,
    ) -> Result<(), Error> {
        self.admit_watch()?;
        let message = argument::extensible(message)?;
        let tracked = self.messages.tracked(&message);
        // Begun again, it is told everything again.
        tracked.watched.remove(watch);
        // Nobody has looked: the last poll may be long ago.
        tracked.is_polled &= !tracked.watched.is_empty();
        tracked.watched.fresh.push(watch);
        tracked.cached.track(true);
        self.get(call, message, Wanted::All, now + TIME_LIMIT, now);
        Ok(())
    }

    /// The `stop` of a watch. Nothing is told to it any more.
    pub fn handle_unwatch(&mut self, watch: WatchId) {
        let live = self.connection.live();
        for tracked in self.messages.all() {
            if tracked.watched.remove(watch) && tracked.watched.is_empty() {
                tracked.cached.track(false);
                if live == 0 {
                    // Nobody looks at what the next poll would bring.
                    tracked.pull_at = None;
                }
            }
        }
        for output in self.outputs.iter_mut() {
            if let Output::Emit(Event::View(view)) = output {
                take(&mut view.watches, |id| *id == watch);
            }
        }
    }

    /// The session ends: what is shown may be old from here on, and writes that are rejected now are not shown any more.
    pub(super) fn tell_unsynced(&mut self) {
        for tracked in self.messages.all().iter_mut().filter(|t| !t.watched.watches.is_empty()) {
            while let Some(i) = tracked.pending.iter().position(|write| !write.is_queued) {
                let rejected = tracked.pending.remove(i);
                tracked.touch(&rejected);
            }
            let watches = core::mem::take(&mut tracked.watched.watches);
            let touched = tracked.cached.take_touched();
            let view = tracked.view(watches, touched, false);
            self.outputs.push(Output::Emit(Event::View(view)));
        }
    }

    /// Tells what has changed in this turn: one view a message, however many changes.
    pub(super) fn tell_views(&mut self) {
        let live = self.connection.live();
        for tracked in self.messages.all().iter_mut().filter(|t| !t.watched.is_empty()) {
            let synced = tracked.is_synced(live);
            let touched = tracked.cached.take_touched();
            let is_different = !touched.is_empty() || tracked.watched.synced != synced;
            tracked.watched.synced = synced;
            if is_different && !tracked.watched.watches.is_empty() {
                let view = tracked.view(tracked.watched.watches.clone(), touched, synced);
                self.outputs.push(Output::Emit(Event::View(view)));
            }
            if !tracked.watched.fresh.is_empty() {
                let fresh = core::mem::take(&mut tracked.watched.fresh);
                tracked.watched.watches.extend_from_slice(&fresh);
                let view = tracked.view(fresh, tracked.shown_keys(), synced);
                self.outputs.push(Output::Emit(Event::View(view)));
            }
        }
    }
}
