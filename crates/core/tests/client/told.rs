//! What listeners are told and watches are shown when changes come out of order: no more and no less.

use message_extensions_core::change::{Change, ChangeKind};
use message_extensions_core::client::*;
use message_extensions_core::code::SEQ_CONFLICT;
use message_extensions_core::law::Message;
use message_extensions_core::wire::{Item, ServerFrame, SetRequest};

use crate::page::*;

fn updated(key: &str, value: &str) -> Notice {
    Notice::Updated(vec![(key.into(), value.into())])
}

fn deleted(keys: &[&str]) -> Notice {
    Notice::Deleted(keys.iter().map(|key| (*key).into()).collect())
}

/// What each view has said: changed keys, removed keys.
fn views(page: &Page) -> Vec<(Vec<String>, Vec<String>)> {
    let said = |event: &Event| match event {
        Event::View(view) => {
            Some((view.changed.iter().map(|entry| entry.key.clone()).collect(), view.removed.clone()))
        }
        _ => None,
    };
    page.events.iter().filter_map(said).collect()
}

/// Another writes several keys at once.
fn bob_sets_all(page: &mut Page, keys: &[&str]) {
    let item = |key: &&str| Item { key: (*key).into(), value: "v".into(), seq: Some(0) };
    let extension_list = Some(keys.iter().map(item).collect());
    page.bob(1, SetRequest { operate_type: Some(1), extension_list, ..SetRequest::default() });
}

/// Does something of which no push comes.
fn unheard(page: &mut Page, what: impl FnOnce(&mut Page)) {
    page.loses_pushes = true;
    what(page);
    page.loses_pushes = false;
}

/// A page that has read a message and does not know of its first change; its own write of `mine` is shown, and not told.
fn ahead() -> Page {
    let mut page = Page::live(config());
    page.get(1);
    page.loses_pushes = true;
    page.bob_sets(1, "theirs", "1");
    page.set(1, "mine", "2");
    assert_eq!(page.notices(), []);
    page
}

#[test]
fn the_seq_of_an_own_write_serves_the_next_though_a_change_before_it_is_missing() {
    let mut page = ahead();
    let set = page.set(1, "mine", "3");
    assert_eq!(page.answered(set), &Answer::Items(vec![(0, "mine".into(), "3".into())]));
    assert_eq!(page.sets()[1].2, 2);
}

#[test]
fn a_clear_takes_from_listeners_what_a_reader_has_seen_and_nothing_else() {
    for is_read in [true, false] {
        let mut page = ahead();
        if is_read {
            page.get_from(1, None, Some("cache"));
        }
        page.close_socket();
        page.bob_clears(1);
        page.go_up();
        assert_eq!(page.notices(), [deleted(if is_read { &["mine"] } else { &[] })]);
    }
}

#[test]
fn a_key_that_was_told_to_be_gone_is_not_taken_again_by_a_clear() {
    let mut page = Page::live(config());
    page.get(1);
    page.bob_sets(1, "k", "1");
    page.bob_deletes(1, "k");
    page.bob_sets(1, "other", "1");
    page.loses_pushes = true;
    page.bob_sets(1, "theirs", "1");
    page.set(1, "k", "mine");
    page.close_socket();
    page.forget_history();
    page.bob_clears(1);
    page.go_up();
    assert_eq!(page.notices(), [deleted(&["other"])]);
    page.bob_deletes(1, "k");
    page.loses_pushes = false;
    page.bob_clears(1);
    assert_eq!(page.notices()[1..], [deleted(&[])]);
}

#[test]
fn a_tombstone_of_an_unknown_key_is_not_taken_by_a_clear() {
    let mut page = Page::live(config());
    page.bob_sets(1, "k", "1");
    page.bob_deletes(1, "k");
    page.get(1);
    page.close_socket();
    page.bob_sets(1, "j", "1");
    page.bob_deletes(1, "j");
    page.go_up();
    page.forget_history();
    page.bob_clears(1);
    assert_eq!(page.notices(), [deleted(&[])]);
}

#[test]
fn an_own_write_of_which_no_push_came_is_told_before_what_comes_after_it() {
    let mut page = Page::live(config());
    unheard(&mut page, |page| {
        page.set(1, "mine", "1");
    });
    assert_eq!(page.notices(), []);
    page.bob_clears(1);
    page.close_socket();
    assert_eq!(page.notices(), [updated("mine", "1"), deleted(&["mine"])]);
}

