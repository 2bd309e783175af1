//! Sending and listing messages.

use message_extensions_core::code::Error;
use message_extensions_core::limits::Limits;
use message_extensions_core::message::{is_refused_group, message_id};
use message_extensions_core::serve::names::check_user_id;
use message_extensions_core::serve::refusal::no_such_group;
use message_extensions_core::serve::sending::{
    Element, c2c_count, c2c_page, check_message_id, check_operator, check_rules, check_sender, checked_body,
    group_count, group_page,
};
use message_extensions_core::wire::{ListRequest, Rules, SendRequest};

use super::{Call, failed, to_json};
use crate::caller::Caller;
use crate::clock::{now_ms, now_s};
use crate::envelope::Answer;
use crate::hub::EventJson;
use crate::store::{C2cPage, Conversation, Inserted, NewMessage, StoredMessage};

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
    check_sender(&sender, &caller.identifier, caller.is_admin)?;
    if let Some(id) = &request.message_id {
        check_message_id(id, &sender, caller.is_admin)?;
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

/// For how long somebody may go on trying to send a message, seconds.
const RETRIED_FOR: u64 = 60;

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
    // Of one that is sent again it is not known whether the first attempt, had it no answer, has pushed it: clients know it by
    // its ID.
    let is_retry = call.app.store.is_shared() && stored.message.time + RETRIED_FOR > now_ms() / 1000;
    if is_new || is_retry {
        let event = to_json(&stored.sent().arrival(now_ms()).map_err(|e| failed(&e))?)?;
        let message = &stored.message;
        delivery.push_event(&message.sender, &message.conversation, EventJson::from(event)).await;
    }
    drop(arrival);
    to_json(&stored.sent().reply())
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

pub(super) async fn list_c2c(call: Call<'_>, body: &[u8]) -> Answer {
    let request: ListRequest = call.request(body).await?;
    let own = request.operator_account.unwrap_or_else(|| call.caller.identifier.clone());
    check_user_id("Operator_Account", &own)?;
    let peer = request.peer_account.unwrap_or_default();
    check_user_id("Peer_Account", &peer)?;
    check_operator(&own, &call.caller.identifier, call.caller.is_admin)?;
    let count = c2c_count(request.max_cnt);
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
    let page: Vec<_> = found.iter().map(StoredMessage::sent).collect();
    to_json(&c2c_page(&page, complete).map_err(|e| failed(&e))?)
}

pub(super) async fn list_group(call: Call<'_>, body: &[u8]) -> Answer {
    let request: ListRequest = call.request(body).await?;
    let group_id = request.group_id.unwrap_or_default();
    let group = call.group(&group_id).await?.ok_or_else(no_such_group)?;
    let count = group_count(request.req_msg_number);
    let found = call.app.store.list_group(group.no, request.req_msg_seq, count + 1).await;
    let mut found = found.map_err(|e| failed(&e))?;
    let finished = found.len() <= count;
    found.truncate(count);
    let page: Vec<_> = found.iter().map(StoredMessage::sent).collect();
    to_json(&group_page(group_id, &page, finished).map_err(|e| failed(&e))?)
}
