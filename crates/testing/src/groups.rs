//! Groups and their members (admin).

use message_extensions_core::code::{Error, GROUP_EXISTS};
use message_extensions_core::serve::body;
use message_extensions_core::serve::names::{
    check_group, check_group_id, check_user_id, user_ids, user_ids_or_none,
};
use message_extensions_core::serve::refusal::no_such_group;
use message_extensions_core::serve::sending::farewell;
use message_extensions_core::wire::{
    CreateGroupRequest, GroupReply, GroupRequest, Member, OK, Status, command,
};

use crate::calls::{Answer, to_json};
use crate::io::{Call, Output};
use crate::server::{Conversation, Group, Server};

impl Server {
    pub(crate) fn create_group(&mut self, call: &Call) -> Answer {
        let request: CreateGroupRequest = body::parse(call.body.as_bytes())?;
        let group_type = request.r#type.unwrap_or_default();
        check_group(&group_type, &request.name.unwrap_or_default())?;
        let group_id = request.group_id.unwrap_or_default();
        check_group_id(&group_id)?;
        let mut members = user_ids_or_none("MemberList", accounts(request.member_list))?;
        if let Some(owner) = request.owner_account {
            check_user_id("Owner_Account", &owner)?;
            members.push(owner);
        }
        if self.groups.contains_key(&group_id) {
            let text = format!("there is a group with the GroupId {group_id} already");
            return Err(Error::with(GROUP_EXISTS, text));
        }
        self.last_group += 1;
        let members = members.into_iter().collect();
        let group = Group { no: self.last_group, group_type, members, last_msg_seq: 0 };
        self.groups.insert(group_id.clone(), group);
        to_json(&GroupReply { action_status: OK.into(), group_id: Some(group_id), ..GroupReply::default() })
    }

    pub(crate) fn destroy_group(&mut self, call: &Call, now: u64, output: &mut Output) -> Answer {
        let group_id = group_id(&body::parse(call.body.as_bytes())?)?;
        let gone = self.groups.remove(&group_id).ok_or_else(no_such_group)?;
        let is_kept = |conversation: &Conversation| !matches!(conversation, Conversation::Group { no, .. } if *no == gone.no);
        self.messages.retain(|held| is_kept(&held.conversation));
        let event = to_json(&farewell(command::GROUP_DESTROYED, group_id, now))?;
        self.push_to(|user| gone.members.contains(user), &event, output);
        to_json(&Status::ok())
    }

    pub(crate) fn add_members(&mut self, call: &Call) -> Answer {
        let request: GroupRequest = body::parse(call.body.as_bytes())?;
        let group_id = group_id(&request)?;
        let users = user_ids("MemberList", accounts(request.member_list))?;
        let group = self.groups.get_mut(&group_id).ok_or_else(no_such_group)?;
        let outcome = |user: String| {
            let is_new = group.members.insert(user.clone());
            Member { member_account: user, result: Some(if is_new { 1 } else { 2 }) }
        };
        let member_list = Some(users.into_iter().map(outcome).collect());
        to_json(&GroupReply { action_status: OK.into(), member_list, ..GroupReply::default() })
    }

    pub(crate) fn delete_members(&mut self, call: &Call, now: u64, output: &mut Output) -> Answer {
        let request: GroupRequest = body::parse(call.body.as_bytes())?;
        let group_id = group_id(&request)?;
        let users = user_ids("MemberToDel_Account", request.member_to_del_account)?;
        let group = self.groups.get_mut(&group_id).ok_or_else(no_such_group)?;
        let past: Vec<_> = users.into_iter().filter(|user| group.members.remove(user)).collect();
        let event = to_json(&farewell(command::GROUP_LEFT, group_id, now))?;
        self.push_to(|user| past.iter().any(|other| other == user), &event, output);
        to_json(&Status::ok())
    }
}

fn accounts(members: Vec<Member>) -> Vec<String> {
    members.into_iter().map(|member| member.member_account).collect()
}

fn group_id(request: &GroupRequest) -> Result<String, Error> {
    let group_id = request.group_id.clone().unwrap_or_default();
    check_group_id(&group_id).map(|()| group_id)
}
