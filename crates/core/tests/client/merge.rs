//! Late replies, and several changes at once.

use message_extensions_core::client::*;
use message_extensions_core::code::SEQ_CONFLICT;
use message_extensions_core::wire::ServerFrame;

use crate::page::*;

#[test]
fn a_refusal_that_comes_late_does_not_bring_back_what_was_deleted_since() {
    let mut page = Page::live(config());
    page.bob_sets(1, "k", "theirs");
    page.frame(left("g"));
    page.holds = true;
    let set = page.set(1, "k", "mine");
    let request = page.held.remove(0);
    let reply = page.answer(&request);
    page.holds = false;
    page.bob_deletes(1, "k");
    let get = page.get(1);
    assert_eq!(page.read(get), map(&[]), "from 0, without tombstones");
    let (_, watch) = page.watch(1);
    page.reply(request.id, reply);
    assert_eq!(page.answered(set), &Answer::Items(vec![(SEQ_CONFLICT, "k".into(), "theirs".into())]));
    assert_eq!(page.shown(watch), map(&[]));
    let get = page.get(1);
    assert_eq!(page.read(get), page.server(1));
}

#[test]
fn a_key_that_is_deleted_and_then_cleared_within_a_frame_is_not_shown_any_more() {
    let mut page = Page::live(config());
    page.bob_sets(1, "k", "v");
    let (_, watch) = page.watch(1);
    let events = Some(vec![wire_event(2, "k", 2), wire_event(3, "", 3)]);
    page.frame(ServerFrame { events, ..frame(ServerFrame::PUSH) });
    assert_eq!(page.shown(watch), map(&[]));
    assert!(page.is_synced(watch));
}

#[test]
fn changes_of_one_frame_are_told_one_by_one_and_shown_at_once() {
    let mut page = Page::live(config());
    let (_, watch) = page.watch(1);
    page.forget_history();
    page.loses_pushes = true;
    let mut events = Vec::new();
    for seq in 1..=3 {
        page.bob_sets(1, "k", &seq.to_string());
        events.push(wire_event(1, "k", seq));
    }
    page.frame(ServerFrame { events: Some(events), ..frame(ServerFrame::PUSH) });
    assert_eq!(page.notices().len(), 3);
    assert_eq!(page.count(|event| matches!(event, Event::View(_))), 1);
    assert_eq!(page.shown(watch), map(&[("k", "3")]));
}

#[test]
fn a_gap_is_pulled_and_each_change_is_told_once_in_order() {
    let mut page = Page::live(config());
    page.get(1);
    page.loses_pushes = true;
    page.bob_sets(1, "a", "1");
    page.loses_pushes = false;
    page.bob_sets(1, "b", "2");
    let one = |key: &str, value: &str| Notice::Updated(vec![(key.into(), value.into())]);
    assert_eq!(page.notices(), [one("a", "1"), one("b", "2")]);
    assert_eq!(page.pulls()[1].start_seq, Some(1));
    page.bob_sets(1, "a", "3");
    assert_eq!(page.notices().len(), 3);
    assert_eq!(page.pulls().len(), 2);
}

#[test]
fn an_own_write_that_was_pushed_during_the_first_pull_is_told_once_though_its_reply_comes_last() {
    let mut page = Page::live(config());
    page.holds = true;
    page.get(1);
    let set = page.set(1, "k", "v");
    let [pull, write] = [0, 1].map(|i| page.held[i].clone());
    let before = page.answer(&pull);
    // The pull began before this connection.
    page.close_socket();
    page.pass(2000);
    let done = page.answer(&write);
    // Its push comes first.
    page.run();
    assert_eq!(page.notices().len(), 1);
    page.reply(pull.id, before);
    page.reply(write.id, done);
    assert_eq!(page.answered(set), &Answer::Items(vec![(0, "k".into(), "v".into())]));
    assert_eq!(page.notices(), [Notice::Updated(vec![("k".into(), "v".into())])]);
}
