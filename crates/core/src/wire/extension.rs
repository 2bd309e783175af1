//! Set and pull of extensions: seeds 002 (set, one-to-one; group set is alike), 003 and 004 (pull).

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::fields::wire_types;
use super::object;
use crate::code::{Error, INVALID_PARAMETER};
use crate::message::MessageRef;

/// The service part of the four commands' URLs.
pub const EXTENSION_SERVICE: &str = "openim_msg_ext_http_svc";

/// `OperateType` (seed 002).
pub mod operate_type {
    /// Set key-value pairs.
    pub const SET: u32 = 1;
    /// Delete keys.
    pub const DELETE: u32 = 2;
    /// Clear the message.
    pub const CLEAR: u32 = 3;
}

/// The fields that name a message, the same in every request, change and frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// `From_Account`.
    pub from_account: Option<String>,
    /// `To_Account`.
    pub to_account: Option<String>,
    /// `MsgKey`.
    pub msg_key: Option<String>,
    /// `GroupId`.
    pub group_id: Option<String>,
    /// `MsgSeq`.
    pub msg_seq: Option<u64>,
}

impl From<MessageRef> for Address {
    #[inline(never)]
    fn from(message: MessageRef) -> Self {
        match message {
            MessageRef::C2c { from, to, msg_key } => {
                Self { from_account: from, to_account: Some(to), msg_key: Some(msg_key), ..Self::default() }
            }
            MessageRef::Group { group_id, msg_seq } => {
                Self { group_id: Some(group_id), msg_seq: Some(msg_seq), ..Self::default() }
            }
        }
    }
}

impl Address {
    /// The message that is named, a group's if `GroupId` is there; `None` if a field is missing or empty.
    #[must_use]
    pub fn message(self) -> Option<MessageRef> {
        let or_none = |_| ();
        if self.group_id.is_some() { self.group_or(or_none).ok() } else { self.c2c_or(or_none).ok() }
    }

    /// The one-to-one message that is named: `To_Account` and `MsgKey` are required (seeds 002, 003).
    ///
    /// # Errors
    /// 10004 naming the field that is missing or empty.
    pub fn c2c(self) -> Result<MessageRef, Error> {
        self.c2c_or(|text| Error::new(INVALID_PARAMETER, text))
    }

    /// The group message that is named: `GroupId` and `MsgSeq` are required (seed 004).
    ///
    /// # Errors
    /// 10004 naming the field that is missing or empty.
    pub fn group(self) -> Result<MessageRef, Error> {
        self.group_or(|text| Error::new(INVALID_PARAMETER, text))
    }

