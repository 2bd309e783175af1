//! The state of one message's extensions: what a client names to resume, what the server answers, and what a browser keeps.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::extension::{Address, Extension, addressed_types};
use super::fields::wire_types;
use crate::message::MessageRef;

addressed_types! {
    /// One message, as far as somebody knows it.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct MessageState {
        /// The message's ID.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MessageID" => message_id: Option<String>,
        /// Answer: why there is no state, one of [`crate::code::CODES`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "ErrorCode" => error_code: Option<u32>,
        /// Answer: 1 if nothing more of this message follows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "CompleteFlag" => complete_flag: Option<u32>,
        /// Everything up to this Seq is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "LatestSeq" => latest_seq: Option<u64>,
        /// The Seq of the last clear.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "ClearSeq" => clear_seq: Option<u64>,
        /// Named: the digest ([`crate::digest`]) of what is known. Answer, last part: of the message's state.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Digest" => digest: Option<u32>,
        /// Answer: what was written since the Seq that the client named, ascending by Seq, deleted keys with `Value: ""`.
        /// Kept: everything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "ExtensionList" => extension_list: Option<Vec<Extension>>,
    }
}

addressed_types! {
    /// A write that was made offline, as a browser keeps it until the server has answered.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct QueuedWrite {
        /// The message's ID.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MessageID" => message_id: Option<String>,
        /// Its place among the records, given by who keeps them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Order" => order: Option<u64>,
        /// The `requestid` that it is sent with.
        "RequestID" => request_id: String,
        /// See [`super::operate_type`]: set or delete.
        "OperateType" => operate_type: u32,
        /// What it writes.
        "ExtensionList" => extension_list: Vec<QueuedItem>,
    }
}

wire_types! {
    /// One key of it.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct QueuedItem {
        /// The key.
        "Key" => key: String,
        /// The value; `""` to delete the key.
        "Value" => value: String,
        /// The key's Seq as the user saw it.
        "Seq" => seq: u64,
        /// The value of an own write without an answer that the user saw, which this one builds on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Seen" => seen: Option<String>,
    }
}
