//! What the server holds, and who may see it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use message_extensions_core::code::Error;
use message_extensions_core::law::{Attempts, CallRate, Message};
use message_extensions_core::limits::Limits;
use message_extensions_core::message::MessageRef;
use message_extensions_core::serve::body;
use message_extensions_core::serve::command::Command;
use message_extensions_core::serve::sending::{Place, Sent};
use message_extensions_core::wire::{Rules, push_frame};
use serde::Deserialize;

use crate::fault::Faults;
use crate::io::{Input, Output};

/// The one app admin: the test itself.
pub const ADMIN: &str = "administrator";

/// What a test may set; what it leaves out is as on a real server. 0 is no limit.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    key_bytes: Option<usize>,
    value_bytes: Option<usize>,
    items: Option<usize>,
    live_keys: Option<usize>,
    tombstones: Option<usize>,
    writes_per_minute: Option<usize>,
    user_writes_per_minute: Option<usize>,
    user_calls_per_second: Option<usize>,
}

impl From<Settings> for Limits {
    fn from(set: Settings) -> Self {
        let default = Self::DEFAULT;
        Self {
            key_bytes: set.key_bytes.unwrap_or(default.key_bytes),
            value_bytes: set.value_bytes.unwrap_or(default.value_bytes),
            items: set.items.unwrap_or(default.items),
            live_keys: set.live_keys.unwrap_or(default.live_keys),
            tombstones: set.tombstones.unwrap_or(default.tombstones),
            writes_per_minute: set.writes_per_minute.unwrap_or(default.writes_per_minute),
            user_writes_per_minute: set.user_writes_per_minute.unwrap_or(default.user_writes_per_minute),
            user_calls_per_second: set.user_calls_per_second.unwrap_or(default.user_calls_per_second),
            admin_calls_per_second: default.admin_calls_per_second,
        }
    }
}

/// A server of one app.
#[derive(Debug)]
pub struct Server {
    pub(crate) limits: Limits,
    pub(crate) groups: BTreeMap<String, Group>,
    /// In the order in which they came.
    pub(crate) messages: Vec<Held>,
    /// Push connections that are open, and who has logged in.
    pub(crate) connections: BTreeMap<u32, Option<Caller>>,
    pub(crate) faults: Faults,
    /// By user, an admin's apart for each command.
    pub(crate) rates: BTreeMap<(String, Option<Command>), CallRate>,
    pub(crate) last_group: u64,
    /// Stands where the real server takes a random number.
    pub(crate) last_random: u32,
}

#[derive(Debug)]
pub(crate) struct Group {
    /// One that is made anew has another one.
    pub(crate) no: u64,
    pub(crate) group_type: String,
    pub(crate) members: BTreeSet<String>,
    pub(crate) last_msg_seq: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Conversation {
    C2c { to: String },
    Group { group_id: String, no: u64 },
}

/// A message, with its extensions.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) sender: String,
    pub(crate) conversation: Conversation,
    pub(crate) msg_seq: u64,
    pub(crate) random: u32,
    pub(crate) time: u64,
    pub(crate) extensible: bool,
    pub(crate) rules: Option<Rules>,
    pub(crate) message_id: String,
    pub(crate) body: String,
    pub(crate) extensions: Message,
    /// Answers by caller and request id, oldest first.
    pub(crate) answers: BTreeMap<String, VecDeque<(String, String)>>,
    pub(crate) attempts: Attempts,
}

impl Held {
    pub(crate) fn sent(&self) -> Sent<'_> {
        Sent {
            sender: &self.sender,
            place: match &self.conversation {
                Conversation::C2c { to } => Place::C2c(to),
                Conversation::Group { group_id, .. } => Place::Group(group_id),
            },
            msg_seq: self.msg_seq,
            random: self.random,
            time: self.time,
            extensible: self.extensible,
            rules: self.rules.as_ref(),
            message_id: &self.message_id,
            body: &self.body,
        }
    }
}

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) identifier: String,
    pub(crate) is_admin: bool,
}

