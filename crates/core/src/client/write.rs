//! Sets, deletes and clears: with which Seq they go out, and what their replies say.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::argument::Extensible;
use super::calls::{Purpose, unusable};
use super::retry::may_succeed;
use super::watch::EntryView;
use super::window::{Waiting, Window};
use super::{Answer, Body, CallId, Client, Request, TIME_LIMIT};
use crate::change::{Change, ChangeKind};
use crate::code::Error;
use crate::list::gather;
use crate::message::MessageRef;
use crate::wire::{EXTENSION_SERVICE, Item, QueuedItem, SetReply, SetRequest, operate_type};

/// A write that may be queued is, when it has no answer by then, milliseconds.
const QUEUE_AFTER: u64 = 5_000;

/// A set, delete or clear.
#[derive(Debug)]
pub(super) struct Write {
    /// Its `requestid`, which names it here too.
    pub(super) id: String,
    /// Who waits for its answer; 0: nobody any more.
    pub(super) call: CallId,
    pub(super) message: Extensible,
    /// `OperateType`.
    pub(super) operation: u32,
    /// Empty for a clear.
    pub(super) items: Vec<QueuedItem>,
}

impl Client {
    /// A user's set, delete or clear, with what the user sees of each key.
    pub(super) fn submit(
        &mut self,
        call: CallId,
        message: Extensible,
        operation: u32,
        items: Vec<(String, String)>,
        now: u64,
    ) {
        let id = self.new_request_id();
        let tracked = self.messages.tracked(&message);
        let item = |(key, value): &(String, String)| QueuedItem {
            seq: tracked.cached.seq_of(key),
            seen: tracked.shown(key).filter(EntryView::is_own).map(|entry| entry.value),
            key: key.clone(),
            value: value.clone(),
        };
        let items = gather(items.iter().map(item));
        let write = Write { id, call, message, operation, items };
        if self.must_queue(&write) {
            return self.enqueue(write, now);
        }
        let patience = if self.may_queue(&write) { QUEUE_AFTER } else { TIME_LIMIT };
        self.write_until(now + patience, write, now);
    }

    /// Sends a write, as soon as its message's window lets it.
    pub(super) fn write_until(&mut self, give_up: u64, write: Write, now: u64) {
        self.messages.tracked(&write.message).begin(&write, false);
        let message = write.message.message.clone();
        self.messages.window(&write.message).queue(Waiting { write, give_up });
        self.write_more(&message, now);
    }

    /// Sends what waits and may go. While writes of the message wait in the outbox, none may: the two take turns, so that
    /// the server still remembers each when its answer was lost.
    pub(super) fn write_more(&mut self, message: &MessageRef, now: u64) {
        while !self.outbox.holds(message)
            && let Some(waiting) = self.messages.known_window(message).and_then(Window::next)
        {
            self.write(waiting, now);
        }
    }

    fn write(&mut self, waiting: Waiting, now: u64) {
        let Waiting { write, give_up } = waiting;
        let number = self.messages.window(&write.message).open();
        let request = self.write_request(&write);
        self.attempt(request, Purpose::Set(write, number), 0, give_up, now);
    }

    pub(super) fn write_request(&mut self, write: &Write) -> Request {
        let item = |item: &QueuedItem| Item {
            key: item.key.clone(),
            value: item.value.clone(),
            seq: Some(item.seq),
        };
        let request = SetRequest {
            operate_type: Some(write.operation),
            extension_list: (write.operation != operate_type::CLEAR)
                .then(|| gather(write.items.iter().map(item))),
            ..SetRequest::default()
        };
        let message = &write.message.message;
        let command = if message.is_group() { "group_set_key_values" } else { "set_key_values" };
        Request {
            id: 0,
            path: (EXTENSION_SERVICE, command),
            random: self.rng.u32(..),
            request_id: Some(write.id.clone()),
            body: Rc::new(Body::Set(request.addressed_to(message.clone()))),
        }
    }

    /// A write was answered.
    pub(super) fn write_replied(&mut self, write: &Write, number: u64, reply: &SetReply, now: u64) {
        let answer = self.written(write, reply, now);
        self.finish_write(write, &answer);
        self.write_answered(write.call, answer, now);
        self.write_done(&write.message.message, number, now);
    }

    /// No answer has come, or a refusal.
    ///
    /// It waits in the outbox for a better time, or its caller is told. `number` is its place in the window, if it has
    /// been sent.
    pub(super) fn write_failed(&mut self, write: Write, number: Option<u64>, error: Error, now: u64) {
        let message = write.message.message.clone();
        if may_succeed(error.code) && self.may_queue(&write) {
            self.enqueue(write, now);
        } else {
            self.finish_write(&write, &Err(error.clone()));
            self.forget_refused(&message, &error);
            self.settle(write.call, Err(error));
        }
        if let Some(number) = number {
            self.write_done(&message, number, now);
        }
    }

    pub(super) fn finish_write(&mut self, write: &Write, answer: &Result<Answer, Error>) {
        if let Some(tracked) = self.messages.find(&write.message.message) {
            tracked.finish(&write.id, answer);
        }
    }

    /// A write has its answer, or none will come: those that waited for it go out.
    fn write_done(&mut self, message: &MessageRef, number: u64, now: u64) {
        // Without a window the session has ended meanwhile, and those that waited were told.
        let Some(window) = self.messages.known_window(message) else { return };
        window.close(number);
        self.write_more(message, now);
        self.drain_on(now);
    }

    /// Takes what a set, delete or clear did into the cache; the answer is for the caller.
    pub(super) fn written(&mut self, write: &Write, reply: &SetReply, now: u64) -> Result<Answer, Error> {
        let operation = write.operation;
        let mut items = Vec::new();
        let mut set = Vec::new();
        let mut deleted = Vec::new();
        let mut corrections = Vec::new();
        // A clear, or a server that does not name its counter: every item carries the operation's Seq.
        let mut seq = if operation == operate_type::CLEAR { reply.seq } else { None };
        for item in &reply.extension_list {
            let Some(extension) = item.extension.as_ref().filter(|e| !e.key.is_empty()) else {
                return Err(unusable());
            };
            let (key, value) = (&extension.key, &extension.value);
            items.push((item.error_code, key.clone(), value.clone()));
            if item.error_code != 0 || extension.seq == 0 {
                corrections.push(extension);
                continue;
            }
            seq = Some(extension.seq);
            if operation == operate_type::SET {
                set.push((key.clone(), value.clone()));
            } else {
                deleted.push(key.clone());
            }
        }
        let kind = match operation {
            operate_type::SET => ChangeKind::Set(set),
            operate_type::DELETE => ChangeKind::Delete(deleted),
            _ => ChangeKind::Clear,
        };
        let change = seq.map(|seq| Change { seq, kind, author: self.session.user_id.clone(), time: 0 });
        self.wrote(&write.message, change, &corrections, reply.seq, now);
        Ok(Answer::Items(items))
    }
}
