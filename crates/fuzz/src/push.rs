//! Frames from a client: what is accepted is an object, and is written again as the same; a resume is answered in frames of
//! the protocol, and tells what there is.

use std::collections::BTreeSet;

use message_extensions_core::wire::{
    ClientFrame, MessageState, RESUMED_BYTES, RESUMED_MESSAGES, ServerFrame,
};
use message_extensions_server::in_process::read_frame;
use serde_json::Value;

use crate::service::{World, block_on, user};

const FRAMES: usize = 8;
/// Writes that are there to be resumed.
const WRITES: [(&str, &str); 4] = [
    (
        "openim_msg_ext_http_svc/set_key_values",
        r#"{"To_Account":"bob","MsgKey":"1_2_3","OperateType":1,"ExtensionList":[{"Key":"a","Value":"1","Seq":0},{"Key":"b","Value":"1","Seq":0}]}"#,
    ),
    (
        "openim_msg_ext_http_svc/set_key_values",
        r#"{"To_Account":"bob","MsgKey":"1_2_3","OperateType":2,"ExtensionList":[{"Key":"a","Seq":1}]}"#,
    ),
    ("openim_msg_ext_http_svc/group_set_key_values", r#"{"GroupId":"g","MsgSeq":1,"OperateType":3}"#),
    (
        "openim_msg_ext_http_svc/group_set_key_values",
        r#"{"GroupId":"g","MsgSeq":1,"OperateType":1,"ExtensionList":[{"Key":"c","Value":"1","Seq":0}]}"#,
    ),
];

/// A line a frame, its first byte says from whom.
pub fn check(input: &[u8]) {
    let frames = input.split(|byte| *byte == b'\n').take(FRAMES);
    let mut world = None;
    for (who, text) in frames.filter_map(<[u8]>::split_first) {
        let Ok(text) = std::str::from_utf8(text) else { continue };
        let Some(frame) = read_frame(text) else { continue };
        check_frame(text, &frame);
        if frame.r#type == ClientFrame::RESUME {
            block_on(async {
                let world = match &world {
                    Some(world) => world,
                    None => world.insert(written().await),
                };
                resume(world, user(*who), frame.messages).await;
            });
        }
    }
}

async fn written() -> World {
    let world = World::new().await;
    for (path, body) in WRITES {
        let reply = world.call("alice", path, None, body.as_bytes()).await;
        assert_eq!(reply["ActionStatus"], "OK", "{reply}");
    }
    world
}

fn check_frame(text: &str, frame: &ClientFrame) {
    assert!(text.trim_ascii_start().starts_with('{'), "{text}");
    // Half of a pair of surrogates, in what is ignored, does no harm.
    if let Ok(json) = serde_json::from_str::<Value>(text) {
        let messages = json.get("Messages").and_then(Value::as_array);
        assert!(messages.is_none_or(|messages| messages.iter().all(Value::is_object)), "{text}");
    }
    let written = serde_json::to_string(frame).unwrap();
    assert_eq!(read_frame(&written).as_ref(), Some(frame));
}

async fn resume(world: &World, user: &str, named: Option<Vec<MessageState>>) {
    let is_good = named.as_ref().is_some_and(|named| named.len() <= RESUMED_MESSAGES);
    let frames = world.service.resume(user, named.clone()).await;
    assert_eq!(frames.is_some(), is_good);
    let (Some(frames), Some(named)) = (frames, named) else { return };
    let mut told = BTreeSet::new();
    for (i, text) in frames.iter().enumerate() {
        assert!(text.len() <= RESUMED_BYTES, "more than this world holds");
        let frame: ServerFrame = serde_json::from_str(text).unwrap();
        assert_eq!(frame.r#type, ServerFrame::RESUMED);
        assert_eq!(frame.complete.is_some(), i + 1 == frames.len());
        for mut state in frame.messages.unwrap() {
            let address = state.take_address();
            assert!(named.iter().any(|named| named.clone().take_address() == address));
            check_part(&state, user);
            told.insert(format!("{address:?}"));
        }
    }
    for mut state in named {
        let known = state.latest_seq;
        let address = state.take_address();
        // Whoever may not see a message, or cannot name one, is told so; and nobody's knowledge is older than that.
        if !told.contains(&format!("{address:?}")) {
            assert!(
                user != "mallory" && address.clone().message().is_some() && known == Some(2),
                "{address:?}"
            );
        }
    }
}

fn check_part(state: &MessageState, user: &str) {
    if let Some(code) = state.error_code {
        assert_eq!(code, 23004);
        return;
    }
    assert_ne!(user, "mallory");
    assert_eq!((state.latest_seq, state.complete_flag), (Some(2), Some(1)));
    let entries = state.extension_list.as_ref().unwrap();
    assert!(entries.iter().all(|entry| entry.seq <= 2 && entry.seq > state.clear_seq.unwrap()));
}
