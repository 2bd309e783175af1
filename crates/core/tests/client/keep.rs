//! What is kept of each message, and what a new page makes of it.

use message_extensions_core::client::*;
use message_extensions_core::wire::{Extension, MessageState};

use crate::page::*;

fn keep(page: &mut Page) {
    page.client.handle_keep();
    page.run();
}

fn stale(page: &Page) -> usize {
    page.count(|event| matches!(event, Event::Stale))
}

/// A page that is opened without the network, on what an earlier one has kept.
fn reopened(mut page: Page) -> Page {
    keep(&mut page);
    page.reload();
    page.network = Network::Down;
    page.login();
    page
}

fn entries(state: &MessageState) -> Vec<(&str, &str, u64)> {
    let entry = |e| {
        let &Extension { ref key, ref value, seq, .. } = e;
        (key.as_str(), value.as_str(), seq)
    };
    state.extension_list.iter().flatten().map(entry).collect()
}

#[test]
fn what_is_kept_is_shown_before_any_network_and_then_brought_up_to_date() {
    let mut page = Page::live(persists());
    page.bob_sets(1, "a", "1");
    page.bob_sets(1, "b", "2");
    page.get(1);
    let mut page = reopened(page);
    let cached = page.get_from(1, None, Some("cache"));
    assert_eq!(page.read(cached), map(&[("a", "1"), ("b", "2")]));
    assert_eq!(page.notices(), []);
    page.bob_sets(1, "b", "3");
    page.bob_deletes(1, "a");
    page.forget_history();
    page.go_up();
    assert_eq!(page.resumes(), [[(1, 2)]]);
    let told = [Notice::Updated(vec![("b".into(), "3".into())]), Notice::Deleted(vec!["a".into()])];
    assert_eq!(page.notices(), told);
    page.close_socket();
    page.go_up();
    assert_eq!(page.notices().len(), 2, "once");
    assert!(page.requests.is_empty());
}

#[test]
fn a_watch_shows_what_is_kept_at_once_and_says_that_it_may_not_be_all() {
    let mut page = Page::live(persists());
    page.bob_sets(1, "a", "1");
    page.bob_sets(1, "b", "2");
    page.get(1);
    let mut page = reopened(page);
    let (_, watch) = page.watch(1);
    assert_eq!(page.shown(watch), map(&[("a", "1"), ("b", "2")]));
    assert!(!page.is_synced(watch));
    page.bob_sets(1, "b", "3");
    page.go_up();
    page.pass(10 * SECOND);
    assert_eq!(page.shown(watch), map(&[("a", "1"), ("b", "3")]));
    assert!(page.is_synced(watch));
    assert_eq!(page.notices(), [Notice::Updated(vec![("b".into(), "3".into())])]);
}

#[test]
fn tombstones_clears_and_authors_are_kept() {
    let mut page = Page::live(persists());
    page.get(1);
    page.bob_sets(1, "a", "1");
    page.bob_clears(1);
    page.bob_sets(1, "b", "2");
    page.bob_sets(1, "c", "3");
    page.bob_deletes(1, "b");
    keep(&mut page);
    let state = &page.kept[&name(1)];
    assert_eq!((state.latest_seq, state.clear_seq), (Some(5), Some(2)));
    assert_eq!(entries(state), [("b", "", 5), ("c", "3", 4)]);
    assert_eq!(state.message_id, Some(id(1)));
    assert_eq!(state.extension_list.as_ref().unwrap()[1].author.as_deref(), Some("bob"));
    let mut page = reopened(page);
    let (_, watch) = page.watch(1);
    assert_eq!(page.shown(watch), map(&[("c", "3")]));
    // A clear that was missed takes away what only the kept state has shown.
    page.bob_clears(1);
    page.go_up();
    page.pass(10 * SECOND);
    assert_eq!(page.notices(), [Notice::Deleted(vec!["c".into()])]);
    assert_eq!(page.shown(watch), map(&[]));
}

