//! How a message is named: the wire's key, the conversation it is in, and the SDK's message ID.

use alloc::string::String;

use crate::text::{decimal, join, split};

/// The wire key of a message: what a request of seeds 002 to 004 names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MessageRef {
    /// One-to-one (seeds 002, 003). `from` and `to` are the message's own, also when the receiver calls.
    C2c {
        /// `From_Account`; the caller may leave it out, see [`crate::wire::Address`].
        from: Option<String>,
        /// `To_Account`.
        to: String,
        /// `MsgKey`: `{sequence of the sender}_{random}_{time}`.
        msg_key: String,
    },
    /// In a group (seed 004).
    Group {
        /// `GroupId`.
        group_id: String,
        /// `MsgSeq`.
        msg_seq: u64,
    },
}

impl MessageRef {
    /// Whether it is a group's message.
    #[must_use]
    pub const fn is_group(&self) -> bool {
        matches!(self, Self::Group { .. })
    }
}

/// `{sequence}_{random}_{time}`, the `MsgKey` of a one-to-one message (`time` in seconds).
#[must_use]
pub fn msg_key(sequence: u32, random: u32, time: u64) -> String {
    join(&[&decimal(sequence.into()), "_", &decimal(random.into()), "_", &decimal(time)])
}

/// The sequence, random number and time of a `MsgKey`.
#[must_use]
pub fn msg_key_parts(key: &str) -> Option<(&str, &str, &str)> {
    let (sequence, rest) = split(key, b'_')?;
    let (random, time) = split(rest, b'_')?;
    Some((sequence, random, time))
}

/// `{from}-{client_time}-{random}`, the message ID that stays the same across sending (`client_time` in seconds).
#[must_use]
pub fn message_id(from: &str, client_time: u64, random: u32) -> String {
    join(&[from, "-", &decimal(client_time), "-", &decimal(random.into())])
}

/// Whether a group of this type or ID has no message extensions: AVChatRoom and Community (seed 004).
#[must_use]
pub fn is_refused_group(group_type: &str, group_id: &str) -> bool {
    matches!(group_type, "AVChatRoom" | "Community")
        || group_id.starts_with("@TGS#_")
        || group_id.starts_with("@TOPIC#_")
}
