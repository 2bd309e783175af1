//! What a message must be to be sent, and how it is told of and listed.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::refusal::{invalid, not_yourself};
use crate::code::Error;
use crate::limits::Limits;
use crate::message::{MessageRef, msg_key};
use crate::wire::{Event, ListReply, ListedMessage, OK, Rules, SendReply, command};

/// Elements of a body are kept and given out letter by letter.
pub type Element = Box<RawValue>;

/// Largest MsgBody, bytes; the mirrored service's own limit.
const BODY_BYTES: usize = 12 * 1024;
/// Longest MessageID, bytes of UTF-8: a UserID and two numbers.
const MESSAGE_ID_BYTES: usize = 300;
/// Messages in a page of a one-to-one conversation.
const C2C_PAGE: u32 = 100;
/// Messages in a page of a group.
const GROUP_PAGE: u32 = 20;

/// Who sends: the caller, or anybody whom an admin names.
///
/// # Errors
/// 60010.
pub fn check_sender(sender: &str, caller: &str, is_admin: bool) -> Result<(), Error> {
    if !is_admin && sender != caller {
        return Err(not_yourself("From_Account", "send"));
    }
    Ok(())
}

/// Whose list it is: the caller's, or that of anybody whom an admin names.
///
/// # Errors
/// 60010.
pub fn check_operator(operator: &str, caller: &str, is_admin: bool) -> Result<(), Error> {
    if !is_admin && operator != caller {
        return Err(not_yourself("Operator_Account", "list"));
    }
    Ok(())
}

/// Checks a MessageID that comes with a message.
///
/// # Errors
/// 10004.
pub fn check_message_id(id: &str, sender: &str, is_admin: bool) -> Result<(), Error> {
    if !(1..=MESSAGE_ID_BYTES).contains(&id.len()) {
        return Err(invalid(format!("MessageID must have 1 to {MESSAGE_ID_BYTES} bytes of UTF-8")));
    }
    // Somebody else's ID on a message would mislead those who know the other message by it.
    let is_own = id.strip_prefix(sender).is_some_and(|rest| rest.starts_with('-'));
    if !is_admin && !is_own {
        return Err(invalid("MessageID must begin with From_Account and a hyphen"));
    }
    Ok(())
}

/// What no message may be sent with, whoever sends it.
///
/// # Errors
/// 10004.
pub fn check_rules(rules: Option<&Rules>, extensible: bool, limits: &Limits) -> Result<(), Error> {
    let Some(rules) = rules else { return Ok(()) };
    if !extensible {
        return Err(invalid("ExtensionRules have no meaning without SupportMessageExtension: 1"));
    }
    rules.check(limits)
}

/// Only what an element must have; the rest is between the clients.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CheckedElement {
    #[serde(rename = "MsgType")]
    _msg_type: String,
    #[serde(rename = "MsgContent")]
    _msg_content: serde_json::Map<String, serde_json::Value>,
}

/// A body as it is kept, JSON.
///
/// # Errors
/// 10004 naming the element.
pub fn checked_body(body: &[Element]) -> Result<String, Error> {
    if body.is_empty() {
        return Err(invalid("MsgBody must be an array of at least one element"));
    }
    for (i, element) in body.iter().enumerate() {
        let bad = |why: &dyn Display| {
            invalid(format!(
                "MsgBody[{i}] must be an object with MsgType, a string, and MsgContent, an object: {why}"
            ))
        };
        // serde would also take an array of the two.
        if !element.get().starts_with('{') {
            return Err(bad(&"it does not begin with {"));
        }
        serde_json::from_str::<CheckedElement>(element.get()).map_err(|e| bad(&e))?;
    }
    let json = serde_json::to_string(body).map_err(|e| invalid(e.to_string()))?;
    if json.len() > BODY_BYTES {
        return Err(invalid(format!("MsgBody has {} bytes, at most {BODY_BYTES} are allowed", json.len())));
    }
    Ok(json)
}

/// How many messages of a one-to-one conversation a page has.
#[must_use]
pub fn c2c_count(wanted: Option<u32>) -> usize {
    wanted.unwrap_or(C2C_PAGE).clamp(1, C2C_PAGE) as usize
}

