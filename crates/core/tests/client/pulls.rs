//! When the server is asked for what is missing, and when it is not.

use message_extensions_core::client::*;
use message_extensions_core::code::{INTERNAL, INVALID_PARAMETER, NO_SUCH_MESSAGE, TIMEOUT, UNUSABLE_REPLY};
use message_extensions_core::wire::{Extension, PullReply};

use crate::page::*;

/// A page that has read a message, to which a change was made that it has not heard of.
fn with_a_gap() -> Page {
    let mut page = Page::live(config());
    page.get(1);
    page.loses_pushes = true;
    page.bob_sets(1, "theirs", "1");
    page.forget_history();
    page
}

/// A page of a pull, answered by hand.
fn entries(entries: &[(&str, u64)], latest_seq: u64, complete_flag: u32) -> Result<Reply, Failure> {
    let entry = |(key, seq): &(&str, u64)| Extension {
        key: (*key).into(),
        value: "v".into(),
        seq: *seq,
        ..Extension::default()
    };
    let extension_list = entries.iter().map(entry).collect();
    Ok(Reply::Pull(PullReply { complete_flag, latest_seq, extension_list, ..refused_pull(0) }))
}

#[test]
fn a_change_of_which_an_own_reply_tells_is_pulled_when_its_push_has_not_come_for_two_seconds() {
    let mut page = with_a_gap();
    let set = page.set(1, "mine", "2");
    assert!(page.settled(set).is_some());
    page.pass(1_000);
    page.set(1, "mine", "3");
    page.pass(999);
    assert!(page.pulls().is_empty());
    page.pass(1);
    assert_eq!(page.pulls()[0].start_seq, Some(1), "the second write puts nothing off");
    assert_eq!(page.notices().len(), 2, "each key once");
    page.pass(MINUTE);
    assert_eq!(page.pulls().len(), 1);
}

#[test]
fn a_gap_that_closes_by_itself_is_not_pulled() {
    let mut page = with_a_gap();
    page.set(1, "mine", "2");
    for (key, seq) in [("theirs", 1), ("mine", 2)] {
        let events = Some(vec![wire_event(1, key, seq)]);
        page.frame(message_extensions_core::wire::ServerFrame { events, ..frame("push") });
    }
    page.pass(MINUTE);
    assert!(page.pulls().is_empty());
}

#[test]
fn a_pull_that_was_overtaken_by_an_own_reply_is_followed_by_another_after_two_seconds() {
    let mut page = with_a_gap();
    page.holds = true;
    page.get_from(1, None, Some("server"));
    let pull = page.held.remove(0);
    let before = page.answer(&pull);
    page.holds = false;
    page.bob_sets(1, "theirs", "2");
    page.set(1, "mine", "3");
    page.reply(pull.id, before);
    page.pass(1_999);
    assert_eq!(page.pulls().len(), 1);
    page.pass(1);
    assert_eq!(page.pulls()[1].start_seq, Some(2));
    let get = page.get(1);
    assert_eq!(page.read(get), page.server(1));
}

#[test]
fn without_push_an_own_reply_that_tells_of_more_is_followed_by_a_pull_at_once_and_another_by_none() {
    let mut page = Page::polling(config());
    let (_, watch) = page.watch(1);
    // The next poll is half a minute away.
    page.pass(10 * MINUTE);
    while page.client.poll_timeout().is_some_and(|at| at < page.now + 20 * SECOND) {
        page.pass(SECOND);
    }
    page.forget_history();
    page.set(1, "mine", "1");
    page.pass(0);
    assert!(page.pulls().is_empty(), "all is known");
    page.bob_sets(1, "theirs", "2");
    page.set(1, "mine", "3");
    page.pass(0);
    assert_eq!(page.pulls().len(), 1);
    assert_eq!(page.shown(watch), map(&[("mine", "3"), ("theirs", "2")]));
}

#[test]
fn no_more_than_four_messages_are_polled_at_once() {
    let mut page = Page::polling(config());
    for n in 1..=10 {
        page.watch(n);
    }
    page.forget_history();
    page.holds = true;
    page.pass(3 * SECOND);
    assert_eq!(page.held.len(), 4, "all are due");
    page.release();
    assert_eq!(page.pulls().len(), 10);
}

#[test]
fn a_pull_that_fails_is_not_repeated_for_a_message_that_nobody_has_read_or_watches() {
    let mut page = Page::live(config());
    page.refuses = Some(INTERNAL);
    let get = page.get(1);
    page.pass(15 * SECOND);
    assert_eq!(page.code(get), INTERNAL);
    page.forget_history();
    page.pass(MINUTE);
    assert!(page.requests.is_empty());
}

#[test]
fn a_poll_whose_answer_cannot_be_used_is_followed_by_the_next() {
    let mut page = Page::polling(config());
    let (_, watch) = page.watch(1);
    page.is_captive = true;
    page.pass(MINUTE);
    assert!(!page.is_synced(watch));
    page.is_captive = false;
    page.pass(MINUTE);
    assert!(page.is_synced(watch));
}

#[test]
fn a_poll_that_was_refused_for_good_is_the_last() {
    let mut page = Page::polling(config());
    page.watch(1);
    page.refuses = Some(INVALID_PARAMETER);
    page.pass(MINUTE);
    page.forget_history();
    page.pass(10 * MINUTE);
    assert!(page.pulls().is_empty());
}

