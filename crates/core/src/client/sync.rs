//! When a message is pulled, and who hears of what changed.

use alloc::string::String;
use alloc::vec::Vec;

use super::argument::{Extensible, fallback_id};
use super::cache::{Cached, Notice};
use super::calls::{Purpose, unusable};
use super::pages::Pages;
use super::retry::may_succeed;
use super::watch::{PendingWrite, Watched};
use super::window::Window;
use super::{Answer, Body, CallId, Client, Event, timeout};
use crate::change::Change;
use crate::code::{Error, UNUSABLE_REPLY};
use crate::message::MessageRef;
use crate::wire::{self, EXTENSION_SERVICE, Extension, PullReply, PullRequest, command};

/// Pulls after a reconnect that are under way at once.
const PULLS_AT_ONCE: usize = 4;
/// A change that is known to exist and has not been pushed by then is pulled.
const PUSH_GRACE: u64 = 2_000;
/// Before a pull that failed with nobody waiting is tried again.
const PULL_AGAIN: u64 = 3_000;

/// Messages that are remembered though the user has never named them, only changes were pushed.
const MOST_OVERHEARD: usize = 500;

/// Every message that this client knows of.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Ascending by wire key.
    list: Vec<Tracked>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Tracked {
    message: MessageRef,
    /// The caller's ID for it.
    id: String,
    pub(super) cached: Cached,
    pub(super) watched: Watched,
    /// Own writes without an answer, in their order.
    pub(super) pending: Vec<PendingWrite>,
    /// Keys that won against an own write, and the Seq that did.
    pub(super) conflicts: Vec<(String, u64)>,
    pull: Option<Pages>,
    waiters: Vec<Waiter>,
    writes: Window,
    /// When to pull though nobody asks.
    pull_at: Option<u64>,
    /// The user has never named it.
    is_overheard: bool,
}

/// A `getMessageExtensions` that waits for a pull.
#[derive(Debug)]
struct Waiter {
    call: CallId,
    until: u64,
    wanted: Wanted,
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

    pub(super) fn tracked(&mut self, message: &Extensible) -> &mut Tracked {
        let i = self.position(&message.message).unwrap_or_else(|i| {
            self.list.insert(
                i,
                Tracked {
                    message: message.message.clone(),
                    id: String::new(),
                    cached: Cached::default(),
                    watched: Watched::default(),
                    pending: Vec::new(),
                    conflicts: Vec::new(),
                    pull: None,
                    waiters: Vec::new(),
                    writes: Window::default(),
                    pull_at: None,
                    is_overheard: false,
                },
            );
            i
        });
        #[allow(clippy::indexing_slicing, reason = "found or inserted at i just now")]
        let tracked = &mut self.list[i];
        tracked.id.clone_from(&message.id);
        tracked.is_overheard = false;
        tracked
    }

