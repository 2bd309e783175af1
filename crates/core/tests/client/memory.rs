//! What a client remembers is bounded.

use message_extensions_core::client::*;
use message_extensions_core::code::NOT_CACHED;

use crate::page::*;

const MOST: u64 = 1000;

/// The messages of which nothing is to be kept any more, by number.
fn gone(page: &mut Page) -> Vec<u64> {
    page.events.clear();
    page.client.handle_keep();
    page.run();
    let mut gone = Vec::new();
    for event in &page.events {
        if let Event::Keep(states) = event {
            gone.extend(states.iter().filter(|s| s.extension_list.is_none()).map(|s| s.msg_seq.unwrap()));
        }
    }
    gone
}

fn is_cached(page: &mut Page, n: u64) -> bool {
    let get = page.get_from(n, None, Some("cache"));
    match page.settled(get).unwrap() {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.code, NOT_CACHED);
            false
        }
    }
}

#[test]
fn of_more_than_a_thousand_messages_the_one_that_was_used_least_recently_goes() {
    let mut page = Page::live(persists());
    for n in 1..=MOST {
        page.get(n);
    }
    page.get(1);
    assert!(gone(&mut page).is_empty());
    page.get(MOST + 1);
    assert!(!is_cached(&mut page, 2) && is_cached(&mut page, 1) && is_cached(&mut page, MOST + 1));
    assert!(gone(&mut page).is_empty(), "another tab may use what is kept of it");
    page.close_socket();
    page.go_up();
    assert_eq!(page.resumes()[0].len(), MOST as usize);
}

#[test]
fn what_is_watched_or_waited_for_stays() {
    let mut page = Page::live(persists());
    let (_, watch) = page.watch(1);
    for n in 2..=4 {
        page.get(n);
    }
    page.holds = true;
    let set = page.set(2, "k", "v");
    let get = page.get_from(3, None, Some("server"));
    let clear = page.clear(4);
    let held = std::mem::take(&mut page.held);
    page.holds = false;
    for n in 5..=MOST + 5 {
        page.get(n);
    }
    assert!((5..=9).all(|n| !is_cached(&mut page, n)) && is_cached(&mut page, 10));
    assert!((2..=4).all(|n| is_cached(&mut page, n)));
    page.held = held;
    page.release();
    assert!([set, get, clear].into_iter().all(|call| page.settled(call).is_some()));
    assert_eq!(page.server(2), map(&[("k", "v")]));
    page.bob_sets(1, "k", "v");
    assert_eq!(page.shown(watch), map(&[("k", "v")]));
}

#[test]
fn what_waits_in_the_outbox_stays() {
    let mut page = Page::live(offline());
    page.go_down();
    let queued = page.set(1, "k", "v");
    assert!(matches!(page.answered(queued), Answer::Queued(_)));
    page.go_up();
    page.pass(SECOND);
    page.holds = true;
    page.go_down();
    page.set(1, "k", "w");
    page.holds = false;
    page.network = Network::Whole;
    page.refuses = Some(10002);
    page.go_up();
    for n in 2..=MOST + 5 {
        page.get(n);
    }
    let (_, watch) = page.watch(1);
    assert_eq!(page.shown(watch), map(&[("k", "w")]));
    assert_eq!(page.status(watch, "k"), EntryStatus::Queued);
}

#[test]
fn changes_that_are_overheard_are_told_and_take_no_more_than_their_room() {
    for config in [config(), persists()] {
        let mut page = Page::live(config);
        page.get(1);
        for n in 2..=20_000 {
            page.bob_sets(n, "k", "v");
        }
        assert_eq!(page.notices().len(), 19_999);
        assert!(is_cached(&mut page, 1), "and push out nothing that was read");
        page.forget_history();
        page.close_socket();
        page.go_up();
        assert_eq!(page.resumes(), [[(1, 0)]]);
    }
}

#[test]
fn what_was_only_overheard_was_never_kept_so_nothing_is_said_when_it_goes() {
    let mut page = Page::live(persists());
    for n in 1..=MOST + 100 {
        page.bob_sets(n, "k", "v");
    }
    // Another page of the user may keep them.
    assert!(gone(&mut page).is_empty());
}

#[test]
fn a_client_that_keeps_nothing_does_not_remember_what_it_has_forgotten() {
    let mut page = Page::live(config());
    for n in 1..=2 * MOST {
        page.get(n);
    }
    page.logout();
    assert_eq!(page.count(|event| matches!(event, Event::Keep(_))), 0);
}

#[test]
fn watches_that_come_and_go_leave_nothing() {
    let mut page = Page::live(config());
    page.bob_fills(1, 0..50);
    page.get(1);
    // The text of the machine's state is as long as it is large.
    let size = |page: &Page| format!("{:?}", page.client).len();
    let round = |page: &mut Page| {
        let (_, watch) = page.watch(1);
        page.bob_sets(1, "k001", "x");
        page.bob_deletes(1, "k002");
        page.set(1, "mine", "y");
        page.delete(1, "mine");
        page.unwatch(watch);
        page.bob_sets(1, "k002", "y");
        page.pass(SECOND);
    };
    round(&mut page);
    let before = size(&page);
    for _ in 0..200 {
        round(&mut page);
    }
    assert!(size(&page) < before + 200, "{before} has become {}", size(&page));
}

#[test]
fn groups_that_come_and_go_leave_nothing() {
    for config in [config(), persists()] {
        let mut page = Page::live(config);
        page.bob_sets(1, "k", "v");
        let size = |page: &Page| format!("{:?}", page.client).len();
        let round = |page: &mut Page| {
            let (_, watch) = page.watch(1);
            page.bob_sets(1, "k", "w");
            page.frame(left("g"));
            page.unwatch(watch);
            page.get(1);
            page.frame(left("g"));
            page.client.handle_keep();
            page.run();
            page.pass(MINUTE);
        };
        round(&mut page);
        let before = size(&page);
        for _ in 0..100 {
            round(&mut page);
        }
        assert!(size(&page) < before + 200, "{before} has become {}", size(&page));
    }
}

#[test]
fn after_a_logout_nothing_is_left() {
    let mut page = Page::new(offline());
    let size = |page: &Page| format!("{:?}", page.client).len();
    let before = size(&page);
    page.login();
    for n in 1..=50 {
        page.bob_sets(n, "k", "v");
        page.watch(n);
        page.set(n, "mine", "v");
    }
    page.go_down();
    page.set(1, "mine", "w");
    page.logout();
    assert!(size(&page) < before + 200, "{before} has become {}", size(&page));
    assert!(page.client.poll_timeout().is_none());
}
