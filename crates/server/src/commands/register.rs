//! Adopting a message that another chat carries (admin). Nobody is told of it: whoever sees the message has it from there.

use message_extensions_core::code::{Error, NO_SUCH_GROUP, NOT_SUPPORTED};
use message_extensions_core::message::{is_refused_group, message_id};
use message_extensions_core::serve::names::{check_group_id, check_user_id};
use message_extensions_core::serve::refusal::{invalid, no_such_group};
use message_extensions_core::serve::sending::{check_message_id, check_rules};
use message_extensions_core::wire::{CreateGroupRequest, RegisterRequest};

use super::{Call, failed, groups, to_json};
use crate::clock::now_s;
use crate::envelope::Answer;
use crate::store::{Conversation, NewMessage, StoredMessage, msg_key_numbers};

/// Doing it again answers as the first time, and what the message holds is left alone.
pub(super) async fn register(call: Call<'_>, body: &[u8]) -> Answer {
    let request: RegisterRequest = call.admin_request(body).await?;
    let given_id = request.message_id.clone();
    let message = new_message(&call, request).await?;
    to_json(&keep(&call, message, given_id).await?.sent().reply())
}

async fn new_message(call: &Call<'_>, request: RegisterRequest) -> Result<NewMessage, Error> {
    let sender = request.from_account.clone().unwrap_or_default();
    check_user_id("From_Account", &sender)?;
    let extensible = match request.support_message_extension {
        None | Some(1) => true,
        Some(0) => false,
        Some(other) => {
            return Err(invalid(format!("SupportMessageExtension must be 1, 0 or left out, not {other}")));
        }
    };
    if let Some(id) = &request.message_id {
        check_message_id(id, &sender, call.caller.is_admin)?;
    }
    let rules = request.extension_rules.clone();
    check_rules(rules.as_ref(), extensible, &call.app.config.limits)?;
    let given_id = request.message_id.clone();
    let is_c2c = request.to_account.is_some() || request.msg_key.is_some();
    let is_group = request.group_id.is_some() || request.msg_seq.is_some();
    if is_c2c && is_group {
        return Err(invalid(
            "a message is named by To_Account and MsgKey, or by GroupId and MsgSeq: leave two of them out",
        ));
    }
    let (conversation, (sequence, random, time)) = if is_group {
        let msg_seq = request.msg_seq.filter(|seq| *seq > 0);
        let msg_seq = msg_seq.ok_or_else(|| invalid("MsgSeq must be an integer from 1 to 4294967295"))?;
        (adopted_group(call, request, extensible).await?, (msg_seq, fastrand::u32(..), now_s()))
    } else {
        let to = request.to_account.unwrap_or_default();
        check_user_id("To_Account", &to)?;
        let numbers = msg_key_numbers(request.msg_key.as_deref().unwrap_or_default());
        let numbers = numbers.ok_or_else(|| {
            invalid("MsgKey must be {sequence}_{random}_{time}: two 32-bit unsigned integers and seconds since 1970")
        })?;
        (Conversation::C2c { to }, numbers)
    };
    let message_id = given_id.unwrap_or_else(|| message_id(&sender, time, random));
    let body = "[]".to_owned();
    Ok(NewMessage { sender, conversation, sequence, random, time, extensible, message_id, body, rules })
}

/// The group that is named, made if need be. Members of one that exists are left as they are: a request that comes late or
/// twice must not bring back who was removed.
async fn adopted_group(
    call: &Call<'_>,
    request: RegisterRequest,
    extensible: bool,
) -> Result<Conversation, Error> {
    let group_id = request.group_id.unwrap_or_default();
    check_group_id(&group_id)?;
    let mut group = call.group(&group_id).await?;
    let known_type = group.as_ref().map(|group| group.group_type.clone());
    let group_type = known_type.or(request.r#type).unwrap_or_else(|| "Public".into());
    if extensible && is_refused_group(&group_type, &group_id) {
        return Err(Error::new(
            NOT_SUPPORTED,
            "messages of AVChatRoom and Community groups do not support extensions",
        ));
    }
    if group.is_none() {
        if request.member_list.is_empty() {
            return Err(Error::new(
                NO_SUCH_GROUP,
                "GroupId names no group that exists: give MemberList, and the group is made",
            ));
        }
        let new = groups::new_group(CreateGroupRequest {
            r#type: Some(group_type),
            name: Some(group_id.clone()),
            group_id: Some(group_id.clone()),
            member_list: request.member_list,
            owner_account: None,
        })?;
        // That somebody else was faster is no matter.
        groups::make(call, new).await?;
        group = call.group(&group_id).await?;
    }
    let no = group.ok_or_else(no_such_group)?.no;
    Ok(Conversation::Group { group_id, no })
}

/// Keeps the message, or finds it; what is found must be what the request says.
async fn keep(
    call: &Call<'_>,
    mut message: NewMessage,
    given_id: Option<String>,
) -> Result<StoredMessage, Error> {
    loop {
        let inserted = call.app.store.insert_message(message.clone()).await.map_err(|e| failed(&e))?;
        let inserted = inserted.ok_or_else(no_such_group)?;
        if inserted.is_new {
            return Ok(inserted.stored);
        }
        let found = inserted.stored;
        if is_named(&found, &message) {
            return agrees(&found.message, &message, given_id.as_deref()).map(|()| found);
        }
        if given_id.is_some() {
            return Err(invalid("MessageID is that of another message of this sender and conversation"));
        }
        // An ID that was made here names no other message.
        message.message_id = message_id(&message.sender, message.time, fastrand::u32(..));
    }
}

/// Whether the message that was found is the one that is named, and not another one with its MessageID.
fn is_named(found: &StoredMessage, named: &NewMessage) -> bool {
    match named.conversation {
        Conversation::C2c { .. } => found.message.msg_key() == named.msg_key(),
        Conversation::Group { .. } => found.msg_seq == u64::from(named.sequence),
    }
}

fn agrees(found: &NewMessage, given: &NewMessage, given_id: Option<&str>) -> Result<(), Error> {
    let field = if found.sender != given.sender {
        "From_Account"
    } else if found.extensible != given.extensible {
        "SupportMessageExtension"
    } else if found.rules != given.rules {
        "ExtensionRules"
    } else if given_id.is_some_and(|id| id != found.message_id) {
        "MessageID"
    } else {
        return Ok(());
    };
    Err(invalid(format!("{field} is another than that of the message, which exists already")))
}