#[test]
fn polls_that_fail_come_less_and_less_often_too() {
    let mut page = Page::polling(config());
    page.watch(1);
    page.refuses = Some(INTERNAL);
    page.pass(5 * MINUTE);
    page.forget_history();
    page.pass(5 * MINUTE);
    assert!((10..=14).contains(&page.pulls().len()), "{}", page.pulls().len());
}

#[test]
fn who_wrote_a_key_is_asked_for() {
    let mut page = Page::live(config());
    page.get(1);
    assert_eq!(page.pulls()[0].with_author, Some(1));
}

#[test]
fn an_entry_without_a_key_or_a_seq_makes_a_pull_unusable() {
    for entry in [("", 1), ("k", 0)] {
        let mut page = Page::live(config());
        page.holds = true;
        let get = page.get(1);
        page.reply(page.held[0].id, entries(&[entry], 1, 1));
        assert_eq!(page.code(get), UNUSABLE_REPLY, "{entry:?}");
    }
}

#[test]
fn a_server_whose_pages_do_not_end_is_given_up_after_a_hundred() {
    let mut page = Page::live(config());
    page.holds = true;
    let get = page.get(1);
    for n in 1..=100 {
        assert!(page.settled(get).is_none());
        let pull = page.held.remove(0);
        assert_eq!(page.pulls().len(), n);
        page.reply(pull.id, entries(&[("k", n as u64)], 1000, 0));
    }
    assert_eq!(page.code(get), UNUSABLE_REPLY);
    assert!(page.held.is_empty());
}

#[test]
fn a_message_that_is_watched_and_was_forgotten_is_read_again_when_somebody_writes_it() {
    let mut page = Page::live(config());
    page.bob_sets(1, "k", "v");
    let (_, watch) = page.watch(1);
    page.frame(left("g"));
    page.forget_history();
    page.bob_sets(1, "other", "w");
    assert_eq!(page.pulls().len(), 1);
    assert_eq!(page.shown(watch), map(&[("k", "v"), ("other", "w")]));
    assert!(page.is_synced(watch));
}

#[test]
fn a_group_that_is_left_is_an_error_only_for_what_is_watched_and_was_read() {
    let mut page = Page::live(config());
    page.get(1);
    page.holds = true;
    let (watched, _) = page.watch(2);
    page.frame(left("g"));
    assert_eq!(page.code(watched), NO_SUCH_MESSAGE);
    assert!(page.errors().is_empty(), "the watch that began is told by its call");
}

#[test]
fn a_resume_of_which_nothing_comes_is_given_up_after_ten_seconds() {
    let mut page = Page::live(config());
    page.get(1);
    page.close_socket();
    page.holds_resume = true;
    page.forget_history();
    page.go_up();
    page.pass(10 * SECOND - 1);
    assert!(page.pulls().is_empty());
    page.pass(1);
    assert_eq!(page.pulls().len(), 1);
}

#[test]
fn what_is_being_pulled_when_the_connection_comes_back_is_not_resumed() {
    let mut page = Page::live(config());
    for n in 1..=2 {
        page.bob_sets(n, "k", "v");
        page.get(n);
    }
    page.close_socket();
    page.holds = true;
    page.get_from(1, None, Some("server"));
    page.forget_history();
    page.go_up();
    assert_eq!(page.resumes(), [[(2, 1)]]);
}

#[test]
fn after_a_resume_that_brought_nothing_the_next_change_is_told() {
    let mut page = Page::live(config());
    page.bob_sets(1, "k", "1");
    page.get(1);
    page.close_socket();
    page.go_up();
    page.forget_history();
    page.bob_sets(1, "k", "2");
    assert_eq!(page.notices(), [Notice::Updated(vec![("k".into(), "2".into())])]);
    assert!(page.pulls().is_empty());
}

#[test]
fn four_writes_of_a_message_are_on_their_way_and_the_next_waits_for_the_oldest() {
    let mut page = Page::live(config());
    page.holds = true;
    let sets: Vec<_> = (0..6).map(|i| page.set(1, &format!("k{i}"), "v")).collect();
    assert_eq!(page.sets().len(), 4);
    for (answered, sent) in [(1, 4), (0, 6)] {
        let request = page.held.remove(answered);
        let reply = page.answer(&request);
        page.reply(request.id, reply);
        assert_eq!(page.sets().len(), sent);
    }
    let other = page.set(2, "k", "v");
    assert_eq!(page.sets().len(), 7, "another message has a window of its own");
    page.release();
    for set in sets.into_iter().chain([other]) {
        assert!(matches!(page.answered(set), Answer::Items(items) if items[0].0 == 0));
    }
}

#[test]
fn a_write_that_waits_for_others_is_given_up_after_fifteen_seconds() {
    let mut page = Page::live(config());
    page.network = Network::Silent;
    let sets: Vec<_> = (0..5).map(|i| page.set(1, &format!("k{i}"), "v")).collect();
    page.pass(15 * SECOND - 1);
    assert!(sets.iter().all(|set| page.settled(*set).is_none()));
    page.pass(1);
    assert!(sets.iter().all(|set| page.code(*set) == TIMEOUT));
}
