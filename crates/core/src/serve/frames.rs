//! Frames that a server sends on the push connection, besides that of events ([`push_frame`](crate::wire::push_frame)).

use alloc::string::String;

use crate::code::Error;
use crate::law::Message;
use crate::wire::{Address, MessageState, RESUMED_BYTES, ServerFrame};

/// One that says no more than what it is.
#[must_use]
pub fn plain(kind: &str) -> String {
    let frame: ServerFrame = ServerFrame { r#type: kind.into(), ..ServerFrame::default() };
    serde_json::to_string(&frame).unwrap_or_default()
}

/// Before a close: why.
#[must_use]
pub fn refused(error: &Error) -> String {
    let frame: ServerFrame = ServerFrame {
        r#type: ServerFrame::REFUSED.into(),
        error_code: Some(error.code),
        error_info: Some(error.message.clone().into_owned()),
        ..ServerFrame::default()
    };
    serde_json::to_string(&frame).unwrap_or_default()
}

/// Whether a message is as the client that resumes has named it: it is not told of it then. A digest is compared where both
/// sides know it.
#[must_use]
pub fn is_as_named(named: (u64, Option<u32>), held: (u64, Option<u32>)) -> bool {
    named.0 == held.0 && named.1.zip(held.1).is_none_or(|(named, held)| named == held)
}

/// What a resume is told of a message that it has named, from `start_seq` on, and where the next part starts if there is one.
#[must_use]
pub fn part(
    named: Address,
    message_id: &str,
    message: &Message,
    start_seq: u64,
) -> (MessageState, Option<u64>) {
    let page = message.pull(start_seq);
    let last = page.entries.last().filter(|_| !page.complete);
    let next = last.map(|(_, entry)| entry.seq + 1);
    let page = page.into_reply(true);
    let state = MessageState {
        message_id: Some(message_id.into()),
        complete_flag: Some(page.complete_flag),
        latest_seq: Some(page.latest_seq),
        clear_seq: Some(page.clear_seq),
        digest: page.digest,
        extension_list: Some(page.extension_list),
        ..named_state(named)
    };
    (state, next)
}

/// What it is told of one of which there is no state: a code.
#[must_use]
pub fn no_state(named: Address, code: u32) -> MessageState {
    MessageState { error_code: Some(code), ..named_state(named) }
}

/// As the client named it.
fn named_state(named: Address) -> MessageState {
    let Address { from_account, to_account, msg_key, group_id, msg_seq } = named;
    MessageState { from_account, to_account, msg_key, group_id, msg_seq, ..MessageState::default() }
}

/// A frame `{"Type":"resumed","Messages":[…]}` that grows, by messages that are JSON already.
#[derive(Debug)]
pub struct Frame {
    json: String,
}

impl Frame {
    const BEFORE: &str = r#"{"Type":"resumed","Messages":["#;
    const UNFINISHED: &str = "]}";
    const LAST: &str = r#"],"Complete":1}"#;

    /// One without messages.
    #[must_use]
    pub fn new() -> Self {
        Self { json: Self::BEFORE.into() }
    }

    fn is_empty(&self) -> bool {
        self.json.len() == Self::BEFORE.len()
    }

    /// `false`: there is no room. What is larger than a frame gets one of its own.
    pub fn add(&mut self, part: &str) -> bool {
        if !self.is_empty() {
            if self.json.len() + ",".len() + part.len() + Self::LAST.len() > RESUMED_BYTES {
                return false;
            }
            self.json.push(',');
        }
        self.json.push_str(part);
        true
    }

    /// As a frame that others follow; `None` if it has no messages.
    #[must_use]
    pub fn unfinished(self) -> Option<String> {
        (!self.is_empty()).then(|| self.json + Self::UNFINISHED)
    }

    /// As the last frame.
    #[must_use]
    pub fn last(self) -> String {
        self.json + Self::LAST
    }
}

impl Default for Frame {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use crate::wire::{MessageState, ServerFrame};

    use super::*;

    #[test]
    fn a_frame_of_parts_is_the_frame_of_the_messages() {
        let part = MessageState { msg_seq: Some(1), ..MessageState::default() };
        for n in [0, 1, 2] {
            let frame = |complete| {
                let messages = Some(vec![part.clone(); n]);
                let kind = ServerFrame::RESUMED.into();
                let frame: ServerFrame =
                    ServerFrame { r#type: kind, messages, complete, ..ServerFrame::default() };
                serde_json::to_string(&frame).unwrap()
            };
            let made = || {
                let mut made = Frame::new();
                (0..n).for_each(|_| assert!(made.add(&serde_json::to_string(&part).unwrap())));
                made
            };
            assert_eq!(made().unfinished(), (n > 0).then(|| frame(None)));
            assert_eq!(made().last(), frame(Some(1)));
        }
    }

    #[test]
    fn a_frame_is_filled_to_its_bound_and_one_part_that_is_larger_goes_alone() {
        let mut frame = Frame::new();
        assert!(frame.add(&"x".repeat(RESUMED_BYTES)));
        assert!(!frame.add("x"));
        let mut frame = Frame::new();
        let room = RESUMED_BYTES - Frame::BEFORE.len() - Frame::LAST.len();
        assert!(frame.add("x"));
        assert!(!frame.add(&"x".repeat(room - 1)));
        assert!(frame.add(&"x".repeat(room - 2)));
        assert_eq!(frame.last().len(), RESUMED_BYTES);
    }
}
