//! Writes made offline: kept, shown, and sent in order when the network is back.

use message_extensions_core::client::*;
use message_extensions_core::code::{NETWORK, SEQ_CONFLICT, TIMEOUT};
use message_extensions_core::wire::{QueuedItem, QueuedWrite};

use crate::page::*;

/// A page that has read message 1, where the key is "theirs", and has lost the network.
pub(crate) fn away() -> (Page, WatchId) {
    let mut page = Page::live(offline());
    page.bob_sets(1, "k", "theirs");
    let (_, watch) = page.watch(1);
    page.client.handle_keep();
    page.go_down();
    page.forget_history();
    (page, watch)
}

fn queued(key: &str, value: &str) -> Answer {
    Answer::Queued(vec![(key.into(), value.into())])
}

/// Key, value, Seq: without the request ids.
fn sent(page: &Page) -> Vec<(String, String, u64)> {
    page.sets().into_iter().map(|(key, value, seq, _)| (key, value, seq)).collect()
}

fn write(key: &str, value: &str, seq: u64) -> (String, String, u64) {
    (key.into(), value.into(), seq)
}

#[test]
fn a_write_made_offline_is_answered_when_it_is_recorded_and_shown_at_once() {
    let (mut page, watch) = away();
    page.owns = false;
    let set = page.set(1, "k", "mine");
    assert!(page.settled(set).is_none());
    assert_eq!((page.shown(watch), page.status(watch, "k")), (map(&[("k", "mine")]), EntryStatus::Queued));
    let Some(Event::Queue(call, record)) = page.events.iter().find(|e| matches!(e, Event::Queue(..))) else {
        panic!("nothing is to be kept")
    };
    assert_eq!((*call, record.operate_type, record.message_id.as_deref()), (set, 1, Some("m-1-1")));
    let item = QueuedItem { key: "k".into(), value: "mine".into(), seq: 1, seen: None };
    assert_eq!(record.extension_list, [item]);
    page.record(record.clone());
    page.client.handle_queued(set);
    page.run();
    assert_eq!(page.answered(set), &queued("k", "mine"));
    assert!(page.requests.is_empty());
    page.client.handle_queued(set);
    page.run();
}

#[test]
fn at_the_reconnect_they_are_sent_one_after_the_other_each_with_its_own_request_id() {
    let (mut page, watch) = away();
    for (n, key, value) in [(1, "k", "a"), (2, "x", "b"), (1, "y", "c")] {
        let set = page.set(n, key, value);
        assert_eq!(page.answered(set), &queued(key, value));
    }
    let delete = page.delete(2, "z");
    assert_eq!(page.answered(delete), &queued("z", ""));
    let ids: Vec<_> = page.queued.iter().map(|write| write.request_id.clone()).collect();
    page.holds = true;
    page.go_up();
    page.pass(SECOND);
    for (i, id) in ids.iter().enumerate() {
        assert_eq!(page.sets().len(), i + 1, "one at a time");
        assert_eq!(page.sets()[i].3, *id);
        let request = page.held.remove(0);
        let reply = page.answer(&request);
        page.reply(request.id, reply);
    }
    assert_eq!(sent(&page), [write("k", "a", 1), write("x", "b", 0), write("y", "c", 0), write("z", "", 0)]);
    assert!(page.queued.is_empty());
    assert_eq!(page.status(watch, "k"), EntryStatus::Confirmed);
    assert_eq!(page.shown(watch), page.server(1));
    assert_eq!(page.conflicts(), []);
    page.holds = false;
    page.pass(10 * MINUTE);
    assert_eq!(page.sets().len(), 4, "each once");
}

#[test]
fn an_outbox_that_is_drained_is_not_asked_for_again() {
    let (mut page, _) = away();
    page.set(1, "k", "mine");
    page.go_up();
    page.pass(MINUTE);
    assert!(page.queued.is_empty());
    assert_eq!(page.count(|event| matches!(event, Event::Drain)), 1);
}

