//! Where a read's answer comes from.

use message_extensions_core::client::*;
use message_extensions_core::code::{INVALID_ARGUMENT, NOT_CACHED};
use message_extensions_core::wire::{Extension, PullReply};

use crate::page::*;

fn page() -> Page {
    let mut page = Page::live(config());
    for (key, value) in [("a", "1"), ("b", "2"), ("c", "3")] {
        page.bob_sets(1, key, value);
    }
    page
}

#[test]
fn a_live_read_asks_the_server_once_and_then_nobody() {
    let mut page = page();
    let get = page.get(1);
    assert_eq!(page.read(get), page.server(1));
    page.bob_sets(1, "a", "4");
    let get = page.get(1);
    assert_eq!(page.read(get), page.server(1));
    assert_eq!(page.pulls().len(), 1);
}

#[test]
fn what_has_never_been_read_is_not_in_the_cache() {
    let mut page = page();
    let cached = page.get_from(1, None, Some("cache"));
    assert_eq!(page.code(cached), NOT_CACHED, "what is overheard is not all");
    assert!(page.requests.is_empty());
    page.get(1);
    let cached = page.get_from(1, None, Some("cache"));
    assert_eq!(page.read(cached), page.server(1));
}

#[test]
fn the_cache_answers_without_the_network_and_the_server_does_not() {
    let mut page = page();
    page.get(1);
    page.go_down();
    let cached = page.get_from(1, None, Some("cache"));
    assert_eq!(page.read(cached), page.server(1));
    let (server, either) = (page.get_from(1, None, Some("server")), page.get(1));
    page.pass(15 * SECOND);
    assert!(page.settled(server).unwrap().is_err() && page.settled(either).unwrap().is_err());
}

#[test]
fn a_read_from_the_server_asks_it_though_the_cache_is_current() {
    let mut page = page();
    page.get(1);
    let get = page.get_from(1, None, Some("server"));
    assert_eq!(page.read(get), page.server(1));
    assert_eq!(page.pulls()[1].start_seq, Some(4), "only for what is new");
}

#[test]
fn keys_that_are_named_are_read_from_each_source() {
    let mut page = page();
    page.get(1);
    for source in [None, Some("cache"), Some("server")] {
        let get = page.get_from(1, Some(&["c", "a", "none"]), source);
        assert_eq!(page.read(get), map(&[("a", "1"), ("c", "3")]), "{source:?}");
        let get = page.get_from(1, Some(&[]), source);
        assert_eq!(page.read(get), map(&[]), "{source:?}");
    }
    let first = page.get_from(2, Some(&["a"]), None);
    assert_eq!(page.read(first), map(&[]));
}

#[test]
fn another_source_is_refused() {
    let mut page = page();
    for source in ["", "Cache", "network"] {
        let get = page.get_from(1, None, Some(source));
        assert_eq!(page.code(get), INVALID_ARGUMENT);
    }
    let get = page.call(|client, call, now| client.handle_get(call, argument(1), Some(None), None, now));
    assert_eq!(page.code(get), INVALID_ARGUMENT);
    assert!(page.requests.is_empty());
}

#[test]
fn reads_at_the_same_time_share_a_pull() {
    let mut page = page();
    page.holds = true;
    let gets = [page.get(1), page.get_from(1, None, Some("server")), page.watch(1).0];
    let keys = page.get_from(1, Some(&["b"]), Some("server"));
    assert_eq!(page.requests.len(), 1);
    page.release();
    for get in gets {
        assert_eq!(page.read(get), page.server(1));
    }
    assert_eq!(page.read(keys), map(&[("b", "2")]));
    assert_eq!(page.requests.len(), 1);
}

#[test]
fn a_message_of_several_pages_is_read_page_by_page() {
    let mut page = Page::live(config());
    page.bob_fills(1, 0..300);
    let get = page.get(1);
    assert_eq!(page.read(get), page.server(1));
    let starts: Vec<_> = page.pulls().iter().map(|pull| pull.start_seq).collect();
    assert_eq!(starts, [None, Some(201)]);
}

