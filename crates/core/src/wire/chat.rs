//! The minimum of a chat's REST API that extensions need: sending and listing messages, making groups. The shapes are
//! the public ones of the mirrored service; `MessageID` is ours. The element type `E` of a body is [`MsgElement`] for the
//! SDK, and `R`, the rules, is [`Json`]; the server keeps bodies as they came, and knows rules.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::fields::{Json, wire_types};
use super::object;

/// The service part of `sendmsg` and `admin_getroammsg`.
pub const C2C_SERVICE: &str = "openim";
/// The service part of the group commands.
pub const GROUP_SERVICE: &str = "group_open_http_svc";

wire_types! {
    /// One element of a message's body.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct MsgElement {
        /// `TIMCustomElem` for a custom message.
        "MsgType" => msg_type: String,
        /// Its content.
        "MsgContent" => msg_content: MsgContent,
    }
}

wire_types! {
    /// The content of a custom or text element.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct MsgContent {
        /// Custom: the data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Data" => data: Option<String>,
        /// Custom: the description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Desc" => desc: Option<String>,
        /// Custom: the extension field.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Ext" => ext: Option<String>,
        /// Text: the text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Text" => text: Option<String>,
    }
}

wire_types! {
    /// `openim/sendmsg` and `group_open_http_svc/send_group_msg`.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default)]
    pub struct SendRequest<E = MsgElement, R = Json> {
        /// 1 or 2; accepted and without effect here.
        #[serde(skip_serializing_if = "Option::is_none")]
        "SyncOtherMachine" => sync_other_machine: Option<u32> [server],
        /// The sender; an admin may name anybody, a user only themselves.
        #[serde(skip_serializing_if = "Option::is_none")]
        "From_Account" => from_account: Option<String>,
        /// One-to-one: the recipient.
        #[serde(skip_serializing_if = "Option::is_none")]
        "To_Account" => to_account: Option<String>,
        /// The group.
        #[serde(skip_serializing_if = "Option::is_none")]
        "GroupId" => group_id: Option<String>,
        /// One-to-one: the sender's sequence; made by the server when missing.
        #[serde(skip_serializing_if = "Option::is_none")]
        "MsgSeq" => msg_seq: Option<u32>,
        /// One-to-one: a random number.
        #[serde(skip_serializing_if = "Option::is_none")]
        "MsgRandom" => msg_random: Option<u32>,
        /// Group: a random number.
        #[serde(skip_serializing_if = "Option::is_none")]
        "Random" => random: Option<u32>,
        /// 1: the message may be extended.
        #[serde(skip_serializing_if = "Option::is_none")]
        "SupportMessageExtension" => support_message_extension: Option<u32>,
        /// The message's rules ([`Rules`](super::Rules); ours).
        #[serde(
            deserialize_with = "object::optional",
            bound(deserialize = "R: Deserialize<'de>"),
            skip_serializing_if = "Option::is_none"
        )]
        "ExtensionRules" => extension_rules: Option<R>,
        /// The message's ID, made by the sender's SDK; made by the server when missing (ours).
        #[serde(skip_serializing_if = "Option::is_none")]
        "MessageID" => message_id: Option<String>,
        /// What the message says; at least one element.
        "MsgBody" => msg_body: Vec<E>,
    }
}

wire_types! {
    /// The reply to a sent message.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct SendReply {
        /// `OK` or `FAIL`.
        "ActionStatus" => action_status: String [server],
        /// A sentence; empty when OK.
        #[serde(default)]
        "ErrorInfo" => error_info: String [server],
        /// 0 when OK.
        "ErrorCode" => error_code: u32 [server],
        /// Seconds since 1970.
        #[serde(default)]
        "MsgTime" => msg_time: u64,
        /// One-to-one: the message's key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MsgKey" => msg_key: Option<String> [server],
        /// Group: the message's Seq in its group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MsgSeq" => msg_seq: Option<u64>,
        /// The message's ID (ours).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MessageID" => message_id: Option<String>,
    }
}

wire_types! {
    /// `openim/admin_getroammsg` and `group_open_http_svc/group_msg_get_simple`: a page of a conversation, newest page first.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default)]
    pub struct ListRequest {
        /// One-to-one: whose view; a user only their own.
        #[serde(alias = "From_Account", skip_serializing_if = "Option::is_none")]
        "Operator_Account" => operator_account: Option<String>,
        /// One-to-one: the other party.
        #[serde(alias = "To_Account", skip_serializing_if = "Option::is_none")]
        "Peer_Account" => peer_account: Option<String>,
        /// One-to-one: at most this many messages, 1 to 100.
        #[serde(skip_serializing_if = "Option::is_none")]
        "MaxCnt" => max_cnt: Option<u32>,
        /// One-to-one: not older than this, seconds since 1970.
        #[serde(skip_serializing_if = "Option::is_none")]
        "MinTime" => min_time: Option<u64>,
        /// One-to-one: not newer than this, seconds since 1970.
        #[serde(skip_serializing_if = "Option::is_none")]
        "MaxTime" => max_time: Option<u64>,
        /// One-to-one: continue before the message with this key, from the last reply.
        #[serde(skip_serializing_if = "Option::is_none")]
        "LastMsgKey" => last_msg_key: Option<String>,
        /// The group.
        #[serde(skip_serializing_if = "Option::is_none")]
        "GroupId" => group_id: Option<String>,
        /// Group: at most this many messages, 1 to 20.
        #[serde(skip_serializing_if = "Option::is_none")]
        "ReqMsgNumber" => req_msg_number: Option<u32>,
        /// Group: the largest MsgSeq wanted.
        #[serde(skip_serializing_if = "Option::is_none")]
        "ReqMsgSeq" => req_msg_seq: Option<u64>,
    }
}

