//! Which request a call makes, and what its reply answers.

use alloc::string::String;
use alloc::vec::Vec;

use super::argument::{self, Extensible, ExtensionArgument, MessageArgument, invalid};
use super::chat::{Listing, Sending};
use super::messages::Wanted;
use super::watch::PendingWrite;
use super::window::{Waiting, Window};
use super::{Answer, Body, CallId, Client, Failure, Reply, TIME_LIMIT};
use crate::change::{Change, ChangeKind};
use crate::code::{Error, NETWORK, NOT_CACHED, UNUSABLE_REPLY};
use crate::message::MessageRef;
use crate::wire::{EXTENSION_SERVICE, Item, OK, SetReply, SetRequest, operate_type};

/// A set, delete or clear.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) call: CallId,
    pub(super) message: Extensible,
    /// `OperateType`.
    operation: u32,
    /// Its place among the writes of this message, see [`Window`](super::window::Window).
    number: u64,
}

/// Why a request was made.
#[derive(Debug)]
pub(super) enum Purpose {
    Probe,
    Set(Write),
    /// The message's cache knows who waits.
    Pull(MessageRef),
    Send(CallId, Sending),
    List(CallId, Listing),
}

impl Purpose {
    pub(super) const fn call(&self) -> Option<CallId> {
        match self {
            Self::Send(call, _) | Self::List(call, _) => Some(*call),
            Self::Set(write) => Some(write.call),
            Self::Probe | Self::Pull(_) => None,
        }
    }
}

/// A reply whose request the server has accepted.
pub(super) fn accepted(reply: Result<Reply, Failure>) -> Result<Reply, Error> {
    let reply = reply.map_err(|failure| match failure {
        Failure::Network => Error::new(NETWORK, "the server could not be reached"),
        Failure::Unusable => unusable(),
    })?;
    let (status, code, info) = match &reply {
        Reply::Probe => return Ok(reply),
        Reply::Set(r) => (&r.action_status, r.error_code, &r.error_info),
        Reply::Pull(r) => (&r.action_status, r.error_code, &r.error_info),
        Reply::Send(r) => (&r.action_status, r.error_code, &r.error_info),
        Reply::List(r) => (&r.action_status, r.error_code, &r.error_info),
    };
    match code {
        0 if status == OK => Ok(reply),
        0 => Err(unusable()),
        _ => Err(Error::with(code, info.clone())),
    }
}

pub(super) const fn unusable() -> Error {
    Error::new(UNUSABLE_REPLY, "the server's reply cannot be used")
}

impl Client {
    /// `setMessageExtensions(message, extensions)`; `None` where an argument is not what it should be at all.
    pub fn handle_set(
        &mut self,
        call: CallId,
        message: Option<MessageArgument>,
        extensions: Option<Vec<ExtensionArgument>>,
        now: u64,
    ) {
        let checked = self
            .admit()
            .and_then(|()| Ok((argument::extensible(message)?, argument::extensions(extensions)?)));
        match checked {
            Ok((message, items)) => {
                let items = self.with_seq(&message, items);
                self.set(call, message, operate_type::SET, items, now + TIME_LIMIT, now);
            }
            Err(error) => self.settle(call, Err(error)),
        }
    }

    /// `deleteMessageExtensions(message, keyList)`. `Some(None)`: `keyList` is not an array; `None`: it was left out,
    /// which clears the message, as an empty one does unless the configuration refuses that.
    pub fn handle_delete(
        &mut self,
        call: CallId,
        message: Option<MessageArgument>,
        key_list: Option<Option<Vec<Option<String>>>>,
        now: u64,
    ) {
        let refuse_empty = self.config.refuse_empty_key_list;
        let keys = || match key_list {
            None => Ok(None),
            Some(None) => {
                Err(invalid("keyList must be an array of strings, or be left out to clear the message"))
            }
            Some(Some(keys)) if keys.is_empty() && !refuse_empty => Ok(None),
            Some(Some(keys)) => argument::keys(keys).map(Some),
        };
        let checked = self.admit().and_then(|()| Ok((argument::extensible(message)?, keys()?)));
        match checked {
            Ok((message, Some(keys))) => {
                let items = keys.into_iter().map(|key| (key, String::new())).collect();
                let items = self.with_seq(&message, items);
                self.set(call, message, operate_type::DELETE, items, now + TIME_LIMIT, now);
            }
            Ok((message, None)) => {
                self.set(call, message, operate_type::CLEAR, Vec::new(), now + TIME_LIMIT, now);
            }
            Err(error) => self.settle(call, Err(error)),
        }
    }

    /// `getMessageExtensions(message, keyList?, {source?})`. `Some(None)`: `keyList` is not an array of strings.
    pub fn handle_get(
        &mut self,
        call: CallId,
        message: Option<MessageArgument>,
        key_list: Option<Option<Vec<String>>>,
        source: Option<&str>,
        now: u64,
    ) {
        let keys = || match key_list {
            Some(None) => Err(invalid("keyList must be an array of strings, or be left out for all")),
            Some(keys) => Ok(keys),
            None => Ok(None),
        };
        let checked = self.admit().and_then(|()| Ok((argument::extensible(message)?, keys()?)));
        let (message, wanted) = match checked {
            Ok((message, keys)) => (message, keys.map_or(Wanted::All, Wanted::Keys)),
            Err(error) => return self.settle(call, Err(error)),
        };
        match source {
            None => self.get(call, message, wanted, now + TIME_LIMIT, now),
            Some("server") => self.get_from_server(call, message, wanted, now + TIME_LIMIT, now),
            Some("cache") if self.messages.at(&message).is_loaded() => {
                self.read(call, &message.message, &wanted);
            }
            Some("cache") => {
                self.settle(call, Err(Error::new(NOT_CACHED, "the message has never been read here")))
            }
            _ => self.settle(call, Err(invalid("options.source must be \"cache\" or \"server\""))),
        }
    }

