//! When a message is pulled, how what comes merges, and who hears of what changed.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::argument::{Extensible, fallback_id};
use super::cache::Notice;
use super::calls::{Purpose, unusable};
use super::messages::{Waiter, Wanted};
use super::pages::{Page, Pages};
use super::retry::may_succeed;
use super::{Answer, Body, CallId, Client, Event, OpenRequest, Output, timeout};
use crate::change::Change;
use crate::code::{Error, NO_SUCH_MESSAGE, UNUSABLE_REPLY};
use crate::list::{gather, take};
use crate::message::MessageRef;
use crate::wire::{self, EXTENSION_SERVICE, Extension, PullRequest, command};

/// A change that is known to exist and has not been pushed by then is pulled.
const PUSH_GRACE: u64 = 2_000;
/// Before a pull that failed with nobody waiting is tried again.
const PULL_AGAIN: u64 = 3_000;

impl Client {
    /// Answers from the cache when that is certain to be what the server has, else joins or starts a pull.
    pub(super) fn get(&mut self, call: CallId, message: Extensible, wanted: Wanted, until: u64, now: u64) {
        let live = self.connection.live();
        if self.messages.tracked(&message).cached.is_current(live) {
            return self.read(call, &message.message, &wanted);
        }
        self.get_from_server(call, message, wanted, until, now);
    }

    /// Joins or starts a pull.
    pub(super) fn get_from_server(
        &mut self,
        call: CallId,
        message: Extensible,
        wanted: Wanted,
        until: u64,
        now: u64,
    ) {
        let tracked = self.messages.tracked(&message);
        tracked.waiters.push(Waiter { call, until, wanted });
        self.pull(&message.message, now);
    }

    /// Answers from the cache.
    pub(super) fn read(&mut self, call: CallId, message: &MessageRef, wanted: &Wanted) {
        let Some(tracked) = self.messages.find(message) else { return };
        let listing = match wanted {
            Wanted::All => tracked.cached.listing(None),
            Wanted::Keys(keys) => tracked.cached.listing(Some(keys)),
            Wanted::Mutation => return self.mutation_read(call),
        };
        self.settle(call, Ok(Answer::Extensions(listing)));
    }

