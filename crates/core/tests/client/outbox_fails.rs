//! What becomes of queued writes that cannot be sent, or not now; and of those who wait for the outbox.

use message_extensions_core::client::*;
use message_extensions_core::code::{
    INTERNAL, INVALID_PARAMETER, LOGGED_OUT, NO_SUCH_MESSAGE, NOT_LOGGED_IN, TOO_MANY_WRITES,
};

use crate::outbox::away;
use crate::page::*;

fn drains(page: &Page) -> usize {
    page.count(|event| matches!(event, Event::Drain))
}

#[test]
fn a_refusal_for_good_is_told_with_its_code_and_the_write_is_kept_no_longer() {
    let (mut page, watch) = away();
    page.set(1, "k", "mine");
    page.set(2, "x", "y");
    page.refuses = Some(INVALID_PARAMETER);
    page.go_up();
    page.pass(SECOND);
    let told: Vec<_> = page.conflicts().into_iter().map(|c| (c.code, c.key, c.value, c.current)).collect();
    let conflict = |key: &str, value: &str| (INVALID_PARAMETER, key.into(), value.into(), String::new());
    assert_eq!(told, [conflict("k", "mine"), conflict("x", "y")]);
    assert!(page.queued.is_empty());
    assert_eq!(page.shown(watch), map(&[("k", "theirs")]));
    page.pass(MINUTE);
    assert_eq!(page.sets().len(), 2);
}

#[test]
fn a_write_to_a_message_that_is_gone_is_a_conflict_and_the_next_one_is_sent() {
    let (mut page, watch) = away();
    page.set(1, "k", "mine");
    page.set(2, "x", "y");
    page.hidden.insert(name(1));
    page.go_up();
    page.pass(SECOND);
    let codes: Vec<_> = page.conflicts().into_iter().map(|conflict| conflict.code).collect();
    assert_eq!(codes, [NO_SUCH_MESSAGE]);
    assert!(page.queued.is_empty());
    assert_eq!(page.shown(watch), map(&[]));
    assert_eq!(page.server(2), map(&[("x", "y")]));
}

#[test]
fn a_refusal_for_now_leaves_it_where_it_is_until_a_later_try() {
    for code in [INTERNAL, TOO_MANY_WRITES] {
        let (mut page, watch) = away();
        page.set(1, "k", "mine");
        page.refuses = Some(code);
        page.go_up();
        page.pass(5 * MINUTE);
        assert_eq!(page.queued.len(), 1);
        assert_eq!(page.status(watch, "k"), EntryStatus::Queued);
        let ids: std::collections::BTreeSet<_> = page.sets().into_iter().map(|(.., id)| id).collect();
        assert_eq!(ids.len(), 1, "always the same write");
        page.refuses = None;
        page.pass(MINUTE);
        assert_eq!(page.server(1), map(&[("k", "mine")]));
        assert!(page.queued.is_empty());
        assert_eq!(page.conflicts(), []);
    }
}

#[test]
fn an_answer_that_is_none_leaves_it_where_it_is() {
    let (mut page, _) = away();
    page.set(1, "k", "mine");
    // A hotel's page that asks for a room number, or a proxy's that says 502.
    page.is_captive = true;
    page.network = Network::WithoutPush;
    page.pass(5 * MINUTE);
    assert_eq!(page.conflicts(), []);
    assert_eq!(page.queued.len(), 1);
    page.is_captive = false;
    page.pass(MINUTE);
    assert_eq!(page.server(1), map(&[("k", "mine")]));
}

#[test]
fn an_hour_without_the_network_is_not_spent_trying() {
    for network in [Network::Down, Network::Silent] {
        let (mut page, _) = away();
        page.network = network;
        page.set(1, "k", "mine");
        page.pass(60 * MINUTE);
        assert!((60..=150).contains(&drains(&page)), "{} times", drains(&page));
        assert!(page.sets().len() < 1_500, "{} requests", page.sets().len());
        page.go_up();
        page.pass(MINUTE);
        assert_eq!(page.server(1), map(&[("k", "mine")]));
        let before = drains(&page);
        page.pass(60 * MINUTE);
        assert_eq!(drains(&page), before, "nothing waits");
    }
}

#[test]
fn a_record_that_is_long_in_coming_is_not_asked_for_all_the_time() {
    let (mut page, _) = away();
    page.owns = false;
    page.set(1, "k", "mine");
    page.go_up();
    // An owner that takes 5 ms to look.
    let until = page.now + MINUTE;
    let mut answered = 0;
    while page.now < until {
        page.pass(5);
        if drains(&page) > answered {
            answered = drains(&page);
            page.drain();
            page.run();
        }
    }
    assert!(drains(&page) < 70, "asked {} times within a minute", drains(&page));
}

