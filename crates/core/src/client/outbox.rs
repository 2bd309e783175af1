//! Writes made offline (`create({offline: true})`): kept until the server answers, sent one after the other, each with the
//! request id and the Seq that it was born with, so that none is done twice and none overwrites what its user did not see.
//!
//! ```text
//!   Resting ──a write waits, its time has come──▶ Asked ──the records──▶ Draining ──all sent, or no network──▶ Resting
//! ```
//! The owner keeps the records ([`Event::Queue`], [`Event::Unqueue`]) where all tabs of a user see them, and lets one tab at a
//! time drain them ([`Event::Drain`]). A later write of a key builds on the one before: it names the value that its user
//! saw, and takes that value's Seq once the server has it.

use alloc::string::String;
use alloc::vec::Vec;

use super::argument::{Extensible, fallback_id};
use super::calls::Purpose;
use super::retry::may_succeed;
use super::write::Write;
use super::{Answer, CallId, Client, Event, Output, TIME_LIMIT};
use crate::code::{Error, SEQ_CONFLICT, UNUSABLE_REPLY};
use crate::list::gather;
use crate::message::MessageRef;
use crate::text::join;
use crate::wire::{QueuedItem, QueuedWrite, SetReply, operate_type};

/// The first wait before the outbox is tried again, which doubles up to the last, milliseconds.
const FIRST_WAIT: u64 = 1_000;
const LAST_WAIT: u64 = 30_000;

/// Digits of a request id, and where its counter begins.
const REQUEST_ID: usize = 32;
const AGAIN: usize = 24;

/// What was made offline and has no answer.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// In their order.
    writes: Vec<Queued>,
    stage: Stage,
    /// One is on its way.
    is_sending: bool,
    drain_at: Option<u64>,
    wait: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Resting,
    Asked,
    Draining(CallId),
}

#[derive(Debug)]
struct Queued {
    write: Write,
    /// Its place in the owner's records; `None` while they are being written.
    order: Option<u64>,
    /// It was sent once more, with a new Seq and another request id.
    is_again: bool,
}

/// What became of a key that a queued write could not write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// 23001: somebody else wrote it first; or why the server refused.
    pub code: u32,
    /// The key.
    pub key: String,
    /// What the write wanted; `""` to delete the key.
    pub value: String,
    /// What the server has, if it said so; `""` for nothing.
    pub current: String,
}

impl Outbox {
    pub(super) const fn deadline(&self) -> Option<u64> {
        self.drain_at
    }

    /// No time to wait.
    pub(super) const fn wake(&mut self, now: u64) {
        if self.drain_at.is_some() {
            self.drain_at = Some(now);
        }
    }

    pub(super) fn holds(&self, message: &MessageRef) -> bool {
        self.writes.iter().any(|queued| queued.write.message.message == *message)
    }

    /// Forgets everything, the records aside.
    pub(super) fn drop_all(&mut self, calls: &mut Vec<CallId>) {
        if let Stage::Draining(call) = core::mem::take(self).stage {
            calls.push(call);
        }
    }
}

impl Client {
    /// Whether a write may wait for the network instead of being refused.
    pub(super) fn may_queue(&self, write: &Write) -> bool {
        self.config.offline
            && write.operation != operate_type::CLEAR
            && self.mutations.iter().all(|mutation| mutation.call != write.call)
    }

    /// Whether it must: there is no network, or others of its message wait already.
    pub(super) fn must_queue(&self, write: &Write) -> bool {
        self.may_queue(write) && (!self.is_online() || self.outbox.holds(&write.message.message))
    }

    /// A write waits from here on, behind those that were made before and are still on their way. Its call is settled when
    /// the owner has recorded it.
    pub(super) fn enqueue(&mut self, write: Write, now: u64) {
        while let Some(earlier) = self.take_earlier(&write) {
            self.enqueue_next(earlier, now);
        }
        self.enqueue_next(write, now);
        // They may have been what the next one waited for.
        self.drain_on(now);
    }