    fn c2c_or<E>(self, refused: impl Fn(&'static str) -> E) -> Result<MessageRef, E> {
        let to = required(self.to_account).ok_or_else(|| {
            refused("To_Account must be the UserID of the message's recipient, a string that is not empty")
        })?;
        let msg_key = required(self.msg_key)
            .ok_or_else(|| refused("MsgKey must be the message's key, a string that is not empty"))?;
        if self.from_account.as_deref() == Some("") {
            return Err(refused(
                "From_Account must not be empty: leave it out, or give the UserID of the message's sender",
            ));
        }
        Ok(MessageRef::C2c { from: self.from_account, to, msg_key })
    }

    fn group_or<E>(self, refused: impl Fn(&'static str) -> E) -> Result<MessageRef, E> {
        let group_id = required(self.group_id)
            .ok_or_else(|| refused("GroupId must be the ID of a group, a string that is not empty"))?;
        let msg_seq = self
            .msg_seq
            .ok_or_else(|| refused("MsgSeq must be the Seq of a message of the group, an integer"))?;
        Ok(MessageRef::Group { group_id, msg_seq })
    }
}

fn required(value: Option<String>) -> Option<String> {
    value.filter(|v| !v.is_empty())
}

/// Gives a wire type its address fields as an [`Address`].
macro_rules! addressed {
    ($($type:ident $(<$($parameter:ident),+>)?),*) => {$(
        impl $(<$($parameter),+>)? $type $(<$($parameter),+>)? {
            /// The fields that name the message, taken out.
            pub fn take_address(&mut self) -> Address {
                Address {
                    from_account: self.from_account.take(),
                    to_account: self.to_account.take(),
                    msg_key: self.msg_key.take(),
                    group_id: self.group_id.take(),
                    msg_seq: self.msg_seq.take(),
                }
            }

            /// The fields that name the message.
            #[must_use]
            pub fn address(&self) -> Address {
                Address {
                    from_account: self.from_account.clone(),
                    to_account: self.to_account.clone(),
                    msg_key: self.msg_key.clone(),
                    group_id: self.group_id.clone(),
                    msg_seq: self.msg_seq,
                }
            }

            /// The same with the message named by `message`.
            #[must_use]
            pub fn addressed_to(mut self, message: MessageRef) -> Self {
                let address = Address::from(message);
                self.from_account = address.from_account;
                self.to_account = address.to_account;
                self.msg_key = address.msg_key;
                self.group_id = address.group_id;
                self.msg_seq = address.msg_seq;
                self
            }
        }
    )*};
}
pub(super) use addressed;

/// [`wire_types`] whose first fields name a message.
macro_rules! addressed_types {
    ($($(#[$on_type:meta])* pub struct $name:ident { $($fields:tt)* })*) => {
        $crate::wire::fields::wire_types! {$(
            $(#[$on_type])*
            pub struct $name {
                /// UserID of the sender of a one-to-one message; a request may leave it out.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                "From_Account" => from_account: Option<String>,
                /// UserID of the recipient of a one-to-one message.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                "To_Account" => to_account: Option<String>,
                /// Key of a one-to-one message.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                "MsgKey" => msg_key: Option<String>,
                /// Group of a group message.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                "GroupId" => group_id: Option<String>,
                /// Seq of a group message in its group.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                "MsgSeq" => msg_seq: Option<u64>,
                $($fields)*
            }
        )*}
        $crate::wire::extension::addressed!($($name),*);
    };
}
pub(super) use addressed_types;

addressed_types! {
    /// `set_key_values` and `group_set_key_values`: set, delete or clear (seed 002).
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default)]
    pub struct SetRequest {
        /// See [`operate_type`].
        #[serde(skip_serializing_if = "Option::is_none")]
        "OperateType" => operate_type: Option<u32>,
        /// 1 to 20 items for set and delete; none, or empty, for clear.
        #[serde(deserialize_with = "object::optional_list", skip_serializing_if = "Option::is_none")]
        "ExtensionList" => extension_list: Option<Vec<Item>>,
    }
}

wire_types! {
    /// An item of a set or delete request.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Item {
        /// The key, 1 to 100 bytes.
        "Key" => key: String,
        /// The value, 1 to 1,000 bytes; ignored by delete.
        #[serde(default)]
        "Value" => value: String,
        /// The key's Seq as the caller knows it; an admin may omit it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Seq" => seq: Option<u64>,
    }
}

wire_types! {
    /// A key with its value and Seq, as every reply carries it. A deleted key has the value `""`.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Extension {
        /// The key.
        "Key" => key: String,
        /// The value; `""` for a tombstone.
        #[serde(default)]
        "Value" => value: String,
        /// The Seq of the operation that wrote it.
        "Seq" => seq: u64,
        /// UserID of who wrote it; only in a pull with `WithAuthor: 1` (ours).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Author" => author: Option<String>,
        /// When it was written, milliseconds since 1970; only in a pull with `WithAuthor: 1` (ours).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Time" => time: Option<u64>,
    }
}

wire_types! {
    /// The answer to one item of a set or delete.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct ItemReply {
        /// 0, or a code of [`Scope::Item`](crate::code::Scope::Item).
        "ErrorCode" => error_code: u32,
        /// What the key holds now. A reply without it cannot be used.
        #[serde(default)]
        "Extension" => extension: Option<Extension>,
    }
}

wire_types! {
    /// The reply to a set, delete or clear (seed 002).
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct SetReply {
        /// `OK` or `FAIL`.
        "ActionStatus" => action_status: String [server],
        /// A sentence; empty when OK.
        #[serde(default)]
        "ErrorInfo" => error_info: String [server],
        /// 0 when OK.
        "ErrorCode" => error_code: u32 [server],
        /// One answer an item, in the request's order.
        #[serde(default)]
        "ExtensionList" => extension_list: Vec<ItemReply>,
        /// The message's counter after this operation (ours; no proof that nothing was missed).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Seq" => seq: Option<u64>,
    }
}

addressed_types! {
    /// `get_key_values` and `group_get_key_values`: pull (seeds 003, 004).
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default)]
    pub struct PullRequest {
        /// Entries with a Seq of at least this; some clients write `startSeq`.
        #[serde(alias = "startSeq", skip_serializing_if = "Option::is_none")]
        "StartSeq" => start_seq: Option<u64>,
        /// 1: items carry `Author` and `Time` (ours).
        #[serde(skip_serializing_if = "Option::is_none")]
        "WithAuthor" => with_author: Option<u32>,
    }
}

wire_types! {
    /// The reply to a pull (seeds 003, 004).
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct PullReply {
        /// 0 when OK.
        "ErrorCode" => error_code: u32 [server],
        /// A sentence; empty when OK.
        #[serde(default)]
        "ErrorInfo" => error_info: String [server],
        /// `OK` or `FAIL`.
        "ActionStatus" => action_status: String [server],
        /// 1: nothing follows this page.
        #[serde(default)]
        "CompleteFlag" => complete_flag: u32,
        /// The message's counter.
        #[serde(default)]
        "LatestSeq" => latest_seq: u64,
        /// Everything with a Seq up to this was cleared.
        #[serde(default)]
        "ClearSeq" => clear_seq: u64,
        /// Last page: the digest of the message's state ([`crate::digest`]; ours).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Digest" => digest: Option<u32>,
        /// At most 200, ascending by Seq, a group of equal Seq never split.
        #[serde(default)]
        "ExtensionList" => extension_list: Vec<Extension>,
    }
}
