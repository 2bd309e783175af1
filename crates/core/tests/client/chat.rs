//! Messages that others send.

use message_extensions_core::client::*;
use message_extensions_core::wire::{Event as WireEvent, ServerFrame, command};

use crate::page::*;

#[test]
fn a_new_message_that_is_pushed_is_told_once_of_a_group_and_of_a_user() {
    let mut page = Page::live(config());
    let event = |command: &str, to: Option<&str>, group: Option<&str>| WireEvent {
        callback_command: command.into(),
        from_account: Some("bob".into()),
        to_account: to.map(String::from),
        group_id: group.map(String::from),
        msg_seq: Some(7),
        msg_random: Some(5),
        msg_time: Some(1_665_388_280),
        support_message_extension: Some(1),
        message_id: Some(format!("bob-1665388280-{command}")),
        ..WireEvent::empty()
    };
    let events = vec![
        event(command::GROUP_MESSAGE, None, Some("g")),
        event(command::C2C_MESSAGE, Some("alice"), None),
    ];
    for _ in 0..2 {
        page.frame(ServerFrame { events: Some(events.clone()), ..frame(ServerFrame::PUSH) });
    }
    let told = page.events.iter().filter_map(|event| match event {
        Event::Messages(messages) => Some(messages.iter()),
        _ => None,
    });
    let told: Vec<_> = told.flatten().map(|m| (m.is_group, m.to.as_str(), m.sequence, m.support)).collect();
    assert_eq!(told, [(true, "g", 7, true), (false, "alice", 7, true)]);
}