    /// The first of the direct writes of the same message that were made before, and may be queued.
    fn take_earlier(&mut self, write: &Write) -> Option<Write> {
        let message = &write.message.message;
        // The ids of one client ascend.
        let is_earlier =
            |other: &Write| other.message.message == *message && other.id < write.id && self.may_queue(other);
        let open = self.requests.iter().enumerate().filter_map(|(i, open)| match &open.purpose {
            Purpose::Set(other, _) if is_earlier(other) => Some((&other.id, i)),
            _ => None,
        });
        let Some((_, i)) = open.min() else {
            let waiting = self.messages.find_ref(message)?.writes.position(is_earlier)?;
            return self.messages.known_window(message)?.take(waiting);
        };
        let open = self.requests.swap_remove(i);
        self.outputs.push(Output::Abort(open.request.id));
        let Purpose::Set(earlier, number) = open.purpose else { return None };
        if let Some(window) = self.messages.known_window(message) {
            window.close(number);
        }
        Some(earlier)
    }

    fn enqueue_next(&mut self, write: Write, now: u64) {
        self.messages.tracked(&write.message).begin(&write, true);
        let record = QueuedWrite {
            message_id: Some(write.message.id.clone()),
            request_id: write.id.clone(),
            operate_type: write.operation,
            extension_list: write.items.clone(),
            ..QueuedWrite::default()
        };
        self.emit(Event::Queue(write.call, record.addressed_to(write.message.message.clone())));
        self.outbox.writes.push(Queued { write, order: None, is_again: false });
        self.drain_later(now);
    }

    /// The owner has recorded the write of this call.
    pub fn handle_queued(&mut self, call: CallId) {
        let queued = self.outbox.writes.iter_mut().find(|queued| queued.write.call == call);
        let Some(queued) = queued.filter(|_| call != 0) else { return };
        queued.write.call = 0;
        let items = gather(queued.write.items.iter().map(|item| (item.key.clone(), item.value.clone())));
        self.settle(call, Ok(Answer::Queued(items)));
    }

    /// The session ends. What the owner is recording is kept for the next one.
    pub(super) fn settle_queued(&mut self) {
        while let Some(queued) = self.outbox.writes.iter().find(|queued| queued.write.call != 0) {
            self.handle_queued(queued.write.call);
        }
    }

    /// The records of earlier sessions, at the beginning of one.
    pub(super) fn restore_outbox(&mut self, records: Vec<QueuedWrite>, now: u64) {
        self.adopt(records, now);
        self.drain_soon(now);
    }

    /// This tab may drain the outbox, and these are all its records; the call is settled when it is done.
    pub fn handle_drain(&mut self, call: CallId, records: Vec<QueuedWrite>, now: u64) {
        if let Err(error) = self.admit() {
            return self.settle(call, Err(error));
        }
        if let Stage::Draining(_) = self.outbox.stage {
            return self.settle(call, Ok(Answer::Done));
        }
        self.adopt(records, now);
        self.outbox.stage = Stage::Draining(call);
        self.drain_next(now);
    }

    /// The network is back. There may be records of a tab that is gone.
    pub(super) fn drain_soon(&mut self, now: u64) {
        self.outbox.wait = FIRST_WAIT;
        let may_be_any = self.config.offline || !self.outbox.writes.is_empty();
        self.outbox.drain_at = may_be_any.then_some(now);
    }

    fn drain_later(&mut self, now: u64) {
        let wait = if self.is_online() { 0 } else { self.outbox.wait.clamp(FIRST_WAIT, LAST_WAIT) };
        let at = now + wait;
        self.outbox.drain_at = Some(self.outbox.drain_at.map_or(at, |before| before.min(at)));
    }

    pub(super) fn outbox_timeout(&mut self, now: u64) {
        let is_due = self.outbox.drain_at.is_some_and(|at| at <= now);
        if is_due {
            self.outbox.drain_at = None;
            if self.outbox.stage == Stage::Resting && self.admit().is_ok() {
                self.outbox.stage = Stage::Asked;
                self.emit(Event::Drain);
            }
        }
    }