#[test]
fn what_was_set_before_and_after_a_clear_is_told_before_and_after_it_though_both_are_answered_first() {
    let mut page = Page::live(config());
    unheard(&mut page, |page| {
        page.set(1, "k", "1");
        page.clear(1);
        page.set(1, "k", "2");
    });
    assert_eq!(page.notices(), []);
    let set = |value: &str| ChangeKind::Set(vec![("k".into(), value.into())]);
    for (seq, kind) in [(1, set("1")), (2, ChangeKind::Clear), (3, set("2"))] {
        page.frame(pushed(1, &Change { seq, kind, author: "ann".into(), time: 1 }));
    }
    assert_eq!(page.notices(), [updated("k", "1"), deleted(&["k"]), updated("k", "2")]);
}

#[test]
fn answers_that_come_out_of_order_tell_what_there_is_in_the_end() {
    for (set_seq, clear_seq) in [(1, 2), (2, 1)] {
        let mut page = Page::polling(config());
        page.holds = true;
        page.set(1, "k", "1");
        page.clear(1);
        let (clear, set) = (page.held.pop().unwrap(), page.held.pop().unwrap());
        let mut answers =
            [(clear_seq, clear.id, done(clear_seq, &[])), (set_seq, set.id, done(set_seq, &[("k", "1")]))];
        answers.sort_by_key(|(seq, ..)| std::cmp::Reverse(*seq));
        for (_, id, done) in answers {
            page.reply(id, Ok(Reply::Set(done)));
        }
        let told =
            if set_seq > clear_seq { vec![updated("k", "1"), deleted(&[])] } else { vec![deleted(&[])] };
        assert_eq!(page.notices(), told);
    }
}

#[test]
fn an_own_clear_is_told_when_what_came_before_it_is_there() {
    let mut page = Page::live(config());
    page.get(1);
    page.bob_sets(1, "k", "1");
    let (_, watch) = page.watch(1);
    page.forget_history();
    unheard(&mut page, |page| {
        page.bob_sets(1, "theirs", "2");
        page.clear(1);
    });
    assert_eq!(page.shown(watch), map(&[]));
    page.pass(2 * SECOND);
    assert_eq!(page.notices(), [deleted(&["k"])]);
    assert!(page.is_synced(watch));
}

#[test]
fn what_a_clear_past_a_gap_has_dropped_is_not_shown_again_when_the_connection_is_lost() {
    let mut page = Page::live(config());
    page.bob_sets(1, "k", "1");
    let (_, watch) = page.watch(1);
    page.forget_history();
    unheard(&mut page, |page| page.bob_sets(1, "theirs", "2"));
    page.holds = true;
    page.bob_clears(1);
    assert_eq!(page.shown(watch), map(&[]), "its keys are gone at once");
    page.holds = false;
    page.loses_pushes = true;
    page.set(1, "mine", "4");
    assert_eq!(page.shown(watch), map(&[("mine", "4")]));
    page.loses_pushes = false;
    page.go_down();
    let cached = page.get_from(1, None, Some("cache"));
    assert_eq!(page.read(cached), map(&[("mine", "4")]));
    assert_eq!(page.shown(watch), map(&[("mine", "4")]));
    page.go_up();
    page.pass(10 * SECOND);
    assert_eq!(page.shown(watch), page.server(1));
    assert_eq!(page.notices(), [deleted(&["k", "mine"]), updated("mine", "4")], "the reader has seen it");
}

#[test]
fn who_deletes_what_was_cleared_meanwhile_sees_it_gone_and_hears_of_the_clear_later() {
    let mut page = Page::live(persists());
    page.bob_sets(1, "k", "1");
    page.bob_sets(1, "j", "2");
    let (_, watch) = page.watch(1);
    page.forget_history();
    unheard(&mut page, |page| page.bob_clears(1));
    let delete = page.delete(1, "k");
    assert_eq!(page.answered(delete), &Answer::Items(vec![(0, "k".into(), String::new())]));
    assert_eq!(page.shown(watch), map(&[("j", "2")]));
    page.client.handle_keep();
    page.run();
    let kept = page.kept[&name(1)].extension_list.as_ref().unwrap();
    assert_eq!(kept.iter().map(|e| e.key.as_str()).collect::<Vec<_>>(), ["j"]);
    page.pass(2 * SECOND);
    assert_eq!(page.shown(watch), map(&[]));
    assert_eq!(page.notices(), [deleted(&["j", "k"])]);
}

#[test]
fn a_refusal_tells_nothing_of_a_key_that_its_push_has_not_told_better() {
    let mut page = Page::live(config());
    let (_, watch) = page.watch(1);
    page.holds = true;
    let set = page.set(1, "k", "mine");
    let request = page.held.remove(0);
    page.bob_sets(1, "k", "theirs");
    let reply = page.answer(&request);
    page.reply(request.id, reply);
    assert_eq!(page.answered(set), &Answer::Items(vec![(SEQ_CONFLICT, "k".into(), "theirs".into())]));
    let Some(Event::View(view)) = page.events.iter().rev().find(|event| matches!(event, Event::View(_)))
    else {
        panic!("no view")
    };
    let shown = &view.changed[0];
    assert_eq!((shown.value.as_str(), shown.author.as_str()), ("theirs", "bob"));
    assert_eq!(page.shown(watch), map(&[("k", "theirs")]));
}