/// How many messages of a group a page has.
#[must_use]
pub fn group_count(wanted: Option<u32>) -> usize {
    wanted.unwrap_or(GROUP_PAGE).clamp(1, GROUP_PAGE) as usize
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// Between its sender and this user.
    C2c(&'a str),
    /// In the group with this GroupId.
    Group(&'a str),
}

/// A message that was sent, as a server holds it.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// UserID of its sender.
    pub sender: &'a str,
    /// Where it is.
    pub place: Place<'a>,
    /// One-to-one: the sender's sequence; group: its Seq there.
    pub msg_seq: u64,
    /// The sender's random number.
    pub random: u32,
    /// When, seconds since 1970.
    pub time: u64,
    /// Whether it may be extended.
    pub extensible: bool,
    /// Its rules.
    pub rules: Option<&'a Rules>,
    /// Its ID.
    pub message_id: &'a str,
    /// What it says, as [`checked_body`] gave it.
    pub body: &'a str,
}

impl Sent<'_> {
    const fn is_c2c(&self) -> bool {
        matches!(self.place, Place::C2c(_))
    }

    /// `MsgKey`, of a one-to-one message.
    fn msg_key(&self) -> String {
        msg_key(u32::try_from(self.msg_seq).unwrap_or_default(), self.random, self.time)
    }

    /// How requests and events name it.
    #[must_use]
    pub fn name(&self) -> MessageRef {
        match self.place {
            Place::C2c(to) => {
                MessageRef::C2c { from: Some(self.sender.into()), to: to.into(), msg_key: self.msg_key() }
            }
            Place::Group(group_id) => MessageRef::Group { group_id: group_id.into(), msg_seq: self.msg_seq },
        }
    }

    /// The answer to whoever sent it.
    #[must_use]
    pub fn reply(&self) -> SendReply {
        SendReply {
            action_status: OK.into(),
            error_info: String::new(),
            error_code: 0,
            msg_time: self.time,
            msg_key: self.is_c2c().then(|| self.msg_key()),
            msg_seq: (!self.is_c2c()).then_some(self.msg_seq),
            message_id: Some(self.message_id.into()),
        }
    }

    /// What everybody in the conversation is told when it arrives; `now` in milliseconds since 1970.
    ///
    /// # Errors
    /// When the body is not what [`checked_body`] gives.
    pub fn arrival(&self, now: u64) -> Result<Event<Element, Rules>, serde_json::Error> {
        let event = Event::empty().addressed_to(self.name());
        Ok(Event {
            callback_command: if self.is_c2c() { command::C2C_MESSAGE } else { command::GROUP_MESSAGE }
                .into(),
            from_account: Some(self.sender.into()),
            msg_seq: Some(self.msg_seq),
            event_time: Some(now),
            message_id: Some(self.message_id.into()),
            msg_random: Some(self.random),
            msg_time: Some(self.time),
            support_message_extension: Some(self.extensible.into()),
            extension_rules: self.rules.cloned(),
            msg_body: Some(serde_json::from_str(self.body)?),
            ..event
        })
    }

    fn listed(&self) -> Result<ListedMessage<Element, Rules>, serde_json::Error> {
        let is_c2c = self.is_c2c();
        Ok(ListedMessage {
            from_account: self.sender.into(),
            to_account: match self.place {
                Place::C2c(to) => Some(to.into()),
                Place::Group(_) => None,
            },
            msg_seq: self.msg_seq,
            msg_random: self.random,
            msg_time_stamp: self.time,
            msg_flag_bits: is_c2c.then_some(0),
            is_place_msg: (!is_c2c).then_some(0),
            msg_key: is_c2c.then(|| self.msg_key()),
            support_message_extension: self.extensible.into(),
            extension_rules: self.rules.cloned(),
            message_id: Some(self.message_id.into()),
            msg_body: serde_json::from_str(self.body)?,
        })
    }
}

/// A page of a one-to-one conversation.
///
/// # Errors
/// When a body is not what [`checked_body`] gives.
pub fn c2c_page(
    oldest_first: &[Sent<'_>],
    complete: bool,
) -> Result<ListReply<Element, Rules>, serde_json::Error> {
    let oldest = oldest_first.first();
    Ok(ListReply {
        action_status: OK.into(),
        complete: Some(complete.into()),
        msg_cnt: u32::try_from(oldest_first.len()).ok(),
        last_msg_time: oldest.map(|message| message.time),
        last_msg_key: oldest.map(Sent::msg_key),
        msg_list: Some(listed(oldest_first)?),
        ..ListReply::default()
    })
}

/// A page of a group.
///
/// # Errors
/// When a body is not what [`checked_body`] gives.
pub fn group_page(
    group_id: String,
    newest_first: &[Sent<'_>],
    finished: bool,
) -> Result<ListReply<Element, Rules>, serde_json::Error> {
    Ok(ListReply {
        action_status: OK.into(),
        group_id: Some(group_id),
        is_finished: Some(finished.into()),
        rsp_msg_list: Some(listed(newest_first)?),
        ..ListReply::default()
    })
}

fn listed(messages: &[Sent<'_>]) -> Result<Vec<ListedMessage<Element, Rules>>, serde_json::Error> {
    messages.iter().map(Sent::listed).collect()
}

/// What past members are told: [`command::GROUP_LEFT`] or [`command::GROUP_DESTROYED`]; `now` in milliseconds since 1970.
#[must_use]
pub fn farewell(command: &str, group_id: String, now: u64) -> Event {
    Event {
        callback_command: command.into(),
        group_id: Some(group_id),
        event_time: Some(now),
        ..Event::empty()
    }
}