    /// Takes the records for what waits, except writes that are being recorded just now.
    fn adopt(&mut self, records: Vec<QueuedWrite>, now: u64) {
        let mut before = core::mem::take(&mut self.outbox.writes);
        for record in &records {
            let known = before.iter().position(|queued| queued.write.id == record.request_id);
            let mut queued = match known {
                Some(i) => before.remove(i),
                // Not one of ours: nothing could be sent.
                None if record.request_id.len() != REQUEST_ID || !record.request_id.is_ascii() => continue,
                None => {
                    let Some(message) = record.address().message() else { continue };
                    let id = record.message_id.clone().unwrap_or_else(|| fallback_id(&message));
                    let write = Write {
                        id: record.request_id.clone(),
                        call: 0,
                        message: Extensible { id, message },
                        operation: record.operate_type,
                        items: record.extension_list.clone(),
                    };
                    let tracked = self.messages.insert(&write.message);
                    tracked.begin(&write, true);
                    Queued { write, order: None, is_again: false }
                }
            };
            queued.order = record.order;
            let call = queued.write.call;
            self.outbox.writes.push(queued);
            // If it is among the records, it is recorded.
            self.handle_queued(call);
        }
        for queued in before {
            if queued.write.call != 0 {
                self.outbox.writes.push(queued);
            } else {
                // Another tab has sent it; what became of it comes as a push.
                self.finish_write(&queued.write, &Ok(Answer::Done));
                self.write_more(&queued.write.message.message, now);
            }
        }
    }

    /// A message has no other write on its way any more, which may be what the next one waits for.
    pub(super) fn drain_on(&mut self, now: u64) {
        if matches!(self.outbox.stage, Stage::Draining(_)) && !self.outbox.is_sending {
            self.drain_next(now);
        }
    }

    fn drain_next(&mut self, now: u64) {
        self.outbox.is_sending = false;
        let next = self.outbox.writes.iter().enumerate().find(|(_, queued)| queued.order.is_some());
        let Some((i, queued)) = next else { return self.drained(false, now) };
        if self.messages.known_window(&queued.write.message.message).is_none_or(|window| window.is_quiet()) {
            self.send_queued(i, now);
        }
    }

    fn send_queued(&mut self, i: usize, now: u64) {
        self.outbox.is_sending = true;
        // Taken out, so that the request can be made of it.
        let queued = self.outbox.writes.remove(i);
        let request = self.write_request(&queued.write);
        let purpose = Purpose::Queued(queued.write.id.clone());
        self.outbox.writes.insert(i, queued);
        self.attempt(request, purpose, 0, now + TIME_LIMIT, now);
    }

    /// Nothing is left to send, or, if it `failed`, nothing can be sent now.
    fn drained(&mut self, failed: bool, now: u64) {
        self.outbox.is_sending = false;
        if let Stage::Draining(call) = core::mem::take(&mut self.outbox.stage) {
            self.settle(call, Ok(Answer::Done));
        }
        let wait = if failed { self.outbox.wait.clamp(FIRST_WAIT, LAST_WAIT) } else { FIRST_WAIT };
        self.outbox.wait = if failed { wait * 2 } else { wait };
        // What has been recorded meanwhile goes at once; what is being recorded still is not asked for all the time.
        let is_recorded = self.outbox.writes.iter().any(|queued| queued.write.call == 0);
        let wait = if failed || !is_recorded { wait } else { 0 };
        self.outbox.drain_at = (!self.outbox.writes.is_empty()).then_some(now + wait);
    }

    fn take_queued(&mut self, id: &str) -> Option<(usize, Queued)> {
        let i = self.outbox.writes.iter().position(|queued| queued.write.id == id)?;
        Some((i, self.outbox.writes.remove(i)))
    }