#[test]
fn each_operation_that_was_missed_is_told_by_itself_and_as_a_whole() {
    let mut page = Page::live(config());
    page.get(1);
    unheard(&mut page, |page| {
        bob_sets_all(page, &["a", "b"]);
        bob_sets_all(page, &["c"]);
        page.bob_sets(1, "d", "1");
        page.bob_deletes(1, "a");
        page.bob_deletes(1, "d");
    });
    page.bob_sets(1, "e", "1");
    let told = [updated("b", "v"), updated("c", "v"), deleted(&["a"]), deleted(&["d"]), updated("e", "1")];
    assert_eq!(page.notices(), told);
    page.close_socket();
    page.forget_history();
    bob_sets_all(&mut page, &["x", "y"]);
    page.go_up();
    let both = ["x", "y"].map(|key| (key.into(), "v".into()));
    assert_eq!(page.notices(), [Notice::Updated(both.into())]);
}

#[test]
fn what_was_pushed_during_the_first_pull_needs_no_other() {
    let mut page = Page::live(config());
    page.holds = true;
    let get = page.get(1);
    let pull = page.held.remove(0);
    let before = page.answer(&pull);
    page.bob_sets(1, "a", "1");
    page.bob_sets(1, "b", "2");
    page.reply(pull.id, before);
    assert_eq!(page.read(get), page.server(1));
    let get = page.get(1);
    assert_eq!(page.read(get), page.server(1));
    page.pass(MINUTE);
    assert_eq!(page.pulls().len(), 1);
    assert_eq!(page.notices(), [updated("a", "1"), updated("b", "2")]);
}

#[test]
fn what_was_pushed_during_a_pull_from_before_the_connection_is_not_taken_for_all() {
    let mut page = Page::polling(config());
    page.holds = true;
    let get = page.get(1);
    let pull = page.held.remove(0);
    let before = page.answer(&pull);
    page.network = Network::Whole;
    page.client.handle_wake(page.now);
    page.run();
    unheard(&mut page, |page| page.bob_sets(1, "a", "1"));
    page.bob_sets(1, "b", "2");
    unheard(&mut page, |page| page.bob_sets(1, "c", "3"));
    page.holds = false;
    page.reply(pull.id, before);
    assert!(page.settled(get).is_some());
    let get = page.get(1);
    assert_eq!(page.read(get), page.server(1));
    assert_eq!(page.notices(), [updated("b", "2"), updated("a", "1"), updated("c", "3")], "each once");
}

#[test]
fn what_was_pushed_while_it_was_pulled_too_is_not_shown_as_changed_again() {
    let mut page = Page::live(config());
    page.watch(1);
    page.holds = true;
    page.get_from(1, None, Some("server"));
    page.bob_sets(1, "k", "1");
    page.forget_history();
    page.release();
    assert_eq!(views(&page), []);
    assert_eq!(page.notices(), []);
}

#[test]
fn what_a_clear_between_two_pages_has_dropped_is_not_told() {
    let mut page = Page::live(config());
    page.get(1);
    page.close_socket();
    page.bob_fills(1, 0..250);
    page.holds_resume = true;
    page.go_up();
    let first = part(1, &page.messages[&name(1)].clone(), 1);
    assert_eq!(first.complete_flag, Some(0));
    unheard(&mut page, |page| {
        page.bob_clears(1);
        page.bob_sets(1, "new", "1");
    });
    page.forget_history();
    let second = part(1, &page.messages[&name(1)].clone(), 201);
    page.frame(resumed(vec![first, second], true));
    assert_eq!(page.notices(), [deleted(&[]), updated("new", "1")]);
    let get = page.get(1);
    assert_eq!(page.read(get), page.server(1));
}

#[test]
fn a_clear_that_was_missed_removes_from_a_watch_what_it_has_shown_once() {
    let mut page = Page::live(config());
    page.bob_sets(1, "gone", "1");
    page.bob_sets(1, "k", "1");
    let (_, watch) = page.watch(1);
    page.bob_deletes(1, "gone");
    page.close_socket();
    page.bob_clears(1);
    page.bob_sets(1, "new", "1");
    page.forget_history();
    page.go_up();
    assert_eq!(views(&page), [(vec!["new".into()], vec!["k".into()])]);
    assert_eq!(page.shown(watch), map(&[("new", "1")]));
    page.close_socket();
    page.go_up();
    assert!(page.requests.is_empty(), "the clear is known");
}