wire_types! {
    /// A message in a list.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct ListedMessage<E = MsgElement, R = Json> {
        /// The sender.
        "From_Account" => from_account: String,
        /// One-to-one: the recipient.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "To_Account" => to_account: Option<String>,
        /// The sender's sequence, or the Seq in the group.
        "MsgSeq" => msg_seq: u64,
        /// The sender's random number.
        "MsgRandom" => msg_random: u32,
        /// Seconds since 1970.
        "MsgTimeStamp" => msg_time_stamp: u64,
        /// One-to-one: 0 as long as nothing here recalls messages.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MsgFlagBits" => msg_flag_bits: Option<u32> [server],
        /// Group: 0 as long as nothing here deletes messages.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "IsPlaceMsg" => is_place_msg: Option<u32> [server],
        /// One-to-one: the message's key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MsgKey" => msg_key: Option<String> [server],
        /// 1 if it may be extended.
        #[serde(default)]
        "SupportMessageExtension" => support_message_extension: u32,
        /// The message's rules ([`Rules`](super::Rules); ours).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "ExtensionRules" => extension_rules: Option<R>,
        /// The message's ID (ours).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MessageID" => message_id: Option<String>,
        /// What it says.
        "MsgBody" => msg_body: Vec<E>,
    }
}

wire_types! {
    /// The reply to a list; one-to-one fields and group fields side by side, those that do not apply left out.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct ListReply<E = MsgElement, R = Json> {
        /// `OK` or `FAIL`.
        "ActionStatus" => action_status: String [server],
        /// A sentence; empty when OK.
        #[serde(default)]
        "ErrorInfo" => error_info: String [server],
        /// 0 when OK.
        "ErrorCode" => error_code: u32 [server],
        /// One-to-one: 1 when nothing older is left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Complete" => complete: Option<u32>,
        /// One-to-one: how many follow.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MsgCnt" => msg_cnt: Option<u32> [server],
        /// One-to-one: time of the oldest, for the next call's `MaxTime`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "LastMsgTime" => last_msg_time: Option<u64> [server],
        /// One-to-one: key of the oldest, for the next call's `LastMsgKey`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "LastMsgKey" => last_msg_key: Option<String>,
        /// One-to-one: the messages, oldest first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MsgList" => msg_list: Option<Vec<ListedMessage<E, R>>>,
        /// Group: the group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "GroupId" => group_id: Option<String> [server],
        /// Group: 1 when nothing older is left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "IsFinished" => is_finished: Option<u32>,
        /// Group: the messages, newest first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "RspMsgList" => rsp_msg_list: Option<Vec<ListedMessage<E, R>>>,
    }
}

/// `group_open_http_svc/create_group` (admin).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateGroupRequest {
    /// The owner, a member from the start.
    #[serde(rename = "Owner_Account", skip_serializing_if = "Option::is_none")]
    pub owner_account: Option<String>,
    /// Private, Public, ChatRoom, AVChatRoom or Community.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The ID wanted; made by the server when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    /// Members from the start.
    #[serde(deserialize_with = "object::list")]
    pub member_list: Vec<Member>,
}

/// A member to add, and the outcome of adding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Member {
    /// UserID.
    #[serde(rename = "Member_Account")]
    pub member_account: String,
    /// In a reply: 1 added, 2 was a member already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<u32>,
}

/// `add_group_member`, `delete_group_member` and `destroy_group` (admin).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GroupRequest {
    /// The group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    /// add: whom.
    #[serde(deserialize_with = "object::list")]
    pub member_list: Vec<Member>,
    /// delete: whom.
    #[serde(rename = "MemberToDel_Account")]
    pub member_to_del_account: Vec<String>,
    /// add and delete: accepted and without effect here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silence: Option<u32>,
}

/// The reply to `create_group` and `add_group_member`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupReply {
    /// `OK` or `FAIL`.
    pub action_status: String,
    /// A sentence; empty when OK.
    #[serde(default)]
    pub error_info: String,
    /// 0 when OK.
    pub error_code: u32,
    /// create: the group's ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    /// add: what became of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_list: Option<Vec<Member>>,
}