#[test]
fn the_seq_of_a_kept_tombstone_serves_the_next_write() {
    let mut page = Page::live(persists());
    page.bob_sets(1, "k", "1");
    page.bob_deletes(1, "k");
    page.bob_sets(1, "k", "2");
    page.get(1);
    let mut page = reopened(page);
    page.go_up();
    let set = page.set(1, "k", "3");
    assert_eq!(page.answered(set), &Answer::Items(vec![(0, "k".into(), "3".into())]));
    assert_eq!(page.sets()[0].2, 3);
}

#[test]
fn own_replies_ahead_of_what_is_known_are_kept_and_told_once() {
    let mut page = Page::live(persists());
    page.get(1);
    page.loses_pushes = true;
    page.bob_sets(1, "theirs", "1");
    page.holds = true;
    page.set(1, "mine", "2");
    let request = page.held.remove(0);
    let reply = page.answer(&request);
    page.reply(request.id, reply);
    assert_eq!(page.notices(), [], "the change before it is missing");
    keep(&mut page);
    let state = &page.kept[&name(1)];
    assert_eq!((state.latest_seq, entries(state)), (Some(0), vec![("mine", "2", 2)]));
    page.holds = false;
    let mut page = reopened(page);
    let cached = page.get_from(1, None, Some("cache"));
    assert_eq!(page.read(cached), map(&[("mine", "2")]));
    page.loses_pushes = false;
    page.go_up();
    assert_eq!(page.resumes(), [[(1, 0)]]);
    let one = |key: &str, value: &str| Notice::Updated(vec![(key.into(), value.into())]);
    assert_eq!(page.notices(), [one("theirs", "1"), one("mine", "2")]);
    let get = page.get(1);
    assert_eq!(page.read(get), page.server(1));
}

#[test]
fn records_that_cannot_be_read_are_ignored() {
    let good = MessageState { latest_seq: Some(0), extension_list: Some(vec![]), ..MessageState::default() };
    let no_address = good.clone();
    let half = MessageState { to_account: Some("x".into()), ..good.clone() };
    let nobody =
        MessageState { to_account: Some(String::new()), msg_key: Some("1_2_3".into()), ..good.clone() };
    let no_number = MessageState { group_id: Some("g".into()), ..good };
    let mut page = Page::new(persists());
    page.owns = false;
    page.network = Network::Down;
    page.login();
    let states = vec![MessageState::default(), no_address, half, nobody, no_number];
    page.client.handle_loaded(states, vec![], page.now);
    page.run();
    page.go_up();
    page.pass(SECOND);
    assert_eq!(page.resumes(), [[]; 0], "nothing is known");
    assert_eq!(page.count(|event| matches!(event, Event::Ready)), 1);
}

#[test]
fn a_record_that_lacks_its_seq_or_its_list_counts_for_nothing() {
    let entry = Extension { key: "k".into(), value: "v".into(), seq: 2, ..Extension::default() };
    let whole =
        MessageState { latest_seq: Some(2), extension_list: Some(vec![entry]), ..MessageState::default() };
    for state in [
        MessageState { extension_list: None, ..whole.clone() },
        MessageState { latest_seq: None, ..whole },
        MessageState::default(),
    ] {
        let mut page = Page::live(persists());
        page.bob_sets(1, "a", "1");
        page.bob_sets(1, "k", "v");
        page.reload();
        page.kept.insert(name(1), state.addressed_to(name(1)));
        page.login();
        let get = page.get(1);
        assert_eq!(page.read(get), page.server(1));
        assert_eq!(page.notices(), [], "it is read for the first time");
    }
}