#[test]
fn later_writes_of_a_key_build_on_the_one_before() {
    let (mut page, watch) = away();
    for value in ["a", "b", "c"] {
        page.set(1, "k", value);
    }
    page.delete(1, "k");
    page.set(1, "k", "d");
    page.go_up();
    page.pass(SECOND);
    let chain = [("a", 1), ("b", 2), ("c", 3), ("", 4), ("d", 5)].map(|(value, seq)| write("k", value, seq));
    assert_eq!(sent(&page), chain, "none is refused first");
    assert_eq!(page.shown(watch), map(&[("k", "d")]));
    assert_eq!(page.conflicts(), []);
}

#[test]
fn after_a_reload_a_later_write_of_a_key_learns_the_seq_of_the_one_before() {
    let (mut page, _) = away();
    page.set(1, "k", "a");
    page.reload();
    page.login();
    page.set(1, "k", "b");
    page.reload();
    page.login();
    let (_, watch) = page.watch(1);
    assert_eq!(page.status(watch, "k"), EntryStatus::Queued);
    // The first is sent, and the page closed before the second is.
    page.holds = true;
    page.go_up();
    page.pass(SECOND);
    let request = page.held.remove(0);
    page.answer(&request).unwrap();
    let records = page.queued.split_off(1);
    page.reload();
    page.queued = records;
    page.holds = false;
    page.login();
    page.pass(SECOND);
    assert_eq!(sent(&page), [write("k", "b", 1), write("k", "b", 2)], "refused once");
    let ids: Vec<_> = page.sets().into_iter().map(|(.., id)| id).collect();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(page.server(1), map(&[("k", "b")]));
    assert_eq!(page.conflicts(), []);
    assert!(page.queued.is_empty());
}

#[test]
fn somebody_else_s_value_is_told_as_a_conflict_and_shown() {
    let (mut page, watch) = away();
    page.set(1, "k", "mine");
    page.bob_sets(1, "k", "theirs again");
    page.go_up();
    page.pass(SECOND);
    let conflict = Conflict {
        code: SEQ_CONFLICT,
        key: "k".into(),
        value: "mine".into(),
        current: "theirs again".into(),
    };
    assert_eq!(page.conflicts(), [conflict]);
    assert_eq!(page.shown(watch), map(&[("k", "theirs again")]));
    assert_eq!(page.status(watch, "k"), EntryStatus::Conflict);
    assert!(page.queued.is_empty());
    page.pass(MINUTE);
    assert_eq!(page.sets().len(), 1);
}

#[test]
fn what_was_built_on_a_conflict_is_a_conflict_too() {
    let (mut page, watch) = away();
    page.set(1, "k", "a");
    page.set(1, "k", "b");
    page.bob_sets(1, "k", "theirs again");
    page.go_up();
    page.pass(SECOND);
    let values: Vec<_> = page.conflicts().into_iter().map(|conflict| conflict.value).collect();
    assert_eq!(values, ["a", "b"]);
    assert_eq!(page.shown(watch), map(&[("k", "theirs again")]));
}

#[test]
fn a_value_that_is_there_already_is_no_conflict() {
    let (mut page, watch) = away();
    page.set(1, "k", "same");
    page.bob_sets(1, "k", "same");
    page.go_up();
    page.pass(SECOND);
    assert_eq!(page.conflicts(), []);
    assert_eq!(page.shown(watch), map(&[("k", "same")]));
    assert!(page.queued.is_empty());
}

#[test]
fn a_write_in_flight_when_the_connection_is_lost_waits_with_the_same_request_id() {
    let mut page = Page::live(offline());
    let (_, watch) = page.watch(1);
    page.holds = true;
    let set = page.set(1, "k", "v");
    assert_eq!(page.status(watch, "k"), EntryStatus::Pending);
    // It has reached the server, its reply has not come back.
    let request = page.held[0].clone();
    page.loses_pushes = true;
    page.answer(&request).unwrap();
    page.go_down();
    page.reply(request.id, Err(Failure::Network));
    assert_eq!(page.answered(set), &queued("k", "v"));
    assert_eq!(page.status(watch, "k"), EntryStatus::Queued);
    page.loses_pushes = false;
    page.holds = false;
    page.go_up();
    page.pass(SECOND);
    let ids: Vec<_> = page.sets().into_iter().map(|(.., id)| id).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    assert_eq!(page.messages[&name(1)].latest_seq, 1, "written once");
    assert_eq!(page.conflicts(), []);
    assert_eq!(page.status(watch, "k"), EntryStatus::Confirmed);
}