impl Server {
    /// One without groups and messages.
    ///
    /// # Errors
    /// 10004 naming the setting, if `settings` is no JSON object of [`Settings`].
    pub fn new(settings: &str) -> Result<Self, Error> {
        let settings: Settings = body::parse(settings.as_bytes())?;
        Ok(Self {
            limits: settings.into(),
            groups: BTreeMap::new(),
            messages: Vec::new(),
            connections: BTreeMap::new(),
            faults: Faults::default(),
            rates: BTreeMap::new(),
            last_group: 0,
            last_random: 0,
        })
    }

    /// Takes what happens; `now` in milliseconds since 1970.
    ///
    /// # Errors
    /// 10004 naming the fault that cannot be.
    pub fn handle(&mut self, input: Input, now: u64) -> Result<Output, Error> {
        let mut output = Output::default();
        match input {
            Input::Call(call) => self.call(&call, now, &mut output),
            Input::Open { connection } => {
                self.connections.insert(connection, None);
            }
            Input::Frame { connection, text } => self.frame(connection, &text, &mut output),
            Input::Close { connection } => {
                self.connections.remove(&connection);
            }
            Input::Fault(fault) => self.faults.add(fault)?,
            Input::Rival(rival) => self.faults.add_rival(rival),
            Input::Heal => self.faults = Faults::default(),
        }
        // Everything that waits goes in one frame.
        for (connection, events) in std::mem::take(&mut output.events) {
            output.frames.push((connection, push_frame(&events)));
        }
        Ok(output)
    }

    pub(crate) const fn next_random(&mut self) -> u32 {
        self.last_random = self.last_random.wrapping_add(1);
        self.last_random
    }

    /// The message that is named, if the caller may see it.
    pub(crate) fn find(&mut self, caller: &Caller, named: &MessageRef) -> Option<&mut Held> {
        match named {
            MessageRef::C2c { from, to, msg_key } => self.messages.iter_mut().find(|held| {
                let is_recipient =
                    |who: &str| matches!(&held.conversation, Conversation::C2c { to } if to == who);
                let is_key =
                    matches!(held.sent().name(), MessageRef::C2c { msg_key: key, .. } if key == *msg_key);
                let sees =
                    caller.is_admin || held.sender == caller.identifier || is_recipient(&caller.identifier);
                is_key && sees && is_recipient(to) && from.as_ref().is_none_or(|from| *from == held.sender)
            }),
            MessageRef::Group { group_id, msg_seq } => {
                let conversation = self.conversation_of(caller, group_id)?;
                self.messages
                    .iter_mut()
                    .find(|held| held.conversation == conversation && held.msg_seq == *msg_seq)
            }
        }
    }

    /// The group, if the caller may see it.
    pub(crate) fn find_group(&self, caller: &Caller, group_id: &str) -> Option<&Group> {
        let group = self.groups.get(group_id)?;
        (caller.is_admin || group.members.contains(&caller.identifier)).then_some(group)
    }

    pub(crate) fn conversation_of(&self, caller: &Caller, group_id: &str) -> Option<Conversation> {
        let no = self.find_group(caller, group_id)?.no;
        Some(Conversation::Group { group_id: group_id.to_owned(), no })
    }

    /// Hands an event to everybody who sees the conversation.
    pub(crate) fn push(&self, sender: &str, conversation: &Conversation, event: &str, output: &mut Output) {
        match conversation {
            Conversation::C2c { to } => self.push_to(|user| user == sender || user == to, event, output),
            Conversation::Group { group_id, .. } => {
                if let Some(group) = self.groups.get(group_id) {
                    self.push_to(|user| group.members.contains(user), event, output);
                }
            }
        }
    }

    /// Hands it to those whom `is_told`.
    pub(crate) fn push_to(&self, is_told: impl Fn(&str) -> bool, event: &str, output: &mut Output) {
        for (connection, caller) in &self.connections {
            if caller.as_ref().is_some_and(|caller| is_told(&caller.identifier)) {
                output.events.entry(*connection).or_default().push(event.to_owned());
            }
        }
    }
}
