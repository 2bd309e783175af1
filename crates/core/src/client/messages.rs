//! The messages that this client knows of, and which of them it keeps.

use alloc::string::String;
use alloc::vec::Vec;

use super::argument::{Extensible, fallback_id};
use super::cache::Cached;
use super::pages::Pages;
use super::watch::{PendingWrite, Watched};
use super::window::Window;
use super::{CallId, jitter};
use crate::message::MessageRef;
use crate::wire::{MessageState, RESUMED_MESSAGES};

/// Pulls that nobody waits for and that are under way at once.
const PULLS_AT_ONCE: usize = 4;
/// Without a push connection a message that is watched is pulled this long after the connection was lost, and after a pull
/// that brought something; each time nothing has changed it is half as long again, up to the last. Milliseconds.
const FIRST_POLL: u64 = 2_000;
const LAST_POLL: u64 = 30_000;
/// Messages that are remembered, as many as one resume may name; past it those go that were used least recently.
const MOST: usize = RESUMED_MESSAGES;

/// Every message that this client knows of.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Ascending by wire key.
    list: Vec<Tracked>,
    /// Counts uses.
    uses: u64,
    /// When the answer to a resume is given up.
    pub(super) resume_until: Option<u64>,
    /// Messages of which nothing is to be kept any more.
    pub(super) gone: Vec<MessageRef>,
    /// The owner knows that what is kept is not all.
    is_stale_told: bool,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) message: MessageRef,
    /// The caller's ID for it.
    pub(super) id: String,
    pub(super) cached: Cached,
    pub(super) watched: Watched,
    /// Own writes without an answer, in their order.
    pub(super) pending: Vec<PendingWrite>,
    /// Keys that won against an own write, and the Seq that did.
    pub(super) conflicts: Vec<(String, u64)>,
    pub(super) pull: Option<Pages>,
    pub(super) waiters: Vec<Waiter>,
    pub(super) writes: Window,
    /// When to pull though nobody asks.
    pub(super) pull_at: Option<u64>,
    /// How long after this poll the next one comes.
    poll_wait: u64,
    /// Without a push connection: the last poll went well.
    pub(super) is_polled: bool,
    /// When the user named it last; 0: never, only changes were pushed.
    used: u64,
    /// The user has named it in this session.
    is_named: bool,
}

impl Tracked {
    /// Nobody waits for anything of it.
    fn is_idle(&self) -> bool {
        self.watched.is_empty() && self.pending.is_empty() && self.pull.is_none() && self.waiters.is_empty()
    }

    /// Whether somebody watches it or waits for it.
    pub(super) fn is_looked_at(&self) -> bool {
        !self.watched.is_empty() || !self.waiters.is_empty()
    }

    /// Whether it is to be kept up to date.
    pub(super) fn is_wanted(&self) -> bool {
        self.cached.is_loaded() || !self.watched.is_empty()
    }

    /// Whether the server had just what is shown, a moment ago.
    pub(super) const fn is_synced(&self, live: u64) -> bool {
        self.cached.is_current(live) || (live == 0 && self.is_polled)
    }

    /// Without a push connection: when it is asked for changes next. `is_different`: there were some.
    pub(super) fn poll_later(&mut self, is_different: bool, rng: &mut fastrand::Rng, now: u64) {
        self.poll_wait =
            if is_different { FIRST_POLL } else { (self.poll_wait * 3 / 2).clamp(FIRST_POLL, LAST_POLL) };
        if !self.watched.is_empty() {
            self.pull_at = Some(now + self.poll_wait - jitter(rng, self.poll_wait / 4));
        }
    }
}

/// A `getMessageExtensions` that waits for a pull.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) call: CallId,
    pub(super) until: u64,
    pub(super) wanted: Wanted,
}

/// What a reader wants of a message that has been brought up to date.
#[derive(Debug)]
pub(super) enum Wanted {
    All,
    Keys(Vec<String>),
    /// A [`Mutation`](super::mutate::Mutation) reads by itself.
    Mutation,
}

impl Messages {
    fn position(&self, message: &MessageRef) -> Result<usize, usize> {
        self.list.binary_search_by(|t| t.message.cmp(message))
    }

    pub(super) fn find(&mut self, message: &MessageRef) -> Option<&mut Tracked> {
        let i = self.position(message).ok()?;
        self.list.get_mut(i)
    }

    pub(super) fn find_ref(&self, message: &MessageRef) -> Option<&Tracked> {
        self.list.get(self.position(message).ok()?)
    }

    /// A message that the user has named.
    pub(super) fn tracked(&mut self, message: &Extensible) -> &mut Tracked {
        self.uses += 1;
        let uses = self.uses;
        let tracked = self.insert(message);
        tracked.id.clone_from(&message.id);
        tracked.used = uses;
        if !core::mem::replace(&mut tracked.is_named, true) {
            // What is kept says when it was used.
            tracked.cached.make_stale();
        }
        tracked
    }