    /// A message that the user has never named has changed.
    fn overhear(&mut self, message: &Extensible) {
        if self.list.iter().filter(|t| t.is_overheard).count() >= MOST_OVERHEARD {
            self.list.retain(|t| !t.is_overheard);
        }
        self.tracked(message).is_overheard = true;
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Tracked> {
        self.list.iter_mut()
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

    pub(super) fn deadline(&self) -> Option<u64> {
        let waiters = self.list.iter().flat_map(|t| t.waiters.iter().map(|w| w.until));
        // A pull that is due has no deadline of its own while it must wait for another to finish.
        let pulls =
            self.list.iter().filter(|t| t.pull.is_none() && self.pulls_free() > 0).filter_map(|t| t.pull_at);
        let writes = self.list.iter().filter_map(|t| t.writes.deadline());
        waiters.chain(pulls).chain(writes).min()
    }

    /// How many pulls that nobody waits for may start.
    fn pulls_free(&self) -> usize {
        PULLS_AT_ONCE.saturating_sub(self.list.iter().filter(|t| t.pull.is_some()).count())
    }

    /// Forgets everything; the calls that waited.
    pub(super) fn drop_all(&mut self) -> Vec<CallId> {
        let calls = |t: Tracked| t.waiters.into_iter().map(|w| w.call).chain(t.writes.drop_all());
        core::mem::take(&mut self.list).into_iter().flat_map(calls).collect()
    }
}

impl Client {
    /// Answers from the cache when that is certain to be what the server has, else joins or starts a pull.
    pub(super) fn get(&mut self, call: CallId, message: Extensible, wanted: Wanted, until: u64, now: u64) {
        let live = self.connection.live();
        let tracked = self.messages.tracked(&message);
        if tracked.cached.is_current(live) {
            return self.read(call, &message.message, &wanted);
        }
        tracked.waiters.push(Waiter { call, until, wanted });
        self.pull(&message.message, now);
    }

    /// Answers from the cache.
    fn read(&mut self, call: CallId, message: &MessageRef, wanted: &Wanted) {
        let Some(tracked) = self.messages.find(message) else { return };
        let is_wanted = |key: &str| match wanted {
            Wanted::All => true,
            Wanted::Keys(keys) => keys.iter().any(|k| k == key),
            Wanted::Mutation => false,
        };
        if let Wanted::Mutation = wanted {
            return self.mutation_read(call);
        }
        let live = tracked.cached.live().filter(|(k, _)| is_wanted(k)).map(|(k, v)| (k.into(), v.into()));
        let answer = Answer::Extensions(live.collect());
        self.settle(call, Ok(answer));
    }

    /// Starts a pull of a message that is known, unless one is under way.
    fn pull(&mut self, message: &MessageRef, now: u64) {
        let live = self.connection.live();
        let Some(tracked) = self.messages.find(message) else { return };
        if tracked.pull.is_none() {
            tracked.pull_at = None;
            tracked.pull = Some(Pages::new(tracked.cached.start_seq(), live));
            self.pull_page(message, now);
        }
    }

    fn pull_page(&mut self, message: &MessageRef, now: u64) {
        let Some(start) = self.messages.find(message).and_then(|t| t.pull.as_ref()).map(Pages::next) else {
            return;
        };
        let start_seq = (start > 0).then_some(start);
        let request = PullRequest { start_seq, with_author: Some(1), ..PullRequest::default() };
        let command = if message.is_group() { "group_get_key_values" } else { "get_key_values" };
        let body = Body::Pull(request.addressed_to(message.clone()));
        self.request((EXTENSION_SERVICE, command), body, Purpose::Pull(message.clone()), now);
    }

    /// A page of a pull has come.
    pub(super) fn pulled(&mut self, message: &MessageRef, page: PullReply, now: u64) {
        let live = self.connection.live();
        let Some(tracked) = self.messages.find(message) else { return };
        match tracked.pull.as_mut().and_then(|pages| pages.add(page)) {
            None => self.pull_failed(message, &unusable(), now),
            Some(false) => self.pull_page(message, now),
            Some(true) => {
                let Some(pages) = tracked.pull.take() else { return };
                let mut notices = Vec::new();
                tracked.cached.pulled(pages, live, &mut notices);
                if tracked.cached.is_behind() {
                    tracked.pull_at = Some(now + PUSH_GRACE);
                } else if live != 0 && !tracked.cached.is_current(live) {
                    // It was sent before the connection went live, and may have missed what came between.
                    tracked.pull_at = Some(now);
                }
                let waiters = core::mem::take(&mut tracked.waiters);
                let id = tracked.id.clone();
                self.notify(&id, notices);
                for waiter in waiters {
                    self.read(waiter.call, message, &waiter.wanted);
                }
                self.sync_more(now);
            }
        }
    }

    /// A pull cannot be finished.
    pub(super) fn pull_failed(&mut self, message: &MessageRef, error: &Error, now: u64) {
        let live = self.connection.live();
        let Some(tracked) = self.messages.find(message) else { return };
        tracked.pull = None;
        let is_wanted = tracked.cached.is_loaded() || !tracked.watched.is_empty();
        if live != 0 && is_wanted && (error.code == UNUSABLE_REPLY || may_succeed(error.code)) {
            tracked.pull_at = Some(now + PULL_AGAIN);
        }
        let waiting: Vec<_> = tracked.waiters.drain(..).map(|w| w.call).collect();
        for call in waiting {
            self.settle(call, Err(error.clone()));
        }
        self.sync_more(now);
    }

    /// An own operation was answered: `change` is what was accepted of it, `corrections` what refused keys hold,
    /// `latest` the message's counter if the server names it.
    pub(super) fn wrote(
        &mut self,
        message: &Extensible,
        change: Option<Change>,
        corrections: Vec<Extension>,
        latest: Option<u64>,
        now: u64,
    ) {
        let live = self.connection.live();
        let tracked = self.messages.tracked(message);
        let mut notices = Vec::new();
        if let Some(change) = change {
            tracked.cached.own(change, live != 0, &mut notices);
        }
        for item in corrections {
            tracked.cached.correct(item, latest.unwrap_or(0));
        }
        tracked.cached.heard_of(latest.unwrap_or(0));
        if tracked.cached.is_behind() && tracked.pull_at.is_none() {
            tracked.pull_at = Some(if live == 0 { now } else { now + PUSH_GRACE });
        }
        self.notify(&message.id, notices);
    }

    /// Events were pushed.
    pub(super) fn pushed(&mut self, events: Vec<wire::Event>, now: u64) {
        for mut event in events {
            let is_group = match event.callback_command.as_str() {
                command::C2C_CHANGE => false,
                command::GROUP_CHANGE => true,
                command::C2C_MESSAGE | command::GROUP_MESSAGE => {
                    self.received(event);
                    continue;
                }
                _ => continue,
            };
            let address = event.take_address();
            let message = if is_group { address.group() } else { address.c2c() };
            if let (Ok(message), Some(change)) = (message, Change::from_event(&mut event)) {
                self.changed(message, event.message_id, change, now);
            }
        }
    }

    fn changed(&mut self, message: MessageRef, id: Option<String>, change: Change, now: u64) {
        let mut notices = Vec::new();
        if self.messages.find(&message).is_none() {
            // It is told all the same, and remembered, so that a clear can tell which keys are gone.
            let id = id.unwrap_or_else(|| fallback_id(&message));
            self.messages.overhear(&Extensible { id, message: message.clone() });
        }
        let Some(tracked) = self.messages.find(&message) else { return };
        tracked.cached.push(change, &mut notices);
        let (id, is_behind) = (tracked.id.clone(), tracked.cached.is_behind());
        self.notify(&id, notices);
        if is_behind {
            self.pull(&message, now);
        }
    }

    fn notify(&mut self, id: &str, notices: Vec<Notice>) {
        for notice in notices {
            self.emit(Event::Extensions(id.into(), notice));
        }
    }

    /// The push connection is lost: what waited for its push is told now.
    pub(super) fn connection_lost(&mut self) {
        let mut told = Vec::new();
        for tracked in &mut self.messages.list {
            let mut notices = Vec::new();
            tracked.cached.connection_lost(&mut notices);
            told.push((tracked.id.clone(), notices));
        }
        for (id, notices) in told {
            self.notify(&id, notices);
        }
    }

    /// The push connection is live: every cached message may have missed something.
    pub(super) fn sync_again(&mut self, now: u64) {
        let live = self.connection.live();
        for tracked in &mut self.messages.list {
            let is_wanted = tracked.cached.is_loaded() || !tracked.watched.is_empty();
            if is_wanted && !tracked.cached.is_current(live) {
                tracked.pull_at = Some(now);
            }
        }
        self.sync_more(now);
    }

    /// Starts pulls that are due, a few at once.
    fn sync_more(&mut self, now: u64) {
        while self.messages.pulls_free() > 0 {
            let due =
                self.messages.list.iter().find(|t| t.pull_at.is_some_and(|at| at <= now) && t.pull.is_none());
            let Some(message) = due.map(|t| t.message.clone()) else { return };
            self.pull(&message, now);
        }
    }

    pub(super) fn sync_timeout(&mut self, now: u64) {
        let late: Vec<_> = self
            .messages
            .list
            .iter_mut()
            .flat_map(|t| t.waiters.extract_if(.., |w| w.until <= now))
            .collect();
        let mut late: Vec<_> = late.into_iter().map(|waiter| waiter.call).collect();
        for tracked in &mut self.messages.list {
            while let Some(call) = tracked.writes.late(now) {
                tracked.finish(call, &Err(timeout()));
                late.push(call);
            }
        }
        for call in late {
            self.settle(call, Err(timeout()));
        }
        for tracked in &mut self.messages.list {
            // The gap has closed by itself.
            if tracked.pull_at.is_some() && tracked.cached.is_current(self.connection.live()) {
                tracked.pull_at = None;
            }
        }
        self.sync_more(now);
    }
}
