//! What a user's call hands in, checked before anything else happens. The wire edge takes fields out of JavaScript
//! values as they are; here is decided whether they will do, and the text says which argument will not.

use alloc::string::String;
use alloc::vec::Vec;

use crate::code::{EXTENSIONS_OFF, Error, INVALID_ARGUMENT, MESSAGE_NOT_SENT, UNSUPPORTED_CONVERSATION};
use crate::limits::Limits;
use crate::message::{MessageRef, is_refused_group, message_id, msg_key, msg_key_parts};
use crate::text::{decimal, join};

/// `conversationType` of a one-to-one message.
pub const CONV_C2C: &str = "C2C";
/// `conversationType` of a group message.
pub const CONV_GROUP: &str = "GROUP";

/// The fields of a message object that matter here; `None` where one is missing or of another type.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MessageArgument {
    /// `ID`.
    pub id: Option<String>,
    /// `conversationType`.
    pub conversation_type: Option<String>,
    /// `from`.
    pub from: Option<String>,
    /// `to`: UserID or GroupID.
    pub to: Option<String>,
    /// `status`.
    pub status: Option<String>,
    /// `isSupportExtension`.
    pub is_support_extension: bool,
    /// `sequence`.
    pub sequence: Option<f64>,
    /// `clientSequence`.
    pub client_sequence: Option<f64>,
    /// `random`.
    pub random: Option<f64>,
    /// `time`, seconds since 1970.
    pub time: Option<f64>,
    /// `clientTime`, seconds since 1970.
    pub client_time: Option<f64>,
}

/// A message that can be extended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extensible {
    /// The caller's ID for it, which its events carry.
    pub(super) id: String,
    pub(super) message: MessageRef,
}

/// A set's items as handed in: key and value, `None` where it is not a string.
pub type ExtensionArgument = (Option<String>, Option<String>);

#[cold]
#[inline(never)]
pub(super) const fn invalid(text: &'static str) -> Error {
    Error::new(INVALID_ARGUMENT, text)
}

/// A string that is not empty.
fn filled(text: &Option<String>) -> Option<&String> {
    text.as_ref().filter(|text| !text.is_empty())
}

/// An integer from 0 to 2^53 - 1.
fn integer(number: Option<f64>) -> Option<u64> {
    let integer = number? as u64;
    #[allow(clippy::float_cmp, reason = "an integer is exactly what is asked for")]
    (Some(integer as f64) == number && integer < 1 << 53).then_some(integer)
}

fn small(number: Option<f64>) -> Option<u32> {
    integer(number)?.try_into().ok()
}

/// Checks a message that is to be extended or read.
pub(super) fn extensible(message: Option<&MessageArgument>) -> Result<Extensible, Error> {
    let Some(m) = message else { return Err(invalid("message must be a message object")) };
    let to = filled(&m.to);
    let group = match m.conversation_type.as_deref() {
        Some(CONV_C2C) => false,
        Some(CONV_GROUP) if !to.is_some_and(|to| is_refused_group("", to)) => true,
        Some(_) => {
            return Err(Error::new(
                UNSUPPORTED_CONVERSATION,
                "message.conversationType must be C2C or GROUP; Community and AVChatRoom messages have no extensions",
            ));
        }
        None => return Err(invalid("message.conversationType must be C2C or GROUP")),
    };
    if m.status.as_deref() != Some("success") {
        return Err(Error::new(
            MESSAGE_NOT_SENT,
            "message.status must be \"success\": send the message first",
        ));
    }
    if !m.is_support_extension {
        return Err(Error::new(
            EXTENSIONS_OFF,
            "message.isSupportExtension must be true: it is given to createCustomMessage",
        ));
    }
    let Some(to) = to.cloned() else {
        return Err(invalid("message.to must be the UserID or GroupID it was sent to"));
    };
    let message = if group {
        let Some(msg_seq) = integer(m.sequence) else {
            return Err(invalid("message.sequence must be the message's Seq in its group"));
        };
        MessageRef::Group { group_id: to, msg_seq }
    } else {
        let Some(from) = filled(&m.from) else {
            return Err(invalid("message.from must be the sender's UserID"));
        };
        let sequence = small(m.client_sequence).or(small(m.sequence));
        let (Some(sequence), Some(random), Some(time)) = (sequence, small(m.random), integer(m.time)) else {
            return Err(invalid("message.clientSequence, message.random and message.time must be integers"));
        };
        MessageRef::C2c { from: Some(from.clone()), to, msg_key: msg_key(sequence, random, time) }
    };
    let id = filled(&m.id).map_or_else(|| fallback_id(&message), String::clone);
    Ok(Extensible { id, message })
}

/// A message that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sendable {
    pub(super) id: String,
    pub(super) to: String,
    pub(super) is_group: bool,
    pub(super) sequence: u32,
    pub(super) random: u32,
    pub(super) support: bool,
}