    /// The items with each key's Seq as the cache knows it.
    fn with_seq(&mut self, message: &Extensible, items: Vec<(String, String)>) -> Vec<Item> {
        let cached = self.messages.at(message);
        let item = |(key, value): (String, String)| Item { seq: Some(cached.seq_of(&key)), key, value };
        items.into_iter().map(item).collect()
    }

    pub(super) fn set(
        &mut self,
        call: CallId,
        message: Extensible,
        operation: u32,
        items: Vec<Item>,
        give_up: u64,
        now: u64,
    ) {
        let pairs = items.iter().map(|item| (item.key.clone(), item.value.clone())).collect();
        self.messages.tracked(&message).begin(PendingWrite::new(call, operation, pairs));
        let request = SetRequest {
            operate_type: Some(operation),
            extension_list: (operation != operate_type::CLEAR).then_some(items),
            ..SetRequest::default()
        };
        let waiting = Waiting { call, message, operation, request, give_up };
        if let Some(waiting) = self.messages.window(&waiting.message).queue(waiting) {
            self.write(waiting, now);
        }
    }

    fn write(&mut self, waiting: Waiting, now: u64) {
        let Waiting { call, message, operation, request, give_up } = waiting;
        let number = self.messages.window(&message).open();
        let body = Body::Set(request.addressed_to(message.message.clone()));
        let command = if message.message.is_group() { "group_set_key_values" } else { "set_key_values" };
        let purpose = Purpose::Set(Write { call, message, operation, number });
        self.request_until(give_up, (EXTENSION_SERVICE, command), body, purpose, now);
    }

    fn finish_write(&mut self, write: &Write, answer: &Result<Answer, Error>) {
        if let Some(tracked) = self.messages.find(&write.message.message) {
            tracked.finish(write.call, answer);
        }
    }

    /// A write has its answer, or none will come: those that waited for it go out.
    fn write_done(&mut self, message: &MessageRef, number: u64, now: u64) {
        // Without a window the session has ended meanwhile, and those that waited were told.
        let Some(window) = self.messages.known_window(message) else { return };
        window.close(number);
        while let Some(waiting) = self.messages.known_window(message).and_then(Window::next) {
            self.write(waiting, now);
        }
    }

    /// The reply to a request whose purpose was this.
    pub(super) fn replied(&mut self, purpose: Purpose, reply: Reply, now: u64) {
        match (purpose, reply) {
            (Purpose::Probe, _) => self.probed(now),
            (Purpose::Set(write), Reply::Set(reply)) => {
                let answer = self.written(&write.message, write.operation, reply, now);
                self.finish_write(&write, &answer);
                self.write_answered(write.call, answer, now);
                self.write_done(&write.message.message, write.number, now);
            }
            (Purpose::Pull(message), Reply::Pull(page)) => self.pulled(&message, page, now),
            (Purpose::Send(call, sending), Reply::Send(reply)) => self.sent(call, sending, reply),
            (Purpose::List(call, listing), Reply::List(reply)) => self.listed(call, &listing, reply),
            (purpose, _) => self.fail(purpose, unusable(), now),
        }
    }

    /// There is no reply, or a refusal.
    pub(super) fn fail(&mut self, purpose: Purpose, error: Error, now: u64) {
        match purpose {
            Purpose::Set(write) => {
                self.finish_write(&write, &Err(error.clone()));
                self.settle(write.call, Err(error));
                self.write_done(&write.message.message, write.number, now);
            }
            Purpose::Send(call, _) | Purpose::List(call, _) => self.settle(call, Err(error)),
            Purpose::Pull(message) => self.pull_failed(&message, &error, now),
            Purpose::Probe => self.probe_failed(error),
        }
    }

    /// Takes what a set, delete or clear did into the cache; the answer is for the caller.
    fn written(
        &mut self,
        message: &Extensible,
        operation: u32,
        reply: SetReply,
        now: u64,
    ) -> Result<Answer, Error> {
        let mut items = Vec::with_capacity(reply.extension_list.len());
        let mut set = Vec::new();
        let mut deleted = Vec::new();
        let mut corrections = Vec::new();
        // A clear, or a server that does not name its counter: every item carries the operation's Seq.
        let mut seq = if operation == operate_type::CLEAR { reply.seq } else { None };
        for item in reply.extension_list {
            let extension = item.extension.filter(|e| !e.key.is_empty()).ok_or(unusable())?;
            items.push((item.error_code, extension.key.clone(), extension.value.clone()));
            if item.error_code == 0 && extension.seq > 0 {
                seq = Some(extension.seq);
                if operation == operate_type::SET {
                    set.push((extension.key, extension.value));
                } else {
                    deleted.push(extension.key);
                }
            } else {
                corrections.push(extension);
            }
        }
        let kind = match operation {
            operate_type::SET => ChangeKind::Set(set),
            operate_type::DELETE => ChangeKind::Delete(deleted),
            _ => ChangeKind::Clear,
        };
        let change = seq.map(|seq| Change { seq, kind, author: self.session.user_id.clone(), time: 0 });
        self.wrote(message, change, corrections, reply.seq, now);
        Ok(Answer::Items(items))
    }
}