#[test]
fn a_record_that_another_tab_has_sent_is_not_shown_any_more() {
    let (mut page, watch) = away();
    page.set(1, "k", "a");
    page.set(1, "k2", "b");
    page.network = Network::Down;
    page.queued.remove(0);
    page.pass(2 * SECOND);
    assert_eq!(page.shown(watch), map(&[("k", "theirs"), ("k2", "b")]));
    assert_eq!(page.status(watch, "k"), EntryStatus::Confirmed);
    page.go_up();
    page.pass(MINUTE);
    assert!(page.sets().iter().all(|(key, ..)| key == "k2"));
}

#[test]
fn records_of_earlier_sessions_are_shown_and_sent() {
    let (mut page, _) = away();
    page.set(1, "k", "mine");
    page.set(7, "x", "never read");
    page.reload();
    page.login();
    let (_, one) = page.watch(1);
    let (_, seven) = page.watch(7);
    assert_eq!((page.shown(one), page.status(one, "k")), (map(&[("k", "mine")]), EntryStatus::Queued));
    assert_eq!(page.shown(seven), map(&[("x", "never read")]));
    page.go_up();
    page.pass(SECOND);
    assert_eq!(page.server(1), map(&[("k", "mine")]));
    assert_eq!(page.server(7), map(&[("x", "never read")]));
    assert_eq!(page.status(seven, "x"), EntryStatus::Confirmed);
}

#[test]
fn records_that_no_client_has_written_are_ignored() {
    let item = QueuedItem { key: "k".into(), value: "v".into(), ..QueuedItem::default() };
    let whole = QueuedWrite {
        order: Some(1),
        operate_type: 1,
        request_id: "0".repeat(32),
        extension_list: vec![item],
        ..QueuedWrite::default()
    };
    let mut page = Page::live(offline());
    for request_id in ["", "short", &"0".repeat(33), &"é".repeat(16)] {
        page.queued
            .push(QueuedWrite { request_id: request_id.into(), ..whole.clone() }.addressed_to(name(1)));
    }
    page.queued.push(whole);
    page.reload();
    let login = page.login();
    assert_eq!(page.answered(login), &Answer::Done);
    let drain = page.drain();
    page.run();
    page.pass(MINUTE);
    assert_eq!(page.answered(drain), &Answer::Done);
    assert_eq!(page.sets(), []);
}

#[test]
fn a_clear_and_a_mutation_are_never_queued() {
    let (mut page, _) = away();
    let (clear, mutate) = (page.clear(1), page.mutate(1, "k"));
    page.pass(15 * SECOND);
    assert!(matches!(page.code(clear), NETWORK | TIMEOUT));
    assert!(matches!(page.code(mutate), NETWORK | TIMEOUT));
    assert!(page.queued.is_empty());
}

#[test]
fn a_mutation_whose_write_is_lost_is_not_queued() {
    let mut page = Page::live(offline());
    page.get(1);
    let mutate = page.mutate(1, "k");
    page.go_down();
    page.client.handle_computed(mutate, Some("v".into()), page.now);
    page.run();
    page.pass(15 * SECOND);
    assert!(matches!(page.code(mutate), NETWORK | TIMEOUT));
    assert!(page.queued.is_empty());
}

#[test]
fn direct_writes_of_a_message_go_after_those_that_are_queued() {
    let (mut page, _) = away();
    page.set(1, "k", "a");
    page.set(1, "k", "b");
    page.holds = true;
    page.go_up();
    page.pass(SECOND);
    page.holds = false;
    let (clear, elsewhere) = (page.clear(1), page.clear(2));
    assert!(page.settled(clear).is_none());
    assert!(page.settled(elsewhere).is_some(), "another message has nothing to wait for");
    page.release();
    assert_eq!(page.answered(clear), &Answer::Items(vec![]));
    let order: Vec<_> = page.sets().into_iter().map(|(_, value, ..)| value).collect();
    assert_eq!(order, ["a", "", "b", ""]);
    assert_eq!(page.server(1), map(&[]));
}