#[test]
fn two_new_keys_of_one_write_are_shown_at_once_each_once() {
    let mut page = Page::live(config());
    page.watch(1);
    page.forget_history();
    page.holds = true;
    let items = ["a", "b"].map(|key| (Some(key.into()), Some("v".into())));
    page.call(|client, call, now| client.handle_set(call, argument(1), Some(items.into()), now));
    assert_eq!(views(&page), [(vec!["a".into(), "b".into()], vec![])]);
}

#[test]
fn of_a_server_that_has_lost_everything_nothing_is_shown() {
    let mut page = Page::live(config());
    page.bob_sets(1, "k", "1");
    let (_, watch) = page.watch(1);
    page.close_socket();
    page.messages.insert(name(1), Message::default());
    page.forget_history();
    page.go_up();
    assert_eq!(page.shown(watch), map(&[]));
    assert!(page.is_synced(watch));
    assert_eq!(page.notices(), [deleted(&["k"])]);
}

#[test]
fn an_own_write_that_nobody_was_told_of_and_the_server_has_lost_is_not_told_to_be_gone() {
    let mut page = ahead();
    let (_, watch) = page.watch(1);
    page.close_socket();
    page.messages.insert(name(1), Message::default());
    page.bob_sets(1, "other", "1");
    page.forget_history();
    page.go_up();
    page.pass(10 * SECOND);
    assert_eq!(page.shown(watch), page.server(1));
    assert_eq!(page.notices().last(), Some(&updated("other", "1")));
}

#[test]
fn a_server_that_always_names_wrong_digests_is_asked_twice_and_no_more() {
    let mut page = Page::live(config());
    page.bob_sets(1, "k", "1");
    page.holds = true;
    let get = page.get(1);
    for _ in 0..2 {
        if let Some(pull) = page.held.pop() {
            let Ok(Reply::Pull(mut reply)) = page.answer(&pull) else { panic!("no page") };
            reply.digest = Some(1);
            page.reply(pull.id, Ok(Reply::Pull(reply)));
        }
    }
    assert_eq!(page.read(get), map(&[("k", "1")]));
    assert!(page.held.is_empty());
}

#[test]
fn a_message_without_keys_is_kept_though_it_was_read_after_others_were_kept() {
    let mut page = Page::live(persists());
    page.holds = true;
    page.get(1);
    page.client.handle_keep();
    page.run();
    page.release();
    assert_eq!(page.count(|event| matches!(event, Event::Stale)), 1);
    page.client.handle_keep();
    page.run();
    assert_eq!(page.kept[&name(1)].latest_seq, Some(0));
}

#[test]
fn a_frame_with_a_change_that_is_known_tells_nothing() {
    let mut page = Page::live(config());
    page.get(1);
    page.bob_sets(1, "k", "1");
    page.forget_history();
    page.frame(ServerFrame { events: Some(vec![wire_event(2, "k", 1)]), ..frame(ServerFrame::PUSH) });
    assert_eq!(page.notices(), []);
}

#[test]
fn own_writes_of_a_message_that_was_not_read_are_told_once_each_by_their_push_or_when_none_will_come() {
    let mut page = Page::live(config());
    page.set(1, "pushed", "1");
    let told = |key: &str, value: &str| updated(key, value);
    assert_eq!(page.notices(), [told("pushed", "1")], "its push was faster than its reply");
    page.loses_pushes = true;
    page.set(1, "late", "2");
    page.set(1, "never", "3");
    assert_eq!(page.notices().len(), 1, "a reply alone tells nothing");
    page.frame(ServerFrame { events: Some(vec![wire_event(1, "late", 2)]), ..frame(ServerFrame::PUSH) });
    page.close_socket();
    assert_eq!(page.notices(), [told("pushed", "1"), told("late", "2"), told("never", "3")]);
}

#[test]
fn without_push_an_own_write_of_a_message_that_was_not_read_is_told_at_once() {
    let mut page = Page::polling(config());
    page.set(1, "k", "1");
    assert_eq!(page.notices(), [updated("k", "1")]);
}

#[test]
fn what_was_overheard_and_is_gone_when_the_message_is_read_for_the_first_time_is_not_read() {
    let mut page = Page::live(config());
    page.bob_sets(1, "k", "1");
    page.bob_sets(1, "j", "1");
    page.close_socket();
    page.bob_deletes(1, "k");
    page.go_up();
    let get = page.get(1);
    assert_eq!(page.read(get), map(&[("j", "1")]));
}

#[test]
fn a_watch_is_shown_first_what_was_written_first() {
    let mut page = Page::live(config());
    for key in ["b", "c", "a"] {
        page.bob_sets(1, key, "v");
    }
    page.watch(1);
    assert_eq!(views(&page)[0].0, ["b", "c", "a"]);
}