/// Checks a message that is to be sent by `user`.
pub(super) fn sendable(message: Option<&MessageArgument>, user: &str) -> Result<Sendable, Error> {
    let Some(m) = message else {
        return Err(invalid("message must be a message object made by createCustomMessage"));
    };
    let is_group = match m.conversation_type.as_deref() {
        Some(CONV_C2C) => false,
        Some(CONV_GROUP) => true,
        _ => return Err(invalid("message.conversationType must be C2C or GROUP")),
    };
    let Some(to) = filled(&m.to) else { return Err(invalid("message.to must be a UserID or GroupID")) };
    if m.status.as_deref() == Some("success") {
        return Err(invalid("message was sent already: its status is \"success\""));
    }
    if filled(&m.from).is_some_and(|from| from != user) {
        return Err(invalid("message.from is another user than the one who is logged in"));
    }
    let (Some(sequence), Some(random), Some(time)) =
        (small(m.client_sequence), small(m.random), integer(m.client_time))
    else {
        return Err(invalid("message must be one made by createCustomMessage"));
    };
    // The server holds the ID against the sender: a message made before login has none to begin with.
    let own = |id: &&String| id.strip_prefix(user).is_some_and(|rest| rest.as_bytes().first() == Some(&b'-'));
    let id = m.id.as_ref().filter(own).map_or_else(|| message_id(user, time, random), String::clone);
    Ok(Sendable { id, to: to.clone(), is_group, sequence, random, support: m.is_support_extension })
}

/// Checks a set's items: 1 to 20, each key once, sizes in bytes of UTF-8.
pub(super) fn extensions(list: Option<&[ExtensionArgument]>) -> Result<Vec<(String, String)>, Error> {
    let Some(list) = list else { return Err(invalid("extensions must be an array of {key, value}")) };
    let mut checked: Vec<(String, String)> = Vec::new();
    for (key, value) in list {
        let i = checked.len();
        let is_twice = checked.iter().any(|(other, _)| Some(other) == key.as_ref());
        let key = checked_key(key.as_ref(), is_twice, "extensions", i)?;
        let most = Limits::DEFAULT.value_bytes;
        let Some(value) = filled(value).filter(|value| value.len() <= most) else {
            let text = join(&[
                "extensions[",
                &decimal(i as u64),
                "].value must be a string of 1 to ",
                &decimal(most as u64),
                " bytes of UTF-8; to remove a key, delete it",
            ]);
            return Err(Error::with(INVALID_ARGUMENT, text));
        };
        checked.push((key, value.clone()));
    }
    counted(checked.len(), "extensions must hold 1 to 20 items")?;
    Ok(checked)
}

/// Checks the keys of a delete: 1 to 20, each once.
pub(super) fn keys(list: &[Option<String>]) -> Result<Vec<String>, Error> {
    let mut checked: Vec<String> = Vec::new();
    for key in list {
        let is_twice = checked.iter().any(|other| Some(other) == key.as_ref());
        let key = checked_key(key.as_ref(), is_twice, "keyList", checked.len())?;
        checked.push(key);
    }
    counted(checked.len(), "keyList must hold 1 to 20 keys")?;
    Ok(checked)
}

fn counted(items: usize, otherwise: &'static str) -> Result<(), Error> {
    if items == 0 || items > Limits::DEFAULT.items { Err(invalid(otherwise)) } else { Ok(()) }
}

/// The `i`th key of a list; `is_twice`: one before is the same.
fn checked_key(key: Option<&String>, is_twice: bool, list: &str, i: usize) -> Result<String, Error> {
    let most = Limits::DEFAULT.key_bytes;
    let (length, most_text);
    let why: &[&str] = match key {
        Some(key) if !(1..=most).contains(&key.len()) => {
            length = decimal(key.len() as u64);
            most_text = decimal(most as u64);
            &["has ", &length, " bytes of UTF-8, 1 to ", &most_text, " are allowed"]
        }
        Some(_) if is_twice => &["is in the list twice"],
        Some(key) => return Ok(key.clone()),
        None => &["must be a string"],
    };
    let text = join(&[list, "[", &decimal(i as u64), "]: the key ", &join(why)]);
    Err(Error::with(INVALID_ARGUMENT, text))
}

/// The ID of a message of which only the wire key is known.
pub(super) fn fallback_id(message: &MessageRef) -> String {
    match message {
        MessageRef::C2c { from, msg_key, .. } => {
            let (_, random, time) = msg_key_parts(msg_key).unwrap_or_default();
            join(&[from.as_deref().unwrap_or(""), "-", time, "-", random])
        }
        MessageRef::Group { group_id, msg_seq } => join(&[group_id, "-", &decimal(*msg_seq)]),
    }
}