    pub(super) fn insert(&mut self, message: &Extensible) -> &mut Tracked {
        if self.list.len() >= MOST && self.position(&message.message).is_err() {
            self.make_room();
        }
        let i = self.position(&message.message).unwrap_or_else(|i| {
            self.list.insert(
                i,
                Tracked {
                    message: message.message.clone(),
                    id: message.id.clone(),
                    cached: Cached::default(),
                    watched: Watched::default(),
                    pending: Vec::new(),
                    conflicts: Vec::new(),
                    pull: None,
                    waiters: Vec::new(),
                    writes: Window::default(),
                    pull_at: None,
                    poll_wait: FIRST_POLL,
                    is_polled: false,
                    used: 0,
                    is_named: false,
                },
            );
            i
        });
        #[allow(clippy::indexing_slicing, reason = "found or inserted at i just now")]
        &mut self.list[i]
    }

    /// Drops the message that was used least recently, of those that nobody waits for.
    fn make_room(&mut self) {
        let idle = self.list.iter().enumerate().filter(|(_, t)| t.is_idle());
        if let Some((i, _)) = idle.min_by_key(|(_, t)| t.used) {
            self.list.remove(i);
        }
    }

    /// Whether all of the message has been read once.
    pub(super) fn is_loaded(&self, message: &MessageRef) -> bool {
        self.find_ref(message).is_some_and(|tracked| tracked.cached.is_loaded())
    }

    /// Whether somebody waits for a pull of the message.
    pub(super) fn is_waited_for(&self, message: &MessageRef) -> bool {
        self.find_ref(message).is_some_and(|tracked| !tracked.waiters.is_empty())
    }

    /// Nothing of a message stays; those who waited for it.
    pub(super) fn forget(&mut self, message: &MessageRef) -> Vec<Waiter> {
        let Some(tracked) = self.find(message) else { return Vec::new() };
        tracked.cached.forget();
        tracked.pull = None;
        tracked.pull_at = None;
        tracked.is_polled = false;
        let waiters = core::mem::take(&mut tracked.waiters);
        self.gone.push(message.clone());
        waiters
    }

    /// What was kept of each message, most recently used last.
    pub(super) fn restore(&mut self, states: Vec<MessageState>) {
        for state in &states {
            let Some(message) = state.address().message() else { continue };
            if state.latest_seq.is_none() || state.extension_list.is_none() {
                continue;
            }
            let id = state.message_id.clone().unwrap_or_else(|| fallback_id(&message));
            self.uses += 1;
            let uses = self.uses;
            let tracked = self.insert(&Extensible { id, message });
            tracked.used = uses;
            tracked.cached.restore(state);
        }
        // What has just been read is kept already.
        self.take_stale();
    }

    /// What is to be kept of each message that has changed since this was called last, in this order.
    pub(super) fn take_stale(&mut self) -> Vec<MessageState> {
        self.is_stale_told = false;
        let mut states = Vec::new();
        for message in core::mem::take(&mut self.gone) {
            states.push(MessageState::default().addressed_to(message));
        }
        for tracked in &mut self.list {
            if let Some(state) = tracked.cached.take_stale() {
                let state = MessageState { message_id: Some(tracked.id.clone()), ..state };
                states.push(state.addressed_to(tracked.message.clone()));
            }
        }
        states
    }

    /// Nothing is kept of anything.
    pub(super) fn forget_gone(&mut self) {
        self.gone.clear();
    }

    /// Whether the owner is to be told that what is kept is not all; once.
    pub(super) fn became_stale(&mut self) -> bool {
        let is_stale = !self.gone.is_empty() || self.list.iter().any(|tracked| tracked.cached.is_stale());
        is_stale && !core::mem::replace(&mut self.is_stale_told, true)
    }

    pub(super) fn all(&mut self) -> &mut [Tracked] {
        &mut self.list
    }

    pub(super) fn at(&mut self, message: &Extensible) -> &Cached {
        &self.tracked(message).cached
    }

    pub(super) fn window(&mut self, message: &Extensible) -> &mut Window {
        &mut self.tracked(message).writes
    }

    pub(super) fn known_window(&mut self, message: &MessageRef) -> Option<&mut Window> {
        self.find(message).map(|tracked| &mut tracked.writes)
    }

    /// The soonest of all, or `soonest`.
    pub(super) fn deadline(&self, mut soonest: u64) -> u64 {
        // A pull that is due has no deadline of its own while it must wait for another to finish.
        let is_free = self.pulls_free() > 0;
        for tracked in &self.list {
            for waiter in &tracked.waiters {
                soonest = soonest.min(waiter.until);
            }
            if let Some(at) = tracked.pull_at.filter(|_| is_free && tracked.pull.is_none()) {
                soonest = soonest.min(at);
            }
            soonest = tracked.writes.deadline(soonest);
        }
        self.resume_until.map_or(soonest, |until| soonest.min(until))
    }

    /// How many pulls that nobody waits for may start.
    pub(super) fn pulls_free(&self) -> usize {
        let is_pulled = |t: &&Tracked| t.pull.as_ref().is_some_and(|pages| !pages.is_resumed);
        PULLS_AT_ONCE.saturating_sub(self.list.iter().filter(is_pulled).count())
    }

    /// Forgets everything, and adds the calls that waited.
    pub(super) fn drop_all(&mut self, calls: &mut Vec<CallId>) {
        for tracked in &core::mem::take(self).list {
            for waiter in &tracked.waiters {
                calls.push(waiter.call);
            }
            tracked.writes.add_calls(calls);
        }
    }
}