#[test]
fn a_direct_write_that_waits_too_long_behind_the_outbox_is_given_up() {
    let (mut page, _) = away();
    page.set(1, "k", "a");
    let clear = page.clear(1);
    page.pass(15 * SECOND);
    assert_eq!(page.code(clear), TIMEOUT);
    page.go_up();
    page.pass(SECOND);
    assert_eq!(page.server(1), map(&[("k", "a")]), "and not sent");
}

#[test]
fn a_queued_write_waits_for_a_direct_one_that_is_on_its_way() {
    let mut page = Page::live(offline());
    page.get(1);
    page.holds = true;
    let clear = page.clear(1);
    let held = std::mem::take(&mut page.held);
    page.go_down();
    page.set(1, "k", "v");
    page.holds = false;
    page.go_up();
    page.pass(SECOND);
    assert_eq!(page.sets().len(), 1, "the clear");
    page.held = held;
    page.release();
    assert_eq!(page.answered(clear), &Answer::Items(vec![]));
    assert_eq!(page.server(1), map(&[("k", "v")]));
}

#[test]
fn writes_of_a_key_are_sent_in_the_order_in_which_they_were_made() {
    let mut page = Page::live(offline());
    let (_, watch) = page.watch(1);
    // The connection breaks while the first is on its way, and the user goes on before that is noticed of the first.
    page.holds = true;
    page.set(1, "k", "a");
    page.go_down();
    page.delete(1, "k");
    page.network = Network::Silent;
    page.pass(10 * SECOND);
    assert_eq!(page.queued.len(), 2);
    page.holds = false;
    page.held.clear();
    page.network = Network::Whole;
    page.pass(MINUTE);
    assert_eq!(page.server(1), map(&[]), "the user has deleted it");
    assert_eq!(page.shown(watch), map(&[]));
    assert_eq!(page.conflicts(), []);
}

#[test]
fn a_later_write_does_not_conflict_with_an_earlier_one_of_the_same_user() {
    let mut page = Page::live(offline());
    let (_, watch) = page.watch(1);
    page.holds = true;
    page.set(1, "k", "a");
    page.go_down();
    page.set(1, "k", "b");
    page.network = Network::Silent;
    page.pass(10 * SECOND);
    page.holds = false;
    page.held.clear();
    page.network = Network::Whole;
    page.pass(MINUTE);
    assert_eq!(page.server(1), map(&[("k", "b")]));
    assert_eq!(page.conflicts(), []);
    assert_eq!(page.status(watch, "k"), EntryStatus::Confirmed);
}

#[test]
fn without_the_option_nothing_is_queued() {
    let mut page = Page::live(persists());
    page.get(1);
    page.go_down();
    let (set, delete) = (page.set(1, "k", "v"), page.delete(1, "k"));
    page.pass(15 * SECOND);
    for call in [set, delete] {
        assert!(matches!(page.code(call), NETWORK | TIMEOUT));
    }
    assert_eq!(page.count(|event| matches!(event, Event::Queue(..) | Event::Drain)), 0);
}

#[test]
fn a_write_that_waited_for_others_is_queued_before_those_made_after_it() {
    let mut page = Page::live(offline());
    page.holds = true;
    for i in 0..5 {
        page.set(1, &format!("k{i}"), "v");
    }
    assert_eq!(page.sets().len(), 4, "the last one waits");
    page.go_down();
    page.set(1, "k5", "v");
    let keys: Vec<_> = page.queued.iter().map(|write| write.extension_list[0].key.as_str()).collect();
    assert_eq!(keys, ["k0", "k1", "k2", "k3", "k4", "k5"]);
}

#[test]
fn a_clear_that_waits_for_others_is_not_queued_with_them() {
    let mut page = Page::live(offline());
    page.holds = true;
    for i in 0..4 {
        page.set(1, &format!("k{i}"), "v");
    }
    let clear = page.clear(1);
    page.go_down();
    page.set(1, "k4", "v");
    let keys: Vec<_> = page.queued.iter().map(|write| write.extension_list[0].key.as_str()).collect();
    assert_eq!(keys, ["k0", "k1", "k2", "k3", "k4"]);
    page.pass(15 * SECOND);
    assert_eq!(page.code(clear), TIMEOUT);
}