    /// Starts a pull of a message that is known, unless one is under way.
    pub(super) fn pull(&mut self, message: &MessageRef, now: u64) {
        let live = self.connection.live();
        let is_ready = self.admit().is_ok();
        let Some(tracked) = self.messages.find(message) else { return };
        // Before, it waits for the login.
        if is_ready && tracked.pull.is_none() {
            tracked.pull_at = None;
            tracked.pull = Some(tracked.cached.begin_pull(live));
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
    pub(super) fn pulled(&mut self, message: &MessageRef, page: &Page<'_>, now: u64) {
        let live = self.connection.live();
        let Some(tracked) = self.messages.find(message) else { return };
        let Some(pages) = &mut tracked.pull else { return };
        match pages.add(page) {
            None => self.pull_failed(message, &unusable(), now),
            // The server goes on by itself.
            Some(false) if pages.is_resumed => {}
            Some(false) => self.pull_page(message, now),
            Some(true) => {
                let Some(pages) = tracked.pull.take() else { return };
                let mut notices = Vec::new();
                let is_different = pages.is_different();
                let id = tracked.id.clone();
                if !tracked.cached.pulled(&pages, live, &mut notices) {
                    // Those who wait are answered when it is there.
                    tracked.is_polled = false;
                    self.messages.gone.push(message.clone());
                    self.notify(&id, notices);
                    return self.pull(message, now);
                }
                if live == 0 {
                    tracked.is_polled = true;
                    tracked.poll_later(is_different, &mut self.rng, now);
                } else if tracked.cached.is_behind() {
                    tracked.pull_at = Some(now + PUSH_GRACE);
                } else if !tracked.cached.is_current(live) {
                    // It was sent before the connection went live, and may have missed what came between.
                    tracked.pull_at = Some(now);
                }
                let waiters = core::mem::take(&mut tracked.waiters);
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
        tracked.is_polled = false;
        let may_succeed = error.code == UNUSABLE_REPLY || may_succeed(error.code);
        if may_succeed && live == 0 {
            tracked.poll_later(false, &mut self.rng, now);
        } else if may_succeed && tracked.is_wanted() {
            tracked.pull_at = Some(now + PULL_AGAIN);
        }
        for waiter in core::mem::take(&mut tracked.waiters) {
            self.settle(waiter.call, Err(error.clone()));
        }
        self.forget_refused(message, error);
        self.sync_more(now);
    }

    /// The server has refused something about a message: perhaps because the user may not see it any more.
    pub(super) fn forget_refused(&mut self, message: &MessageRef, error: &Error) {
        if error.code == NO_SUCH_MESSAGE {
            self.forget(error, vec![message.clone()]);
        }
    }

    /// The user may not see these messages any more: nothing of them stays.
    fn forget(&mut self, error: &Error, gone: Vec<MessageRef>) {
        let mut is_missed = false;
        for message in gone {
            let Some(tracked) = self.messages.find(&message) else { continue };
            // The watch that begins with this is told by its own call.
            is_missed |= tracked.cached.is_loaded() && !tracked.watched.is_empty();
            // What is under way tells of what was before.
            let is_pull = |r: &OpenRequest| matches!(&r.purpose, Purpose::Pull(m) if *m == message);
            while let Some(pull) = take(&mut self.requests, is_pull) {
                self.outputs.push(Output::Abort(pull.request.id));
            }
            for waiter in self.messages.forget(&message) {
                self.settle(waiter.call, Err(error.clone()));
            }
        }
        if is_missed {
            self.emit(Event::Error(error.clone()));
        }
    }

    /// An own operation was answered: `change` is what was accepted of it, `corrections` what refused keys hold,
    /// `latest` the message's counter if the server names it.
    pub(super) fn wrote(
        &mut self,
        message: &Extensible,
        change: Option<Change>,
        corrections: &[&Extension],
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
        if tracked.cached.is_behind() && (tracked.pull_at.is_none() || live == 0) {
            tracked.pull_at = Some(if live == 0 { now } else { now + PUSH_GRACE });
        }
        self.notify(&message.id, notices);
    }

    /// Events were pushed.
    pub(super) fn pushed(&mut self, events: &[wire::Event], now: u64) {
        for event in events {
            match event.callback_command.as_str() {
                command::C2C_CHANGE | command::GROUP_CHANGE => {
                    let message = event.address().message();
                    if let (Some(message), Some(change)) = (message, Change::from_event(event)) {
                        self.changed(message, event.message_id.as_ref(), change, now);
                    }
                }
                command::GROUP_LEFT | command::GROUP_DESTROYED => self.group_left(event.group_id.as_deref()),
                command::C2C_MESSAGE | command::GROUP_MESSAGE => self.received(event),
                _ => {}
            }
        }
    }

    fn changed(&mut self, message: MessageRef, id: Option<&String>, change: Change, now: u64) {
        let mut notices = Vec::new();
        if self.messages.find(&message).is_none() {
            // It is told all the same, and remembered, so that a clear can tell which keys are gone.
            let id = id.map_or_else(|| fallback_id(&message), String::clone);
            self.messages.insert(&Extensible { id, message: message.clone() });
        }
        let Some(tracked) = self.messages.find(&message) else { return };
        tracked.cached.push(change, &mut notices);
        // Or it was forgotten, and its user may see it again.
        let is_missing =
            tracked.cached.is_behind() || (!tracked.watched.is_empty() && !tracked.cached.is_loaded());
        let id = tracked.id.clone();
        self.notify(&id, notices);
        if is_missing {
            self.pull(&message, now);
        }
    }

    /// Tells the owner that something is to be kept.
    pub(super) fn tell_stale(&mut self) {
        if !self.config.persists {
            self.messages.forget_gone();
        } else if self.messages.became_stale() {
            self.emit(Event::Stale);
        }
    }

    pub(super) fn notify(&mut self, id: &str, notices: Vec<Notice>) {
        for notice in notices {
            self.emit(Event::Extensions(id.into(), notice));
        }
    }

    fn group_left(&mut self, group: Option<&str>) {
        let error = Error::new(NO_SUCH_MESSAGE, "the user is no member of the group any more");
        let is_in = |message: &&MessageRef| match message {
            MessageRef::Group { group_id, .. } => Some(group_id.as_str()) == group,
            MessageRef::C2c { .. } => false,
        };
        let gone = gather(self.messages.all().iter().map(|t| &t.message).filter(is_in).cloned());
        self.forget(&error, gone);
    }

    /// Starts pulls that are due, a few at once.
    pub(super) fn sync_more(&mut self, now: u64) {
        while self.admit().is_ok() && self.messages.pulls_free() > 0 {
            let due = self
                .messages
                .all()
                .iter()
                .find(|t| t.pull_at.is_some_and(|at| at <= now) && t.pull.is_none());
            let Some(message) = due.map(|t| t.message.clone()) else { return };
            self.pull(&message, now);
        }
    }

    pub(super) fn sync_timeout(&mut self, now: u64) {
        let live = self.connection.live();
        self.resume_timeout(now);
        let (mut readers, mut late) = (Vec::new(), Vec::new());
        for tracked in self.messages.all() {
            while let Some(i) = tracked.waiters.iter().position(|waiter| waiter.until <= now) {
                readers.push(tracked.waiters.remove(i).call);
            }
            while let Some(write) = tracked.writes.late(now) {
                late.push(write);
            }
        }
        for call in readers {
            self.settle(call, Err(timeout()));
        }
        for write in late {
            self.write_failed(write, None, timeout(), now);
        }
        for tracked in self.messages.all() {
            // The gap has closed by itself.
            if tracked.pull_at.is_some() && tracked.cached.is_current(live) {
                tracked.pull_at = None;
            }
        }
        self.sync_more(now);
    }
}
