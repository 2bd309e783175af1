//! A server that has another history than what is known here, as far as it can be found out.

use message_extensions_core::client::*;
use message_extensions_core::law::Message;

use crate::page::*;

/// A page that knows of three changes and asks to resume; what the server says of the message is up to the test.
fn back(digest: Option<u32>, (latest_seq, clear_seq): (u64, u64)) -> Page {
    let mut page = Page::live(config());
    for i in 1..=3 {
        page.bob_sets(1, "k", &i.to_string());
    }
    page.get(1);
    page.close_socket();
    page.holds_resume = true;
    page.go_up();
    page.forget_history();
    let mut said = part(1, &page.messages[&name(1)].clone(), 4);
    (said.latest_seq, said.clear_seq, said.digest) = (Some(latest_seq), Some(clear_seq), digest);
    page.frame(resumed(vec![said], true));
    page
}

fn starts(page: &Page) -> Vec<Option<u64>> {
    page.pulls().iter().map(|pull| pull.start_seq).collect()
}

#[test]
fn a_counter_that_went_back_says_so_without_a_digest() {
    assert_eq!(starts(&back(None, (2, 0))), [None]);
    assert!(starts(&back(None, (3, 0))).is_empty());
}

#[test]
fn a_clear_that_should_be_known_says_so_without_a_digest() {
    assert_eq!(starts(&back(None, (4, 2))), [None]);
    assert_eq!(starts(&back(None, (4, 3))), [None]);
    assert!(starts(&back(None, (4, 4))).is_empty());
}

#[test]
fn a_clear_that_is_known_is_not_taken_for_another_history_after_the_next_connection() {
    let mut page = Page::live(config());
    page.get(1);
    page.bob_sets(1, "k", "1");
    page.bob_clears(1);
    for i in 1..=2 {
        page.close_socket();
        page.bob_sets(1, "k", &i.to_string());
        page.forget_history();
        page.go_up();
        page.pass(MINUTE);
        assert!(page.pulls().is_empty());
        assert_eq!(page.notices(), [Notice::Updated(vec![("k".into(), i.to_string())])]);
    }
}

#[test]
fn a_clear_that_was_only_overheard_is_not_believed_after_the_connection() {
    let mut page = Page::live(config());
    page.bob_sets(1, "k", "1");
    page.bob_clears(1);
    page.close_socket();
    page.messages.insert(name(1), Message::default());
    page.bob_sets(1, "k", "other");
    page.go_up();
    let get = page.get(1);
    assert_eq!(page.read(get), map(&[("k", "other")]));
}

#[test]
fn what_a_reader_found_gone_is_told_to_be_there_when_the_server_has_lost_that_it_was_gone() {
    let mut page = Page::live(config());
    page.bob_sets(1, "k", "1");
    page.get(1);
    let before = page.messages[&name(1)].clone();
    page.loses_pushes = true;
    page.bob_clears(1);
    page.delete(1, "k");
    let get = page.get_from(1, None, Some("cache"));
    assert_eq!(page.read(get), map(&[]));
    page.close_socket();
    page.messages.insert(name(1), before);
    page.forget_history();
    page.go_up();
    assert_eq!(page.notices(), [Notice::Updated(vec![("k".into(), "1".into())])]);
}

#[test]
fn an_own_clear_that_the_server_has_lost_hides_nothing() {
    for live in [true, false] {
        let mut page = if live { Page::live(config()) } else { Page::polling(config()) };
        page.bob_sets(1, "k", "1");
        let (_, watch) = page.watch(1);
        let before = page.messages[&name(1)].clone();
        page.loses_pushes = true;
        page.bob_sets(1, "unheard", "1");
        page.holds = true;
        page.clear(1);
        let clear = page.held.pop().unwrap();
        page.reply(clear.id, Ok(Reply::Set(done(3, &[]))));
        assert_eq!(page.shown(watch), map(&[]));
        page.close_socket();
        page.messages.insert(name(1), before);
        for i in 1..=3 {
            page.bob_sets(1, "other", &i.to_string());
        }
        page.release();
        page.loses_pushes = false;
        if live {
            page.go_up();
        }
        page.pass(MINUTE);
        assert_eq!(page.shown(watch), map(&[("k", "1"), ("other", "3")]), "live: {live}");
    }
}

#[test]
fn an_own_clear_that_a_pull_of_before_does_not_bring_is_not_taken_for_lost() {
    let mut page = Page::live(config());
    page.bob_sets(1, "k", "1");
    page.get(1);
    page.forget_history();
    page.loses_pushes = true;
    page.bob_sets(1, "unheard", "1");
    page.holds = true;
    page.get_from(1, None, Some("server"));
    page.clear(1);
    let clear = page.held.pop().unwrap();
    page.reply(clear.id, Ok(Reply::Set(done(3, &[]))));
    page.close_socket();
    page.release();
    page.bob_clears(1);
    page.go_up();
    page.pass(MINUTE);
    assert!(starts(&page).iter().all(Option::is_some), "{:?}", starts(&page));
    assert_eq!(page.notices().last(), Some(&Notice::Deleted(vec!["k".into(), "unheard".into()])));
}