#[test]
fn who_writes_all_the_time_does_not_keep_the_outbox_from_being_tried() {
    let mut page = Page::polling(offline());
    page.go_down();
    page.set(1, "k", "0");
    page.pass(2 * MINUTE);
    page.network = Network::WithoutPush;
    for i in 1..=60 {
        page.set(1, "k", &i.to_string());
        page.pass(5 * SECOND);
    }
    assert_eq!(page.server(1), map(&[("k", "60")]));
}

#[test]
fn to_drain_when_nobody_is_logged_in_is_refused() {
    let mut page = Page::new(offline());
    let drain = page.drain();
    page.run();
    assert_eq!(page.code(drain), NOT_LOGGED_IN);
    page.login();
    page.logout();
    let drain = page.drain();
    page.run();
    assert_eq!(page.code(drain), LOGGED_OUT);
}

#[test]
fn to_drain_twice_at_once_settles_both_and_sends_nothing_twice() {
    let (mut page, _) = away();
    page.set(1, "k", "mine");
    page.holds = true;
    page.go_up();
    page.owns = false;
    page.pass(SECOND);
    let (first, second) = (page.drain(), page.drain());
    page.run();
    assert_eq!(page.sets().len(), 1);
    page.release();
    assert!(page.settled(first).is_some() && page.settled(second).is_some());
}

#[test]
fn a_write_whose_record_is_seen_before_its_owner_says_so_is_answered_too() {
    let (mut page, _) = away();
    page.owns = false;
    let set = page.set(1, "k", "mine");
    let record = page.events.iter().find_map(|event| match event {
        Event::Queue(_, record) => Some(record.clone()),
        _ => None,
    });
    page.record(record.unwrap());
    page.go_up();
    page.pass(SECOND);
    page.drain();
    page.run();
    page.client.handle_queued(set);
    page.run();
    assert_eq!(page.server(1), map(&[("k", "mine")]));
    assert!(page.settled(set).is_some());
}

#[test]
fn a_logout_settles_every_call_once_whatever_the_outbox_is_doing() {
    // While the record is being written.
    let (mut page, _) = away();
    page.owns = false;
    let set = page.set(1, "k", "mine");
    page.logout();
    // It is kept for the next session.
    assert!(matches!(page.answered(set), Answer::Queued(_)));
    page.client.handle_queued(set);
    page.run();
    // While the owner waits for its turn.
    let (mut page, _) = away();
    let set = page.set(1, "k", "mine");
    page.owns = false;
    page.go_up();
    page.pass(SECOND);
    assert_eq!(drains(&page), 1);
    page.logout();
    let drain = page.drain();
    page.run();
    assert!(matches!(page.answered(set), Answer::Queued(_)));
    assert_eq!(page.code(drain), LOGGED_OUT);
    // While it is being sent, with others behind it.
    let (mut page, _) = away();
    page.set(1, "k", "mine");
    page.holds = true;
    page.go_up();
    page.pass(SECOND);
    let drain = page.last_call;
    let behind = [page.set(1, "k", "later"), page.clear(1), page.get_from(1, None, Some("server"))];
    page.mutate(1, "k");
    let held = page.held.clone();
    page.logout();
    assert_eq!(page.code(drain), LOGGED_OUT);
    for call in behind {
        assert!(page.settled(call).is_some());
    }
    assert_eq!((1..=page.last_call).find(|call| page.settled(*call).is_none()), None);
    for request in held {
        page.reply(request.id, Err(Failure::Network));
    }
    assert_eq!(page.queued.len(), 2, "the records stay");
    // And are sent by the next session.
    page.holds = false;
    page.login();
    page.pass(SECOND);
    assert_eq!(page.server(1), map(&[("k", "later")]));
}

#[test]
fn a_signature_that_is_refused_while_draining_loses_no_record() {
    let (mut page, _) = away();
    page.set(1, "k", "mine");
    page.refuses = Some(70001);
    page.go_up();
    page.pass(SECOND);
    assert_eq!(page.errors(), [70001]);
    assert_eq!(page.conflicts(), []);
    assert_eq!(page.queued.len(), 1);
    assert_eq!((1..=page.last_call).find(|call| page.settled(*call).is_none()), None);
    page.refuses = None;
    page.login();
    page.pass(SECOND);
    assert_eq!(page.server(1), map(&[("k", "mine")]));
}
