//! The push connection's frames, and the change: one JSON object that is the webhook's body, an event of a push frame,
//! and the record that stores exchange.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::chat::MsgElement;
use super::extension::{Address, Extension, addressed};
use crate::message::MessageRef;

/// `CallbackCommand` of an event.
pub mod command {
    /// A change of a one-to-one message's extensions.
    pub const C2C_CHANGE: &str = "C2C.CallbackAfterC2CMsgExtension";
    /// A change of a group message's extensions.
    pub const GROUP_CHANGE: &str = "Group.CallbackAfterGroupMsgExtension";
    /// A new one-to-one message.
    pub const C2C_MESSAGE: &str = "C2C.CallbackAfterSendMsg";
    /// A new group message.
    pub const GROUP_MESSAGE: &str = "Group.CallbackAfterSendMsg";
}

/// Close codes of the push connection.
pub mod close {
    /// The login was refused; the frame before says why.
    pub const REFUSED: u16 = 4001;
    /// A frame was not one of the protocol's.
    pub const BAD_FRAME: u16 = 4002;
    /// No login within 10 seconds, or no frame from the client for 60 seconds.
    pub const SILENT: u16 = 4003;
    /// The client reads too slowly: what was queued for it is gone, so it must catch up by pulling.
    pub const TOO_SLOW: u16 = 4004;
    /// The signature of the connection has expired: log in with a new one.
    pub const EXPIRED: u16 = 4005;
    /// The server stops: connect again.
    pub const GOING_AWAY: u16 = 4006;
}

/// What happened to one message: an operation on its extensions, or its arrival.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event<E = MsgElement> {
    /// One of [`command`].
    pub callback_command: String,
    /// Sender of a one-to-one message, or of a new group message.
    #[serde(rename = "From_Account", default, skip_serializing_if = "Option::is_none")]
    pub from_account: Option<String>,
    /// Recipient of a one-to-one message.
    #[serde(rename = "To_Account", default, skip_serializing_if = "Option::is_none")]
    pub to_account: Option<String>,
    /// Key of a one-to-one message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg_key: Option<String>,
    /// Group of a group message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    /// Seq of a group message in its group; of a new one-to-one message, the sender's sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg_seq: Option<u64>,
    /// Change: see [`super::operate_type`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operate_type: Option<u32>,
    /// Change: the keys that were written, `[]` for a clear; deleted keys with `Value: ""`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension_list: Option<Vec<Extension>>,
    /// Change: the Seq of the operation, which is the message's counter after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// When it happened, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_time: Option<u64>,
    /// Change: UserID of who did it (ours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The message's ID (ours).
    #[serde(rename = "MessageID", default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// New message: the sender's random number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg_random: Option<u32>,
    /// New message: seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg_time: Option<u64>,
    /// New message: 1 if it may be extended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support_message_extension: Option<u32>,
    /// New message: its body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg_body: Option<Vec<E>>,
}

addressed!(Event<E>);

impl<E> Event<E> {
    /// An event that says nothing yet.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            callback_command: String::new(),
            from_account: None,
            to_account: None,
            msg_key: None,
            group_id: None,
            msg_seq: None,
            operate_type: None,
            extension_list: None,
            seq: None,
            event_time: None,
            author: None,
            message_id: None,
            msg_random: None,
            msg_time: None,
            support_message_extension: None,
            msg_body: None,
        }
    }
}

/// A frame from the client. `Type` says which fields count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ClientFrame {
    /// `login` (first, once) or `ping`.
    pub r#type: String,
    /// login: the app.
    #[serde(rename = "SDKAppID", default, skip_serializing_if = "Option::is_none")]
    pub sdk_app_id: Option<u64>,
    /// login: the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// login: the user's signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_sig: Option<String>,
}

impl ClientFrame {
    /// The first frame of a connection.
    pub const LOGIN: &'static str = "login";
    /// Answered by [`ServerFrame::PONG`].
    pub const PING: &'static str = "ping";
}

/// A frame from the server. `Type` says which fields count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServerFrame<E = MsgElement> {
    /// `ready`, `refused`, `pong` or `push`.
    pub r#type: String,
    /// refused: one of [`crate::code::CODES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u32>,
    /// refused: a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_info: Option<String>,
    /// push: what happened, per message in Seq order; everything that was waiting goes in one frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<Event<E>>>,
}

impl ServerFrame {
    /// The login was accepted: from here on every event is pushed.
    pub const READY: &'static str = "ready";
    /// The login was refused, or ended; a close follows.
    pub const REFUSED: &'static str = "refused";
    /// The answer to a ping.
    pub const PONG: &'static str = "pong";
    /// Events.
    pub const PUSH: &'static str = "push";
}
