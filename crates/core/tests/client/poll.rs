//! An endpoint without push: what is watched is asked for, again and again, less often while nothing changes.

use message_extensions_core::client::*;
use message_extensions_core::code::INTERNAL;

use crate::page::*;

/// When each pull from now on goes out, milliseconds from now.
fn pulls_within(page: &mut Page, time: u64) -> Vec<u64> {
    let (begin, mut at) = (page.now, Vec::new());
    while page.now < begin + time {
        let before = page.pulls().len();
        page.pass(100);
        at.extend(std::iter::repeat_n(page.now - begin, page.pulls().len() - before));
    }
    at
}

fn gaps(at: &[u64]) -> Vec<u64> {
    at.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn only_what_is_watched_is_pulled_and_only_for_what_is_new() {
    let mut page = Page::polling(config());
    page.bob_sets(1, "k", "v");
    page.bob_sets(2, "k", "v");
    page.get(1);
    page.watch(2);
    page.forget_history();
    page.pass(10 * SECOND);
    assert!(!page.pulls().is_empty());
    for pull in page.pulls() {
        assert_eq!((pull.msg_seq, pull.start_seq), (Some(2), Some(2)));
    }
}

#[test]
fn polls_come_less_and_less_often_and_at_once_again_after_a_change() {
    let mut page = Page::polling(config());
    let (_, watch) = page.watch(1);
    let at = pulls_within(&mut page, 5 * MINUTE);
    assert!((1_500..=2_100).contains(&at[0]), "{at:?}");
    let gaps = gaps(&at);
    assert!(gaps.iter().all(|gap| (1_400..=30_100).contains(gap)), "{gaps:?}");
    assert!(gaps.iter().rev().take(3).all(|gap| *gap >= 22_400), "{gaps:?}");
    page.bob_sets(1, "k", "v");
    page.pass(31 * SECOND);
    assert_eq!(page.shown(watch), map(&[("k", "v")]));
    page.bob_sets(1, "k", "w");
    page.pass(31 * SECOND);
    page.bob_sets(1, "k", "x");
    let changed = pulls_within(&mut page, 31 * SECOND);
    let first = changed[0];
    assert!(changed[1] - first <= 2_100, "{changed:?}");
}

#[test]
fn synced_says_whether_the_last_poll_went_well() {
    let mut page = Page::polling(config());
    let (_, watch) = page.watch(1);
    assert!(page.is_synced(watch));
    page.refuses = Some(INTERNAL);
    page.pass(MINUTE);
    assert!(!page.is_synced(watch));
    page.refuses = None;
    page.pass(MINUTE);
    assert!(page.is_synced(watch));
    assert!(page.errors().is_empty());
}

#[test]
fn polls_end_with_the_last_watch_and_when_push_comes() {
    let mut page = Page::polling(config());
    let (_, one) = page.watch(1);
    let (_, other) = page.watch(1);
    page.unwatch(one);
    page.forget_history();
    page.pass(MINUTE);
    assert!(page.pulls().len() > 2);
    page.network = Network::Whole;
    page.pass(MINUTE);
    assert!(page.is_synced(other));
    page.forget_history();
    page.pass(10 * MINUTE);
    assert!(page.requests.is_empty(), "pushes come");
    page.network = Network::WithoutPush;
    page.close_socket();
    page.pass(10 * SECOND);
    assert!(!page.pulls().is_empty());
    page.unwatch(other);
    page.pass(MINUTE);
    page.forget_history();
    page.pass(10 * MINUTE);
    assert!(page.pulls().is_empty());
}

#[test]
fn nothing_is_asked_after_the_last_watch() {
    let mut page = Page::polling(config());
    let (_, watch) = page.watch(1);
    page.unwatch(watch);
    page.forget_history();
    page.pass(MINUTE);
    assert!(page.pulls().is_empty(), "not even once");
}

#[test]
fn after_a_login_without_push_what_is_watched_is_pulled_at_once() {
    let mut page = Page::new(config());
    page.bob_sets(1, "k", "v");
    page.network = Network::WithoutPush;
    page.holds = true;
    page.login();
    let (watched, watch) = page.watch(1);
    assert!(page.pulls().is_empty());
    page.release();
    assert_eq!(page.read(watched), map(&[("k", "v")]));
    assert!(page.is_synced(watch));
    assert_eq!(page.pulls().len(), 1);
}

#[test]
fn own_writes_are_told_without_push() {
    let mut page = Page::polling(config());
    let (_, watch) = page.watch(1);
    page.set(1, "k", "v");
    assert_eq!(page.notices(), [Notice::Updated(vec![("k".into(), "v".into())])]);
    assert_eq!(page.status(watch, "k"), EntryStatus::Confirmed);
    page.pass(5 * MINUTE);
    assert_eq!(page.notices().len(), 1, "once");
}

#[test]
fn a_watch_that_begins_long_after_the_last_pull_is_not_synced_until_the_next() {
    let mut page = Page::polling(config());
    page.bob_sets(1, "k", "old");
    page.get(1);
    page.pass(60 * MINUTE);
    page.bob_sets(1, "k", "new");
    page.holds = true;
    let (_, watch) = page.watch(1);
    assert_eq!(page.shown(watch), map(&[("k", "old")]));
    assert!(!page.is_synced(watch));
    page.release();
    assert!(page.is_synced(watch));
    assert_eq!(page.shown(watch), map(&[("k", "new")]));
}

#[test]
fn a_poll_from_before_the_push_connection_says_nothing_after_it_is_lost() {
    let mut page = Page::polling(config());
    let (_, watch) = page.watch(1);
    page.network = Network::Whole;
    page.pass(MINUTE);
    assert!(page.is_synced(watch));
    page.holds = true;
    page.go_down();
    assert!(!page.is_synced(watch));
}