    /// A queued write was answered.
    pub(super) fn queued_replied(&mut self, id: &str, reply: &SetReply, now: u64) {
        let Some((i, mut queued)) = self.take_queued(id) else { return };
        let answer = self.written(&queued.write, reply, now);
        if answer.is_err() {
            self.outbox.writes.insert(i, queued);
            return self.drained(true, now);
        }
        let mut again = Vec::new();
        let mut conflicts = Vec::new();
        for item in &queued.write.items {
            // Of the reply, not of the cache: what it was refused for is what its user saw.
            let outcome = reply.extension_list.iter().find_map(|outcome| {
                let current = outcome.extension.as_ref().filter(|current| current.key == item.key)?;
                Some((outcome.error_code, current))
            });
            let Some((code, current)) = outcome.filter(|(code, e)| *code != 0 && e.value != item.value)
            else {
                continue;
            };
            if code == SEQ_CONFLICT && item.seen.as_ref() == Some(&current.value) && !queued.is_again {
                again.push(QueuedItem { seq: current.seq, ..item.clone() });
            } else {
                let (key, value) = (item.key.clone(), item.value.clone());
                conflicts.push(Conflict { code, key, value, current: current.value.clone() });
            }
        }
        self.rebase(&queued.write);
        self.tell_conflicts(&queued.write, conflicts);
        if again.is_empty() {
            self.finish_write(&queued.write, &answer);
            self.done(&queued, now);
            return self.drain_next(now);
        }
        // Its user saw just what the server has, only the Seq was not known yet.
        self.finish_write(&queued.write, &Ok(Answer::Done));
        queued.write.items = again;
        // The same after a reload: a digit of the counter that no other id comes to.
        let (nonce, counter) = queued.write.id.split_at(AGAIN);
        queued.write.id = join(&[nonce, "8", counter.get(1..).unwrap_or("")]);
        queued.is_again = true;
        self.messages.tracked(&queued.write.message).begin(&queued.write, true);
        self.outbox.writes.insert(i, queued);
        self.send_queued(i, now);
    }

    /// Writes that were made on top of this one take the Seq that it has got.
    fn rebase(&mut self, done: &Write) {
        let cached = self.messages.at(&done.message);
        for item in &done.items {
            let seq = cached.seq_of(&item.key);
            if cached.value_of(&item.key).unwrap_or("") != item.value {
                continue;
            }
            let later = self
                .outbox
                .writes
                .iter_mut()
                .filter(|queued| queued.write.message.message == done.message.message);
            for other in later.flat_map(|queued| &mut queued.write.items) {
                if other.key == item.key && other.seen.as_ref() == Some(&item.value) {
                    other.seq = seq;
                }
            }
        }
    }

    /// A queued write has failed: it waits on, or can never be done.
    pub(super) fn queued_failed(&mut self, id: &str, error: &Error, now: u64) {
        // What is no reply of this protocol is some network's page.
        if may_succeed(error.code) || error.code == UNUSABLE_REPLY {
            return self.drained(true, now);
        }
        let Some((_, queued)) = self.take_queued(id) else { return };
        let conflict = |item: &QueuedItem| Conflict {
            code: error.code,
            key: item.key.clone(),
            value: item.value.clone(),
            current: String::new(),
        };
        let conflicts = gather(queued.write.items.iter().map(conflict));
        self.tell_conflicts(&queued.write, conflicts);
        self.finish_write(&queued.write, &Err(error.clone()));
        self.done(&queued, now);
        self.forget_refused(&queued.write.message.message, error);
        self.drain_next(now);
    }

    fn tell_conflicts(&mut self, write: &Write, conflicts: Vec<Conflict>) {
        if !conflicts.is_empty() {
            self.emit(Event::Conflict(write.message.id.clone(), conflicts));
        }
    }

    /// A write need not be kept any more.
    fn done(&mut self, queued: &Queued, now: u64) {
        if let Some(order) = queued.order {
            self.emit(Event::Unqueue(order));
        }
        self.write_more(&queued.write.message.message, now);
    }
}
