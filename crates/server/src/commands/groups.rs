//! Groups (admin).

use std::collections::HashSet;

use message_extensions_core::code::{Error, GROUP_EXISTS};
use message_extensions_core::serve::names::{
    check_group, check_group_id, check_user_id, user_ids, user_ids_or_none,
};
use message_extensions_core::serve::refusal::no_such_group;
use message_extensions_core::serve::sending::farewell;
use message_extensions_core::wire::{
    CreateGroupRequest, GroupReply, GroupRequest, Member, OK, Status, command,
};

use super::{Call, failed, to_json};
use crate::clock::now_ms;
use crate::envelope::Answer;
use crate::hub::EventJson;
use crate::store::NewGroup;

pub(super) async fn create(call: Call<'_>, body: &[u8]) -> Answer {
    let request: CreateGroupRequest = call.admin_request(body).await?;
    let group = new_group(request)?;
    let reply = GroupReply {
        action_status: OK.into(),
        group_id: Some(group.group_id.clone()),
        ..GroupReply::default()
    };
    let group_id = group.group_id.clone();
    if make(&call, group).await? {
        return to_json(&reply);
    }
    Err(Error::with(GROUP_EXISTS, format!("there is a group with the GroupId {group_id} already")))
}

/// `false`: there is one with this ID.
pub(super) async fn make(call: &Call<'_>, group: NewGroup) -> Result<bool, Error> {
    let (group_id, members) = (group.group_id.clone(), group.members.clone());
    let changing = call.app.delivery.membership(&group_id).await;
    let made = call.app.store.create_group(group).await;
    call.app.groups.forget(&group_id);
    drop(changing);
    call.app.delivery.welcome(&group_id, &members).await;
    made.map_err(|e| failed(&e))
}

pub(super) async fn destroy(call: Call<'_>, body: &[u8]) -> Answer {
    let request: GroupRequest = call.admin_request(body).await?;
    let group_id = group_id(&request)?;
    let changing = call.app.delivery.membership(&group_id).await;
    let members = call.app.store.destroy_group(&group_id).await;
    call.app.groups.forget(&group_id);
    let members = members.map_err(|e| failed(&e))?.ok_or_else(no_such_group)?;
    bid_farewell(&call, members, command::GROUP_DESTROYED, group_id).await?;
    drop(changing);
    to_json(&Status::ok())
}

pub(super) async fn add_members(call: Call<'_>, body: &[u8]) -> Answer {
    let request: GroupRequest = call.admin_request(body).await?;
    let group_id = group_id(&request)?;
    let users = user_ids("MemberList", request.member_list.into_iter().map(|m| m.member_account).collect())?;
    let changing = call.app.delivery.membership(&group_id).await;
    let added = call.app.store.add_members(&group_id, users.clone()).await;
    call.app.groups.forget(&group_id);
    drop(changing);
    let added = added.map_err(|e| failed(&e))?.ok_or_else(no_such_group)?;
    call.app.delivery.welcome(&group_id, &users).await;
    let outcome =
        |(member_account, is_new)| Member { member_account, result: Some(if is_new { 1 } else { 2 }) };
    let member_list = Some(users.into_iter().zip(added).map(outcome).collect());
    to_json(&GroupReply { action_status: OK.into(), member_list, ..GroupReply::default() })
}

pub(super) async fn delete_members(call: Call<'_>, body: &[u8]) -> Answer {
    let request: GroupRequest = call.admin_request(body).await?;
    let group_id = group_id(&request)?;
    let users = user_ids("MemberToDel_Account", request.member_to_del_account)?;
    let changing = call.app.delivery.membership(&group_id).await;
    let removed = call.app.store.remove_members(&group_id, users.clone()).await;
    call.app.groups.forget(&group_id);
    let removed = removed.map_err(|e| failed(&e))?.ok_or_else(no_such_group)?;
    let past = users.into_iter().zip(removed).filter_map(|(user, was_member)| was_member.then_some(user));
    bid_farewell(&call, past.collect(), command::GROUP_LEFT, group_id).await?;
    drop(changing);
    to_json(&Status::ok())
}

/// Tells past members that the group is none of theirs any more.
async fn bid_farewell(
    call: &Call<'_>,
    past: HashSet<String>,
    command: &str,
    group_id: String,
) -> Result<(), Error> {
    let event = farewell(command, group_id.clone(), now_ms());
    call.app.delivery.bid_farewell(&group_id, past, EventJson::from(to_json(&event)?)).await;
    Ok(())
}

pub(super) fn new_group(request: CreateGroupRequest) -> Result<NewGroup, Error> {
    let group_type = request.r#type.unwrap_or_default();
    let name = request.name.unwrap_or_default();
    check_group(&group_type, &name)?;
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

fn group_id(request: &GroupRequest) -> Result<String, Error> {
    let group_id = request.group_id.clone().unwrap_or_default();
    check_group_id(&group_id).map(|()| group_id)
}