#[test]
fn the_answer_to_a_pull_from_before_a_message_was_forgotten_is_not_taken_for_a_later_one() {
    let mut page = page();
    page.get(1);
    page.loses_pushes = true;
    page.bob_sets(1, "d", "4");
    page.holds = true;
    page.forget_history();
    let before = page.get_from(1, None, Some("server"));
    page.frame(left("g"));
    assert!(page.settled(before).unwrap().is_err());
    // The user is a member again, and reads again.
    let after = page.get(1);
    page.release();
    assert_eq!(page.read(after), page.server(1));
    let cached = page.get_from(1, None, Some("cache"));
    assert_eq!(page.read(cached), page.server(1));
}

#[test]
fn a_mutation_reads_what_the_cache_has_when_that_is_current() {
    let mut page = page();
    page.get(1);
    let mutate = page.mutate(1, "a");
    assert_eq!(page.computes, [(mutate, Some("1".into()))]);
    page.client.handle_computed(mutate, Some("5".into()), page.now);
    page.run();
    assert_eq!(page.answered(mutate), &Answer::Items(vec![(0, "a".into(), "5".into())]));
    assert_eq!((page.pulls().len(), page.sets().len()), (1, 1));
}

/// What a read has given.
fn listing(page: &Page, get: CallId) -> Listing {
    let Answer::Extensions(listing) = page.answered(get) else { panic!("a read gives keys and values") };
    listing.clone()
}

/// A part of a listing's text: its length in units of UTF-16, in three digits of base 128, and itself.
fn part(part: &str) -> String {
    let length = part.encode_utf16().count() as u32;
    let digits = [length / 128 / 128, length / 128 % 128, length % 128];
    digits.into_iter().map(|digit| char::from_u32(digit).unwrap()).chain(part.chars()).collect()
}

#[test]
fn a_listing_is_keys_and_values_with_their_lengths_as_javascript_counts_them() {
    let mut page = Page::live(config());
    page.holds = true;
    let get = page.get(1);
    let request = page.held.remove(0);
    let long = "x".repeat(40_000);
    let pairs = [
        ("a", "1"),
        ("b", "\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}😀"),
        ("c", &long[..300]),
        ("😀", &long),
    ];
    let extension = |(key, value): &(&str, &str)| Extension {
        key: (*key).into(),
        value: (*value).into(),
        seq: 1,
        ..Extension::default()
    };
    let extension_list = pairs.iter().map(extension).collect();
    let reply = PullReply { complete_flag: 1, latest_seq: 1, extension_list, ..refused_pull(0) };
    page.reply(request.id, Ok(Reply::Pull(reply)));
    let listing = listing(&page, get);
    let text: String = pairs.iter().flat_map(|(key, value)| [part(key), part(value)]).collect();
    assert!(listing.text() == text, "lengths, keys and values");
    assert!(listing.pairs() == pairs.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

#[test]
fn reads_of_one_state_give_one_listing_and_those_of_another_state_another() {
    let mut page = page();
    let read = |page: &mut Page, keys: Option<&[&str]>| {
        let get = page.get_from(1, keys, None);
        listing(page, get)
    };
    let [first, again] = [(); 2].map(|()| read(&mut page, None));
    assert!(first.is(&again) && first.may_come_again());
    let [named, named_again] = [(); 2].map(|()| read(&mut page, Some(&["a", "b", "c"])));
    assert_eq!(named, first);
    assert!(!named.is(&first) && !named.is(&named_again) && !named.may_come_again());
    page.bob_sets(1, "a", "4");
    assert!(!first.may_come_again());
    page.bob_sets(1, "a", "1");
    let same = read(&mut page, None);
    assert_eq!(same, first);
    assert!(!same.is(&first));
}