#[test]
fn an_entry_without_a_key_is_not_shown() {
    let entry = Extension { value: "v".into(), seq: 1, ..Extension::default() };
    let state =
        MessageState { latest_seq: Some(1), extension_list: Some(vec![entry]), ..MessageState::default() };
    let mut page = Page::new(persists());
    page.kept.insert(name(1), state.addressed_to(name(1)));
    page.network = Network::Down;
    page.login();
    let (_, watch) = page.watch(1);
    assert_eq!(page.shown(watch), map(&[]));
}

#[test]
fn stale_is_told_once_until_it_is_kept() {
    let mut page = Page::live(persists());
    page.get(1);
    assert_eq!(stale(&page), 1);
    for i in 0..5 {
        page.bob_sets(1, "k", &i.to_string());
    }
    assert_eq!(stale(&page), 1);
    keep(&mut page);
    assert_eq!(page.count(|event| matches!(event, Event::Keep(_))), 1);
    keep(&mut page);
    assert_eq!(page.count(|event| matches!(event, Event::Keep(_))), 1, "nothing new, nothing to keep");
    page.get(1);
    assert_eq!(stale(&page), 1);
    page.bob_sets(1, "k", "again");
    assert_eq!(stale(&page), 2);
}

#[test]
fn what_has_just_been_read_from_the_store_is_not_stale() {
    let mut page = Page::live(persists());
    page.bob_sets(1, "k", "v");
    page.get(1);
    let mut page = reopened(page);
    assert_eq!(stale(&page), 0);
    page.go_up();
    page.pass(MINUTE);
    assert_eq!(stale(&page), 0, "the server had nothing new");
}

#[test]
fn what_is_used_in_a_session_is_kept_once_more_since_that_says_when_it_was_used() {
    let mut page = Page::live(persists());
    page.get(1);
    let mut page = reopened(page);
    for _ in 0..2 {
        page.watch(1);
        keep(&mut page);
    }
    assert_eq!(stale(&page), 1);
    assert_eq!(page.count(|event| matches!(event, Event::Keep(_))), 1);
}

#[test]
fn what_was_only_overheard_is_not_kept() {
    let mut page = Page::live(persists());
    page.bob_sets(1, "k", "v");
    assert_eq!(stale(&page), 0);
    page.logout();
    assert!(page.kept.is_empty());
}

#[test]
fn a_logout_keeps_what_is_stale_before_it_says_that_it_is_not_ready() {
    let mut page = Page::live(persists());
    page.bob_sets(1, "k", "v");
    page.get(1);
    page.logout();
    let at = |is_it: fn(&Event) -> bool| page.events.iter().position(is_it).unwrap();
    assert!(at(|event| matches!(event, Event::Keep(_))) < at(|event| matches!(event, Event::NotReady)));
    assert_eq!(entries(&page.kept[&name(1)]), [("k", "v", 1)]);
}

#[test]
fn what_was_kept_is_taken_only_while_a_login_waits_for_it() {
    let state = MessageState { latest_seq: Some(4), extension_list: Some(vec![]), ..MessageState::default() };
    let states = vec![state.addressed_to(name(1))];
    let mut page = Page::new(persists());
    let hand_in = |page: &mut Page| {
        let (now, events, frames) = (page.now, page.events.len(), page.frames.len());
        page.client.handle_loaded(states.clone(), vec![], now);
        page.run();
        assert_eq!((page.events.len(), page.frames.len()), (events, frames));
    };
    hand_in(&mut page);
    page.login();
    hand_in(&mut page);
    page.logout();
    hand_in(&mut page);
    page.forget_history();
    page.login();
    page.call(|client, call, _| client.handle_destroy(call));
    page.forget_history();
    hand_in(&mut page);
    // Twice within one login.
    let mut page = Page::new(persists());
    page.network = Network::Silent;
    page.login();
    page.client.handle_loaded(states.clone(), vec![], page.now);
    page.run();
    page.network = Network::WithoutPush;
    page.pass(15 * SECOND);
    let cached = page.get_from(1, None, Some("cache"));
    assert!(page.settled(cached).unwrap().is_err(), "the second did nothing");
}
