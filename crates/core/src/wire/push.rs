//! The push connection's frames, and the change: one JSON object that is the webhook's body, an event of a push frame,
//! and the record that stores exchange.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::chat::MsgElement;
use super::extension::{Address, Extension, addressed};
use super::fields::{Json, wire_types};
use super::state::MessageState;
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
    /// The user who is told is no member of the group any more.
    pub const GROUP_LEFT: &str = "Group.CallbackAfterMemberExit";
    /// A group of the user who is told is gone.
    pub const GROUP_DESTROYED: &str = "Group.CallbackAfterGroupDestroyed";
}

/// Messages that one resume may name.
pub const RESUMED_MESSAGES: usize = 1000;
/// Largest frame that answers a resume, bytes; a page of a message goes undivided.
pub const RESUMED_BYTES: usize = 256 << 10;

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
    /// The user has as many connections as they may: connect again later.
    pub const TOO_MANY: u16 = 4007;
}

wire_types! {
    /// What happened to one message: an operation on its extensions, or its arrival.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Event<E = MsgElement, R = Json> {
        /// One of [`command`].
        "CallbackCommand" => callback_command: String,
        /// Sender of a one-to-one message, or of a new group message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "From_Account" => from_account: Option<String>,
        /// Recipient of a one-to-one message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "To_Account" => to_account: Option<String>,
        /// Key of a one-to-one message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MsgKey" => msg_key: Option<String>,
        /// Group of a group message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "GroupId" => group_id: Option<String>,
        /// Seq of a group message in its group; of a new one-to-one message, the sender's sequence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MsgSeq" => msg_seq: Option<u64>,
        /// Change: see [`super::operate_type`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "OperateType" => operate_type: Option<u32>,
        /// Change: the keys that were written, `[]` for a clear; deleted keys with `Value: ""`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "ExtensionList" => extension_list: Option<Vec<Extension>>,
        /// Change: the Seq of the operation, which is the message's counter after it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Seq" => seq: Option<u64>,
        /// When it happened, milliseconds since 1970.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "EventTime" => event_time: Option<u64>,
        /// Change: UserID of who did it (ours).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Author" => author: Option<String>,
        /// The message's ID (ours).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MessageID" => message_id: Option<String>,
        /// New message: the sender's random number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MsgRandom" => msg_random: Option<u32>,
        /// New message: seconds since 1970.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MsgTime" => msg_time: Option<u64>,
        /// New message: 1 if it may be extended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "SupportMessageExtension" => support_message_extension: Option<u32>,
        /// New message: its rules ([`Rules`](super::Rules); ours).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "ExtensionRules" => extension_rules: Option<R>,
        /// New message: its body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "MsgBody" => msg_body: Option<Vec<E>>,
    }
}

addressed!(Event<E, R>);

impl<E, R> Event<E, R> {
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
            extension_rules: None,
            msg_body: None,
        }
    }
}

wire_types! {
    /// A frame from the client. `Type` says which fields count.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct ClientFrame {
        /// `login` (first, once), `resume` or `ping`.
        "Type" => r#type: String,
        /// login: the app.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "SDKAppID" => sdk_app_id: Option<u64>,
        /// login: the user.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Identifier" => identifier: Option<String>,
        /// login: the user's signature.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "UserSig" => user_sig: Option<String>,
        /// resume: messages and the Seq up to which each is known, at most [`RESUMED_MESSAGES`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Messages" => messages: Option<Vec<MessageState>>,
    }
}

impl ClientFrame {
    /// The first frame of a connection.
    pub const LOGIN: &'static str = "login";
    /// Answered by [`ServerFrame::RESUMED`]; the next one may follow when that is complete.
    pub const RESUME: &'static str = "resume";
    /// Answered by [`ServerFrame::PONG`].
    pub const PING: &'static str = "ping";
}

wire_types! {
    /// A frame from the server. `Type` says which fields count.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct ServerFrame<E = MsgElement, R = Json> {
        /// `ready`, `refused`, `resumed`, `pong` or `push`.
        "Type" => r#type: String,
        /// refused: one of [`crate::code::CODES`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "ErrorCode" => error_code: Option<u32>,
        /// refused: a sentence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "ErrorInfo" => error_info: Option<String>,
        /// push: what happened, per message in Seq order; everything that was waiting goes in one frame.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Events" => events: Option<Vec<Event<E, R>>>,
        /// resumed: messages that have changed since the Seq that the client named, or that it may not see.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Messages" => messages: Option<Vec<MessageState>>,
        /// resumed: 1 in the last frame. What was named and did not come has not changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        "Complete" => complete: Option<u32>,
    }
}

impl ServerFrame {
    /// The login was accepted: from here on every event is pushed.
    pub const READY: &'static str = "ready";
    /// The login was refused, or ended; a close follows.
    pub const REFUSED: &'static str = "refused";
    /// What has changed in the messages of a resume, in one frame or several.
    pub const RESUMED: &'static str = "resumed";
    /// The answer to a ping.
    pub const PONG: &'static str = "pong";
    /// Events.
    pub const PUSH: &'static str = "push";
}

/// The frame `{"Type":"push","Events":[…]}` made of events that are JSON already: each was serialised once, for all its
/// receivers.
#[must_use]
pub fn push_frame<S: AsRef<str>>(events: &[S]) -> String {
    const BEFORE: &str = r#"{"Type":"push","Events":["#;
    const AFTER: &str = "]}";
    let length: usize = events.iter().map(|event| event.as_ref().len() + 1).sum();
    let mut frame = String::with_capacity(BEFORE.len() + length + AFTER.len());
    frame.push_str(BEFORE);
    for (i, event) in events.iter().enumerate() {
        if i > 0 {
            frame.push(',');
        }
        frame.push_str(event.as_ref());
    }
    frame.push_str(AFTER);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_frame_of_serialised_events_is_the_frame_of_the_events() {
        let event = |seq| Event::<MsgElement> { seq: Some(seq), ..Event::empty() };
        for events in [vec![], vec![event(1)], vec![event(1), event(2)]] {
            let json: Vec<_> = events.iter().map(|e| serde_json::to_string(e).unwrap()).collect();
            let frame =
                ServerFrame { r#type: ServerFrame::PUSH.into(), events: Some(events), ..Default::default() };
            assert_eq!(push_frame(&json), serde_json::to_string(&frame).unwrap());
        }
    }
}
