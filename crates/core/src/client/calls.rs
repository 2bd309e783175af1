//! Which request a call makes, and what its reply answers.

use alloc::string::String;
use alloc::vec::Vec;

use super::argument::{self, ExtensionArgument, MessageArgument, invalid};
use super::chat::{Listing, Sending};
use super::messages::Wanted;
use super::pages::Page;
use super::write::Write;
use super::{CallId, Client, Failure, Reply, TIME_LIMIT};
use crate::code::{Error, NETWORK, NOT_CACHED, UNUSABLE_REPLY};
use crate::message::MessageRef;
use crate::wire::{OK, Status, operate_type};

/// Why a request was made.
#[derive(Debug)]
pub(super) enum Purpose {
    Probe,
    /// With its place among the writes of its message, see [`Window`](super::window::Window).
    Set(Write, u64),
    /// A write of the outbox, by its request id.
    Queued(String),
    /// The message's cache knows who waits.
    Pull(MessageRef),
    Send(CallId, Sending),
    List(CallId, Listing),
}

impl Purpose {
    pub(super) const fn call(&self) -> Option<CallId> {
        match self {
            Self::Send(call, _) | Self::List(call, _) => Some(*call),
            Self::Set(write, _) => Some(write.call),
            Self::Probe | Self::Pull(_) | Self::Queued(_) => None,
        }
    }
}

/// Whether the server has accepted the request.
pub(super) fn accepted(status: &Status) -> Result<(), Error> {
    match status.error_code {
        0 if status.action_status == OK => Ok(()),
        0 => Err(unusable()),
        code => Err(Error::with(code, status.error_info.clone())),
    }
}

/// There is no reply.
pub(super) const fn failed(failure: Failure) -> Error {
    match failure {
        Failure::Network => Error::new(NETWORK, "the server could not be reached"),
        Failure::Unusable => unusable(),
    }
}

#[cold]
#[inline(never)]
pub(super) const fn unusable() -> Error {
    Error::new(UNUSABLE_REPLY, "the server's reply cannot be used")
}

impl Client {
    /// Settles a call that cannot be made.
    pub(super) fn made(&mut self, call: CallId, made: Result<(), Error>) {
        if let Err(error) = made {
            self.settle(call, Err(error));
        }
    }

    /// `setMessageExtensions(message, extensions)`; `None` where an argument is not what it should be at all.
    pub fn handle_set(
        &mut self,
        call: CallId,
        message: Option<MessageArgument>,
        extensions: Option<Vec<ExtensionArgument>>,
        now: u64,
    ) {
        let made = self.set(call, message.as_ref(), extensions.as_deref(), now);
        self.made(call, made);
    }

    fn set(
        &mut self,
        call: CallId,
        message: Option<&MessageArgument>,
        extensions: Option<&[ExtensionArgument]>,
        now: u64,
    ) -> Result<(), Error> {
        self.admit()?;
        let message = argument::extensible(message)?;
        let items = argument::extensions(extensions)?;
        self.submit(call, message, operate_type::SET, items, now);
        Ok(())
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
        let keys = key_list.as_ref().map(Option::as_deref);
        let made = self.delete(call, message.as_ref(), keys, now);
        self.made(call, made);
    }

    fn delete(
        &mut self,
        call: CallId,
        message: Option<&MessageArgument>,
        key_list: Option<Option<&[Option<String>]>>,
        now: u64,
    ) -> Result<(), Error> {
        self.admit()?;
        let message = argument::extensible(message)?;
        let keys = match key_list {
            None => &[],
            Some(None) => {
                return Err(invalid(
                    "keyList must be an array of strings, or be left out to clear the message",
                ));
            }
            Some(Some(keys)) => keys,
        };
        if keys.is_empty() && (key_list.is_none() || !self.config.refuse_empty_key_list) {
            self.submit(call, message, operate_type::CLEAR, Vec::new(), now);
            return Ok(());
        }
        let mut items = Vec::new();
        for key in argument::keys(keys)? {
            items.push((key, String::new()));
        }
        self.submit(call, message, operate_type::DELETE, items, now);
        Ok(())
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
        let made = self.get_by(call, message.as_ref(), key_list, source, now);
        self.made(call, made);
    }

    fn get_by(
        &mut self,
        call: CallId,
        message: Option<&MessageArgument>,
        key_list: Option<Option<Vec<String>>>,
        source: Option<&str>,
        now: u64,
    ) -> Result<(), Error> {
        self.admit()?;
        let message = argument::extensible(message)?;
        let wanted = match key_list {
            None => Wanted::All,
            Some(Some(keys)) => Wanted::Keys(keys),
            Some(None) => return Err(invalid("keyList must be an array of strings, or be left out for all")),
        };
        match source {
            None => self.get(call, message, wanted, now + TIME_LIMIT, now),
            Some("server") => self.get_from_server(call, message, wanted, now + TIME_LIMIT, now),
            Some("cache") if self.messages.is_loaded(&message.message) => {
                self.read(call, &message.message, &wanted);
            }
            Some("cache") => {
                return Err(Error::new(NOT_CACHED, "the message has never been read here"));
            }
            _ => return Err(invalid("options.source must be \"cache\" or \"server\"")),
        }
        Ok(())
    }

    /// The reply to a request whose purpose was this.
    pub(super) fn replied(&mut self, purpose: Purpose, reply: &Reply, now: u64) {
        match (&purpose, reply) {
            (Purpose::Probe, _) => self.probed(now),
            (Purpose::Set(write, number), Reply::Set(reply)) => {
                self.write_replied(write, *number, reply, now);
            }
            (Purpose::Queued(id), Reply::Set(reply)) => self.queued_replied(id, reply, now),
            (Purpose::Pull(message), Reply::Pull(reply)) => self.pulled(message, &Page::from(reply), now),
            (Purpose::Send(call, sending), Reply::Send(reply)) => self.sent(*call, sending, reply),
            (Purpose::List(call, listing), Reply::List(reply)) => self.listed(*call, listing, reply),
            _ => self.fail(purpose, unusable(), now),
        }
    }

    /// There is no reply, or a refusal.
    pub(super) fn fail(&mut self, purpose: Purpose, error: Error, now: u64) {
        match purpose {
            Purpose::Set(write, number) => self.write_failed(write, Some(number), error, now),
            Purpose::Queued(id) => self.queued_failed(&id, &error, now),
            Purpose::Send(call, _) | Purpose::List(call, _) => self.settle(call, Err(error)),
            Purpose::Pull(message) => self.pull_failed(&message, &error, now),
            Purpose::Probe => self.probe_failed(error, now),
        }
    }
}
