//! Names, and what goes over the wire.

use super::*;

/// The n-th message of the group g; every hundred thousand begin another group.
pub(crate) fn name(n: u64) -> MessageRef {
    MessageRef::Group { group_id: group(n), msg_seq: n }
}

pub(super) fn group(n: u64) -> String {
    if n < 100_000 { "g".into() } else { format!("g{}", n / 100_000) }
}

pub(crate) fn argument(n: u64) -> Option<MessageArgument> {
    Some(MessageArgument {
        id: Some(id(n)),
        conversation_type: Some(CONV_GROUP.into()),
        to: Some(group(n)),
        status: Some("success".into()),
        is_support_extension: true,
        sequence: Some(n as f64),
        ..MessageArgument::default()
    })
}

pub(crate) fn id(n: u64) -> String {
    format!("m-1-{n}")
}

pub(crate) fn map(items: &[(&str, &str)]) -> Map {
    items.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

pub(crate) fn live(message: &Message) -> Map {
    message.entries.iter().filter_map(|(k, e)| Some((k.clone(), e.value.clone()?))).collect()
}

pub(crate) fn frame(kind: &str) -> ServerFrame {
    ServerFrame { r#type: kind.into(), ..ServerFrame::default() }
}

/// The answer to a write that was accepted as `seq`.
pub(crate) fn done(seq: u64, items: &[(&str, &str)]) -> SetReply {
    let item = |(key, value): &(&str, &str)| ItemReply {
        error_code: 0,
        extension: Some(Extension {
            key: (*key).into(),
            value: (*value).into(),
            seq,
            ..Extension::default()
        }),
    };
    SetReply {
        action_status: OK.into(),
        error_code: 0,
        error_info: String::new(),
        extension_list: items.iter().map(item).collect(),
        seq: Some(seq),
    }
}

/// A part of the answer to a resume: everything from `start` on.
pub(crate) fn part(n: u64, message: &Message, start: u64) -> MessageState {
    let page = message.pull(start).into_reply(true);
    MessageState {
        complete_flag: Some(page.complete_flag),
        latest_seq: Some(page.latest_seq),
        clear_seq: Some(page.clear_seq),
        digest: page.digest,
        extension_list: Some(page.extension_list),
        ..MessageState::default()
    }
    .addressed_to(name(n))
}

pub(crate) fn refused_part(n: u64, code: u32) -> MessageState {
    MessageState { error_code: Some(code), ..MessageState::default() }.addressed_to(name(n))
}

pub(crate) fn resumed(parts: Vec<MessageState>, complete: bool) -> ServerFrame {
    ServerFrame { messages: Some(parts), complete: complete.then_some(1), ..frame(ServerFrame::RESUMED) }
}

pub(crate) fn group_event(command: &str, group_id: &str) -> ServerFrame {
    let event = wire::Event {
        callback_command: command.into(),
        group_id: Some(group_id.into()),
        ..wire::Event::empty()
    };
    ServerFrame { events: Some(vec![event]), ..frame(ServerFrame::PUSH) }
}

pub(crate) fn left(group_id: &str) -> ServerFrame {
    group_event(command::GROUP_LEFT, group_id)
}

/// What a push frame says of a change of message 1; a set writes the Seq.
pub(crate) fn wire_event(operation: u32, key: &str, seq: u64) -> wire::Event {
    let kind = match operation {
        wire::operate_type::SET => ChangeKind::Set(vec![(key.into(), seq.to_string())]),
        wire::operate_type::DELETE => ChangeKind::Delete(vec![key.into()]),
        _ => ChangeKind::Clear,
    };
    Change { seq, kind, author: "bob".into(), time: 0 }.to_event(name(1), Some("foreign".into()))
}

/// The push of a change.
pub(crate) fn pushed(n: u64, change: &Change) -> ServerFrame {
    let events = vec![change.to_event(name(n), Some("foreign".into()))];
    ServerFrame { events: Some(events), ..frame(ServerFrame::PUSH) }
}

pub(crate) fn refused_pull(code: u32) -> PullReply {
    PullReply {
        action_status: if code == 0 { OK } else { "FAIL" }.into(),
        error_code: code,
        error_info: String::new(),
        complete_flag: 1,
        latest_seq: 0,
        clear_seq: 0,
        digest: None,
        extension_list: Vec::<Extension>::new(),
    }
}
