//! Sending and listing messages.

use std::fmt::Display;

use message_extensions_core::code::{ADMIN_ONLY, Error};
use message_extensions_core::limits::Limits;
use message_extensions_core::message::{is_refused_group, message_id};
use message_extensions_core::wire::{
    Event, ListReply, ListRequest, ListedMessage, OK, Rules, SendReply, SendRequest, command,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::groups::no_such_group;
use super::{Call, failed, invalid, to_json};
use crate::caller::{Caller, check_user_id};
use crate::clock::{now_ms, now_s};
use crate::envelope::Answer;
use crate::hub::EventJson;
use crate::store::{C2cPage, Conversation, Inserted, NewMessage, StoredMessage};

/// Elements of a body are kept and given out letter by letter.
type Element = Box<RawValue>;

/// Largest MsgBody, bytes; the mirrored service's own limit.
const BODY_BYTES: usize = 12 * 1024;
/// Longest MessageID, bytes of UTF-8: a UserID and two numbers.
const MESSAGE_ID_BYTES: usize = 300;
/// Messages in a page, one-to-one and of a group.
const C2C_PAGE: u32 = 100;
const GROUP_PAGE: u32 = 20;

pub(super) async fn send_c2c(call: Call<'_>, body: &[u8]) -> Answer {
    let request: SendRequest<Element, Rules> = call.request(body).await?;
    let to = request.to_account.clone().unwrap_or_default();
    check_user_id("To_Account", &to)?;
    let conversation = Conversation::C2c { to };
    let extensible = request.support_message_extension == Some(1);
    send(&call, request, conversation, extensible).await
}

pub(super) async fn send_group(call: Call<'_>, body: &[u8]) -> Answer {
    let request: SendRequest<Element, Rules> = call.request(body).await?;
    let group_id = request.group_id.clone().unwrap_or_default();
    let group = call.group(&group_id).await?.ok_or_else(no_such_group)?;
    let extensible =
        request.support_message_extension == Some(1) && !is_refused_group(&group.group_type, &group_id);
    let conversation = Conversation::Group { group_id, no: group.no };
    send(&call, request, conversation, extensible).await
}

fn new_message(
    caller: &Caller,
    limits: &Limits,
    request: SendRequest<Element, Rules>,
    conversation: Conversation,
    extensible: bool,
) -> Result<NewMessage, Error> {
    let sender = request.from_account.unwrap_or_else(|| caller.identifier.clone());
    check_user_id("From_Account", &sender)?;
    if !caller.is_admin && sender != caller.identifier {
        return Err(Error::new(
            ADMIN_ONLY,
            "From_Account must be yourself; only an app admin may send for others",
        ));
    }
    if let Some(id) = &request.message_id {
        check_message_id(id, &sender, caller)?;
    }
    let rules = request.extension_rules;
    check_rules(rules.as_ref(), request.support_message_extension == Some(1), limits)?;
    let random = request.msg_random.or(request.random).unwrap_or_else(|| fastrand::u32(..));
    let time = now_s();
    let is_c2c = matches!(conversation, Conversation::C2c { .. });
    let sequence = if is_c2c { request.msg_seq.unwrap_or_else(|| fastrand::u32(..)) } else { 0 };
    Ok(NewMessage {
        conversation,
        sequence,
        random,
        time,
        extensible,
        message_id: request.message_id.unwrap_or_else(|| message_id(&sender, time, random)),
        body: checked_body(&request.msg_body)?,
        rules,
        sender,
    })
}

pub(super) fn check_message_id(id: &str, sender: &str, caller: &Caller) -> Result<(), Error> {
    if !(1..=MESSAGE_ID_BYTES).contains(&id.len()) {
        return Err(invalid(format!("MessageID must have 1 to {MESSAGE_ID_BYTES} bytes of UTF-8")));
    }
    // Somebody else's ID on a message would mislead those who know the other message by it.
    let is_own = id.strip_prefix(sender).is_some_and(|rest| rest.starts_with('-'));
    if !caller.is_admin && !is_own {
        return Err(invalid("MessageID must begin with From_Account and a hyphen"));
    }
    Ok(())
}

/// What no message may be sent with, whoever sends it.
pub(super) fn check_rules(rules: Option<&Rules>, extensible: bool, limits: &Limits) -> Result<(), Error> {
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

fn checked_body(body: &[Element]) -> Result<String, Error> {
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
    let json = to_json(&body)?;
    if json.len() > BODY_BYTES {
        return Err(invalid(format!("MsgBody has {} bytes, at most {BODY_BYTES} are allowed", json.len())));
    }
    Ok(json)
}

fn elements(stored: &StoredMessage) -> Result<Vec<Element>, Error> {
    serde_json::from_str(&stored.message.body).map_err(|e| failed(&e))
}

/// Stores and pushes; a message that is sent again is answered again.
async fn send(
    call: &Call<'_>,
    request: SendRequest<Element, Rules>,
    conversation: Conversation,
    extensible: bool,
) -> Answer {
    let has_id = request.message_id.is_some();
    let message = new_message(&call.caller, &call.app.config.limits, request, conversation, extensible)?;
    let delivery = &call.app.delivery;
    let arrival = delivery.arrival(&message.conversation).await;
    let Inserted { stored, is_new } = insert(call, message, has_id).await?;
    if is_new {
        let event = to_json(&arrival_event(&stored)?)?;
        let message = &stored.message;
        delivery.push_event(&message.sender, &message.conversation, EventJson::from(event)).await;
    }
    drop(arrival);
    to_json(&send_reply(stored))
}

/// An ID that was made here names no other message: should it be taken, another one is made.
async fn insert(call: &Call<'_>, mut message: NewMessage, has_id: bool) -> Result<Inserted, Error> {
    loop {
        let inserted = call.app.store.insert_message(message.clone()).await.map_err(|e| failed(&e))?;
        let inserted = inserted.ok_or_else(no_such_group)?;
        let is_c2c = matches!(message.conversation, Conversation::C2c { .. });
        let is_repeated = has_id || (is_c2c && inserted.stored.message.msg_key() == message.msg_key());
        if inserted.is_new || is_repeated {
            return Ok(inserted);
        }
        message.message_id = message_id(&message.sender, message.time, fastrand::u32(..));
    }
}

fn arrival_event(stored: &StoredMessage) -> Result<Event<Element, Rules>, Error> {
    let message = &stored.message;
    let is_c2c = matches!(message.conversation, Conversation::C2c { .. });
    let event = Event::empty().addressed_to(stored.wire_key());
    Ok(Event {
        callback_command: if is_c2c { command::C2C_MESSAGE } else { command::GROUP_MESSAGE }.into(),
        from_account: Some(message.sender.clone()),
        msg_seq: Some(stored.msg_seq),
        event_time: Some(now_ms()),
        message_id: Some(message.message_id.clone()),
        msg_random: Some(message.random),
        msg_time: Some(message.time),
        support_message_extension: Some(message.extensible.into()),
        extension_rules: message.rules.clone(),
        msg_body: Some(elements(stored)?),
        ..event
    })
}

pub(super) fn send_reply(stored: StoredMessage) -> SendReply {
    let is_c2c = matches!(stored.message.conversation, Conversation::C2c { .. });
    SendReply {
        action_status: OK.into(),
        error_info: String::new(),
        error_code: 0,
        msg_time: stored.message.time,
        msg_key: is_c2c.then(|| stored.message.msg_key()),
        msg_seq: (!is_c2c).then_some(stored.msg_seq),
        message_id: Some(stored.message.message_id),
    }
}

pub(super) async fn list_c2c(call: Call<'_>, body: &[u8]) -> Answer {
    let request: ListRequest = call.request(body).await?;
    let own = request.operator_account.unwrap_or_else(|| call.caller.identifier.clone());
    check_user_id("Operator_Account", &own)?;
    let peer = request.peer_account.unwrap_or_default();
    check_user_id("Peer_Account", &peer)?;
    if !call.caller.is_admin && own != call.caller.identifier {
        return Err(Error::new(
            ADMIN_ONLY,
            "Operator_Account must be yourself; only an app admin may list for others",
        ));
    }
    let count = request.max_cnt.unwrap_or(C2C_PAGE).clamp(1, C2C_PAGE) as usize;
    let page = C2cPage {
        users: [own, peer],
        min_time: request.min_time.unwrap_or(0),
        max_time: request.max_time,
        before: request.last_msg_key,
        count: count + 1,
    };
    let mut found = call.app.store.list_c2c(page).await.map_err(|e| failed(&e))?;
    let complete = found.len() <= count;
    found.truncate(count);
    found.reverse();
    to_json(&c2c_page(&found, complete)?)
}

fn c2c_page(oldest_first: &[StoredMessage], complete: bool) -> Result<ListReply<Element, Rules>, Error> {
    let oldest = oldest_first.first().map(|stored| &stored.message);
    Ok(ListReply {
        action_status: OK.into(),
        complete: Some(complete.into()),
        msg_cnt: u32::try_from(oldest_first.len()).ok(),
        last_msg_time: oldest.map(|message| message.time),
        last_msg_key: oldest.map(NewMessage::msg_key),
        msg_list: Some(oldest_first.iter().map(listed).collect::<Result<_, _>>()?),
        ..ListReply::default()
    })
}

pub(super) async fn list_group(call: Call<'_>, body: &[u8]) -> Answer {
    let request: ListRequest = call.request(body).await?;
    let group_id = request.group_id.unwrap_or_default();
    let group = call.group(&group_id).await?.ok_or_else(no_such_group)?;
    let count = request.req_msg_number.unwrap_or(GROUP_PAGE).clamp(1, GROUP_PAGE) as usize;
    let found = call.app.store.list_group(group.no, request.req_msg_seq, count + 1).await;
    let mut found = found.map_err(|e| failed(&e))?;
    let finished = found.len() <= count;
    found.truncate(count);
    to_json(&ListReply {
        action_status: OK.into(),
        group_id: Some(group_id),
        is_finished: Some(finished.into()),
        rsp_msg_list: Some(found.iter().map(listed).collect::<Result<_, _>>()?),
        ..ListReply::default()
    })
}

fn listed(stored: &StoredMessage) -> Result<ListedMessage<Element, Rules>, Error> {
    let message = &stored.message;
    let to = match &message.conversation {
        Conversation::C2c { to } => Some(to.clone()),
        Conversation::Group { .. } => None,
    };
    let is_c2c = to.is_some();
    Ok(ListedMessage {
        from_account: message.sender.clone(),
        to_account: to,
        msg_seq: stored.msg_seq,
        msg_random: message.random,
        msg_time_stamp: message.time,
        msg_flag_bits: is_c2c.then_some(0),
        is_place_msg: (!is_c2c).then_some(0),
        msg_key: is_c2c.then(|| message.msg_key()),
        support_message_extension: message.extensible.into(),
        extension_rules: message.rules.clone(),
        message_id: Some(message.message_id.clone()),
        msg_body: elements(stored)?,
    })
}
