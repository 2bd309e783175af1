//! A group that the user is no member of any more.

use message_extensions_core::code::{NO_SUCH_MESSAGE, NOT_CACHED};
use message_extensions_core::wire::command;

use crate::page::*;

/// Messages 1 and 2 are in the group g, this one is in another.
const ELSEWHERE: u64 = 100_000;

#[test]
fn a_group_that_was_left_or_is_gone_takes_its_messages_along() {
    for command in [command::GROUP_LEFT, command::GROUP_DESTROYED] {
        let mut page = Page::live(persists());
        for n in [1, 2, 3, ELSEWHERE] {
            page.bob_sets(n, "k", "v");
        }
        page.get(1);
        let (_, watch) = page.watch(2);
        let (_, elsewhere) = page.watch(ELSEWHERE);
        page.client.handle_keep();
        page.holds = true;
        let waiting = [page.get(3), page.get_from(1, None, Some("server"))];
        page.frame(group_event(command, "g"));
        for get in waiting {
            assert_eq!(page.code(get), NO_SUCH_MESSAGE);
        }
        assert_eq!(page.shown(watch), map(&[]));
        assert!(!page.is_synced(watch));
        assert_eq!(page.errors(), [NO_SUCH_MESSAGE], "once");
        let cached = page.get_from(1, None, Some("cache"));
        assert_eq!(page.code(cached), NOT_CACHED);
        assert_eq!(page.shown(elsewhere), map(&[("k", "v")]));
        assert!(page.is_synced(elsewhere));
        let cached = page.get_from(ELSEWHERE, None, None);
        assert_eq!(page.read(cached), map(&[("k", "v")]));
        page.client.handle_keep();
        page.run();
        assert_eq!(page.kept.keys().collect::<Vec<_>>(), [&name(ELSEWHERE)], "nor is it kept");
    }
}

#[test]
fn another_s_group_or_none_takes_nothing_along() {
    let mut page = Page::live(config());
    let (_, watch) = page.watch(1);
    page.bob_sets(1, "k", "v");
    for group in ["", "other", "G"] {
        page.frame(left(group));
    }
    let mut nameless = left("g");
    nameless.events.as_mut().unwrap()[0].group_id = None;
    page.frame(nameless);
    assert_eq!(page.shown(watch), map(&[("k", "v")]));
    assert!(page.errors().is_empty());
}

#[test]
fn a_member_again_reads_from_the_beginning() {
    let mut page = Page::live(config());
    page.bob_sets(1, "k", "v");
    page.get(1);
    page.frame(left("g"));
    page.forget_history();
    let get = page.get(1);
    assert_eq!(page.read(get), map(&[("k", "v")]));
    assert_eq!(page.pulls()[0].start_seq, None);
}

#[test]
fn a_write_that_is_refused_since_the_message_is_gone_forgets_it() {
    let mut page = Page::live(config());
    page.bob_sets(1, "k", "v");
    let (_, watch) = page.watch(1);
    page.hidden.insert(name(1));
    let set = page.set(1, "k", "w");
    assert_eq!(page.code(set), NO_SUCH_MESSAGE);
    assert_eq!(page.shown(watch), map(&[]));
    assert_eq!(page.errors(), [NO_SUCH_MESSAGE]);
}
