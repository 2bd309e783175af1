//! What a test has the server do wrong.

use message_extensions_core::code::{CODES, Error, Scope};
use message_extensions_core::message::MessageRef;
use message_extensions_core::serve::command::Command;
use message_extensions_core::serve::refusal::{
    internal, invalid, no_such_group, no_such_message, not_enabled, not_supported,
};
use message_extensions_core::wire::{Address, Item};
use serde::Deserialize;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A login on the push connection.
    Login,
    /// Set, delete, clear.
    Write,
    /// Pull.
    Read,
    /// A message is sent.
    Send,
    /// Messages are listed.
    List,
    /// Groups, which the SDK does not make.
    #[serde(skip)]
    Group,
}

impl From<Command> for Kind {
    fn from(command: Command) -> Self {
        match command {
            Command::SetC2c | Command::SetGroup => Self::Write,
            Command::PullC2c | Command::PullGroup => Self::Read,
            Command::SendC2c | Command::SendGroup => Self::Send,
            Command::ListC2c | Command::ListGroup => Self::List,
            _ => Self::Group,
        }
    }
}

/// Some of the next requests go wrong.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Fault {
    /// Refused with this code; `None`: done, and the answer is lost.
    pub code: Option<u32>,
    /// Which kind; `None`: whatever comes.
    pub kind: Option<Kind>,
    /// Whose; `None`: anybody's.
    pub user: Option<String>,
    /// How many of them; `None`: all, until [`Heal`](crate::Input::Heal).
    pub times: Option<u32>,
}

/// Somebody else writes first: before the next set or delete of one of these keys by another user.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rival {
    /// `From_Account`, `To_Account`, `MsgKey`; or `GroupId`, `MsgSeq`.
    #[serde(default)]
    pub message: Name,
    /// Who.
    pub by: String,
    /// Keys and values.
    pub extensions: Vec<(String, String)>,
}

/// The fields that name a message.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Name {
    #[serde(rename = "From_Account")]
    from_account: Option<String>,
    #[serde(rename = "To_Account")]
    to_account: Option<String>,
    msg_key: Option<String>,
    group_id: Option<String>,
    msg_seq: Option<u64>,
}

impl Name {
    fn message(&self) -> Option<MessageRef> {
        let Self { from_account, to_account, msg_key, group_id, msg_seq } = self.clone();
        Address { from_account, to_account, msg_key, group_id, msg_seq }.message()
    }
}

/// What a fault does to a request.
#[derive(Debug, Clone)]
pub(crate) enum Effect {
    Refuse(Error),
    /// It is done, and nobody hears of it.
    Lose,
}

/// What is still to go wrong, in the order in which it was asked for.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    faults: Vec<Fault>,
    rivals: Vec<Rival>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) -> Result<(), Error> {
        if let Some(code) = fault.code {
            let info = CODES.iter().find(|info| info.code == code);
            if info.is_some_and(|info| info.scope != Scope::Request) || code == 0 {
                return Err(invalid(format!(
                    "code must be one with which a server refuses a request, not {code}"
                )));
            }
        }
        if fault.times == Some(0) {
            return Err(invalid("times must be at least 1"));
        }
        self.faults.push(fault);
        Ok(())
    }

    pub(crate) fn add_rival(&mut self, rival: Rival) {
        self.rivals.push(rival);
    }

    /// What happens to a request; the first fault that fits has one time less.
    pub(crate) fn strike(&mut self, kind: Kind, user: &str) -> Option<Effect> {
        let fits = |fault: &Fault| {
            // A login has no answer that could be lost.
            let is_kind =
                fault.kind.map_or(fault.code.is_some() || kind != Kind::Login, |wanted| wanted == kind);
            is_kind && fault.user.as_ref().is_none_or(|wanted| wanted == user)
        };
        let i = self.faults.iter().position(fits)?;
        let fault = self.faults.get_mut(i)?;
        let effect = fault.code.map_or(Effect::Lose, |code| Effect::Refuse(refusal(code)));
        fault.times = fault.times.map(|times| times - 1);
        if fault.times == Some(0) {
            self.faults.remove(i);
        }
        Some(effect)
    }

    /// Who writes before this write, if anybody does.
    pub(crate) fn take_rival(&mut self, name: &MessageRef, items: &[Item], user: &str) -> Option<Rival> {
        let is_of = |rival: &Rival| {
            let writes = |item: &Item| rival.extensions.iter().any(|(key, _)| *key == item.key);
            rival.by != user && rival.message.message().as_ref() == Some(name) && items.iter().any(writes)
        };
        let i = self.rivals.iter().position(is_of)?;
        Some(self.rivals.remove(i))
    }
}

/// In the server's own words where it has a fixed text for it.
fn refusal(code: u32) -> Error {
    let fixed = [internal(), no_such_group(), no_such_message(), not_supported(), not_enabled()];
    let fixed = fixed.into_iter().find(|error| error.code == code);
    fixed.unwrap_or_else(|| {
        let info = CODES.iter().find(|info| info.code == code);
        Error::new(code, info.map_or("refused by the test", |info| info.text))
    })
}
