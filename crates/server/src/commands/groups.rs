//! Groups (admin).

use message_extensions_core::code::{ADMIN_ONLY, Error, GROUP_EXISTS, NO_SUCH_GROUP};
use message_extensions_core::wire::{CreateGroupRequest, GroupReply, GroupRequest, Member, OK, Status};
use serde::de::DeserializeOwned;

use super::{Call, failed, invalid, to_json};
use crate::caller::check_user_id;
use crate::envelope::Answer;
use crate::store::NewGroup;

/// Longest GroupId, bytes of UTF-8.
const GROUP_ID_BYTES: usize = 48;
/// Longest Name, bytes of UTF-8.
const NAME_BYTES: usize = 100;
/// Members in one request.
const MEMBERS: usize = 500;
const TYPES: [&str; 5] = ["Private", "Public", "ChatRoom", "AVChatRoom", "Community"];

pub(super) fn no_such_group() -> Error {
    Error::new(NO_SUCH_GROUP, "GroupId names no group that exists and that you may see")
}

pub(super) async fn create(call: Call<'_>, body: &[u8]) -> Answer {
    let request: CreateGroupRequest = admin_request(&call, body)?;
    let group = new_group(request)?;
    let reply = GroupReply {
        action_status: OK.into(),
        group_id: Some(group.group_id.clone()),
        ..GroupReply::default()
    };
    let group_id = group.group_id.clone();
    let created = call.app.store.create_group(group).await;
    call.app.groups.forget(&group_id);
    if created.map_err(|e| failed(&e))? {
        return to_json(&reply);
    }
    Err(Error::with(GROUP_EXISTS, format!("there is a group with the GroupId {group_id} already")))
}

pub(super) async fn destroy(call: Call<'_>, body: &[u8]) -> Answer {
    let request: GroupRequest = admin_request(&call, body)?;
    let group_id = group_id(&request)?;
    let destroyed = call.app.store.destroy_group(&group_id).await;
    call.app.groups.forget(&group_id);
    done(destroyed.map_err(|e| failed(&e))?)
}

pub(super) async fn add_members(call: Call<'_>, body: &[u8]) -> Answer {
    let request: GroupRequest = admin_request(&call, body)?;
    let group_id = group_id(&request)?;
    let users = user_ids("MemberList", request.member_list.into_iter().map(|m| m.member_account).collect())?;
    let added = call.app.store.add_members(&group_id, users.clone()).await;
    call.app.groups.forget(&group_id);
    let added = added.map_err(|e| failed(&e))?.ok_or_else(no_such_group)?;
    let outcome =
        |(member_account, is_new)| Member { member_account, result: Some(if is_new { 1 } else { 2 }) };
    let member_list = Some(users.into_iter().zip(added).map(outcome).collect());
    to_json(&GroupReply { action_status: OK.into(), member_list, ..GroupReply::default() })
}

pub(super) async fn delete_members(call: Call<'_>, body: &[u8]) -> Answer {
    let request: GroupRequest = admin_request(&call, body)?;
    let group_id = group_id(&request)?;
    let users = user_ids("MemberToDel_Account", request.member_to_del_account)?;
    let removed = call.app.store.remove_members(&group_id, users).await;
    call.app.groups.forget(&group_id);
    done(removed.map_err(|e| failed(&e))?)
}

fn done(exists: bool) -> Answer {
    if exists { to_json(&Status::ok()) } else { Err(no_such_group()) }
}

fn admin_request<T: DeserializeOwned>(call: &Call<'_>, body: &[u8]) -> Result<T, Error> {
    let request = call.request(body)?;
    if call.caller.is_admin {
        return Ok(request);
    }
    Err(Error::new(ADMIN_ONLY, "only an app admin may make this call"))
}

fn new_group(request: CreateGroupRequest) -> Result<NewGroup, Error> {
    let group_type = request.r#type.unwrap_or_default();
    if !TYPES.contains(&group_type.as_str()) {
        return Err(invalid(format!("Type must be one of {}", TYPES.join(", "))));
    }
    let name = request.name.unwrap_or_default();
    if !(1..=NAME_BYTES).contains(&name.len()) {
        return Err(invalid(format!("Name must have 1 to {NAME_BYTES} bytes of UTF-8")));
    }
    let group_id = request.group_id.unwrap_or_else(|| made_group_id(&group_type));
    check_group_id(&group_id)?;
    let mut members =
        user_ids_or_none("MemberList", request.member_list.into_iter().map(|m| m.member_account).collect())?;
    if let Some(owner) = request.owner_account {
        check_user_id("Owner_Account", &owner)?;
        members.push(owner);
    }
    Ok(NewGroup { group_id, group_type, name, members })
}

/// Made as the mirrored service makes them; a Community's begin with `@TGS#_`.
fn made_group_id(group_type: &str) -> String {
    let prefix = if group_type == "Community" { "@TGS#_" } else { "@TGS#" };
    let random = std::iter::repeat_with(fastrand::alphanumeric).take(16).collect::<String>();
    format!("{prefix}{}", random.to_ascii_uppercase())
}

fn check_group_id(group_id: &str) -> Result<(), Error> {
    if (1..=GROUP_ID_BYTES).contains(&group_id.len()) && !group_id.chars().any(char::is_control) {
        return Ok(());
    }
    Err(invalid(format!("GroupId must have 1 to {GROUP_ID_BYTES} bytes of UTF-8 and no control characters")))
}

fn group_id(request: &GroupRequest) -> Result<String, Error> {
    let group_id = request.group_id.clone().unwrap_or_default();
    check_group_id(&group_id).map(|()| group_id)
}

fn user_ids(field: &str, users: Vec<String>) -> Result<Vec<String>, Error> {
    if users.is_empty() {
        return Err(invalid(format!("{field} must hold at least one UserID")));
    }
    user_ids_or_none(field, users)
}

fn user_ids_or_none(field: &str, users: Vec<String>) -> Result<Vec<String>, Error> {
    if users.len() > MEMBERS {
        return Err(invalid(format!("{field} holds {} UserIDs, at most {MEMBERS} are allowed", users.len())));
    }
    for (i, user) in users.iter().enumerate() {
        check_user_id(&format!("{field}[{i}]"), user)?;
    }
    Ok(users)
}
