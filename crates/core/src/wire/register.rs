//! Adopting messages that another chat carries.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::{Member, Rules, object};

/// `openim_msg_ext_http_svc/register_message` (ours, admin): makes a message known that another chat carries, so that it can
/// be extended. It is named by `To_Account` and `MsgKey`, or by `GroupId` and `MsgSeq`. The reply is a
/// [`SendReply`](super::SendReply).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RegisterRequest {
    /// The message's sender.
    #[serde(rename = "From_Account", skip_serializing_if = "Option::is_none")]
    pub from_account: Option<String>,
    /// One-to-one: the recipient.
    #[serde(rename = "To_Account", skip_serializing_if = "Option::is_none")]
    pub to_account: Option<String>,
    /// One-to-one: the message's key, `{sequence}_{random}_{time in seconds}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub msg_key: Option<String>,
    /// The group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    /// The message's Seq in its group, 1 to 4294967295.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub msg_seq: Option<u32>,
    /// Group: its type, should it not exist here yet; Public when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// Group: all its members, should it not exist here yet; of no effect on one that exists.
    #[serde(deserialize_with = "object::list", skip_serializing_if = "Vec::is_empty")]
    pub member_list: Vec<Member>,
    /// 1, or missing: the message may be extended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_message_extension: Option<u32>,
    /// The message's rules.
    #[serde(deserialize_with = "object::optional", skip_serializing_if = "Option::is_none")]
    pub extension_rules: Option<Rules>,
    /// The ID that pushes and lists give the message; made by the server when missing.
    #[serde(rename = "MessageID", skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
}
