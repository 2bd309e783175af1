//! The change: what one accepted operation does. The server stores and pushes it, the client applies it, and on the wire
//! it is an [`Event`].

use alloc::string::String;
use alloc::vec::Vec;

use crate::list::gather;
use crate::message::MessageRef;
use crate::wire::{Event, Extension, command, operate_type};

/// What one accepted operation does; the smallest thing that is stored, pushed and sent to webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The operation's Seq.
    pub seq: u64,
    /// The keys it wrote.
    pub kind: ChangeKind,
    /// UserID of who did it.
    pub author: String,
    /// When, milliseconds since 1970.
    pub time: u64,
}

/// What an operation does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// These keys have these values.
    Set(Vec<(String, String)>),
    /// These keys are deleted.
    Delete(Vec<String>),
    /// Every key is dropped.
    Clear,
}

/// The keys and values of extensions.
pub(crate) fn pairs(extensions: &[Extension]) -> Vec<(String, String)> {
    gather(extensions.iter().map(|e| (e.key.clone(), e.value.clone())))
}

/// The keys of extensions.
pub(crate) fn keys(extensions: &[Extension]) -> Vec<String> {
    gather(extensions.iter().map(|e| e.key.clone()))
}

impl Change {
    /// The change that an event tells of; `None` for an event that is no change or lacks a field that a change has.
    #[must_use]
    pub fn from_event<E, R>(event: &Event<E, R>) -> Option<Self> {
        let items = event.extension_list.as_deref().unwrap_or_default();
        let kind = match event.operate_type? {
            operate_type::SET => ChangeKind::Set(pairs(items)),
            operate_type::DELETE => ChangeKind::Delete(keys(items)),
            operate_type::CLEAR => ChangeKind::Clear,
            _ => return None,
        };
        let author = event.author.clone().unwrap_or_default();
        Some(Self { seq: event.seq?, kind, author, time: event.event_time.unwrap_or(0) })
    }

    /// As the event that is pushed and sent to webhooks, for the message `message` with the ID `message_id`.
    #[must_use]
    pub fn to_event<E, R>(&self, message: MessageRef, message_id: Option<String>) -> Event<E, R> {
        let item = |key: &String, value: &str| Extension {
            key: key.clone(),
            value: value.into(),
            seq: self.seq,
            author: None,
            time: None,
        };
        let (operate_type, items) = match &self.kind {
            ChangeKind::Set(items) => (operate_type::SET, items.iter().map(|(k, v)| item(k, v)).collect()),
            ChangeKind::Delete(keys) => (operate_type::DELETE, keys.iter().map(|k| item(k, "")).collect()),
            ChangeKind::Clear => (operate_type::CLEAR, Vec::new()),
        };
        let command = if message.is_group() { command::GROUP_CHANGE } else { command::C2C_CHANGE };
        Event {
            callback_command: command.into(),
            operate_type: Some(operate_type),
            extension_list: Some(items),
            seq: Some(self.seq),
            event_time: Some(self.time),
            author: Some(self.author.clone()),
            message_id,
            ..Event::empty()
        }
        .addressed_to(message)
    }
}
