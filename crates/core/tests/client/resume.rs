//! A connection that comes back: one request names what is known, and the answer brings what is missing.

use message_extensions_core::client::*;
use message_extensions_core::code::{INTERNAL, NO_SUCH_MESSAGE};
use message_extensions_core::law::Message;
use message_extensions_core::wire::{ClientFrame, RESUMED_MESSAGES};

use crate::page::*;

/// A page that has read three messages and lost its connection.
fn away() -> Page {
    let mut page = Page::live(config());
    for n in 1..=3 {
        page.bob_sets(n, "k", "before");
        page.get(n);
    }
    page.close_socket();
    page.forget_history();
    page
}

fn updated(key: &str, value: &str) -> Notice {
    Notice::Updated(vec![(key.into(), value.into())])
}

#[test]
fn one_frame_names_every_loaded_message_and_its_seq_and_none_that_is_not_loaded() {
    let mut page = away();
    page.bob_sets(2, "k", "after");
    page.go_up();
    page.bob_sets(9, "k", "only heard of");
    page.close_socket();
    page.go_up();
    assert_eq!(page.resumes(), [[(1, 1), (2, 1), (3, 1)], [(1, 1), (2, 2), (3, 1)]]);
    let logins = page.frames.iter().filter(|frame| frame.r#type == ClientFrame::LOGIN);
    assert!(logins.clone().count() == 2 && page.frames.len() == 4, "nothing else is sent");
    assert!(page.requests.is_empty());
}

#[test]
fn what_was_named_and_did_not_come_is_current() {
    let mut page = away();
    page.bob_sets(2, "k", "after");
    page.go_up();
    for (n, value) in [(1, "before"), (2, "after"), (3, "before")] {
        let get = page.get(n);
        assert_eq!(page.read(get), map(&[("k", value)]));
    }
    page.pass(MINUTE);
    assert!(page.requests.is_empty(), "{:?}", page.requests);
    assert_eq!(page.notices(), [updated("k", "after")], "the difference, once");
}

#[test]
fn nothing_is_current_before_its_part_has_come() {
    let mut page = away();
    page.holds_resume = true;
    page.go_up();
    let gets = [page.get(1), page.get(2)];
    page.frame(resumed(vec![part(1, &page.messages[&name(1)].clone(), 2)], false));
    assert!(page.settled(gets[0]).is_some() && page.settled(gets[1]).is_none());
    page.frame(resumed(vec![], true));
    assert_eq!(page.read(gets[1]), map(&[("k", "before")]));
    assert!(page.requests.is_empty());
}

#[test]
fn a_message_that_has_changed_more_than_a_page_comes_in_parts_and_equals_the_server() {
    let mut page = away();
    page.bob_fills(1, 0..290);
    page.bob_deletes(1, "k");
    page.holds_resume = true;
    page.go_up();
    let message = page.messages[&name(1)].clone();
    let first = part(1, &message, 2);
    assert_eq!((first.complete_flag, first.extension_list.as_ref().unwrap().len()), (Some(0), 200));
    let second = part(1, &message, 202);
    assert_eq!(second.complete_flag, Some(1));
    let get = page.get(1);
    page.frame(resumed(vec![first], false));
    assert!(page.settled(get).is_none(), "half of it is not all");
    page.frame(resumed(vec![second], true));
    assert_eq!(page.read(get), page.server(1));
    assert_eq!(page.server(1).len(), 290);
    assert!(page.requests.is_empty());
    assert_eq!(page.notices().last(), Some(&Notice::Deleted(vec!["k".into()])));
}

#[test]
fn a_push_past_the_gap_waits_for_the_part() {
    let mut page = away();
    page.bob_sets(1, "k", "missed");
    page.holds_resume = true;
    page.go_up();
    let before = page.messages[&name(1)].clone();
    page.bob_sets(1, "k", "pushed");
    assert_eq!(page.notices(), []);
    page.frame(resumed(vec![part(1, &before, 2)], true));
    assert_eq!(page.notices(), [updated("k", "missed"), updated("k", "pushed")]);
    page.pass(MINUTE);
    assert!(page.requests.is_empty(), "no pull");
    let get = page.get(1);
    assert_eq!(page.read(get), map(&[("k", "pushed")]));
}

#[test]
fn a_part_that_says_there_is_no_such_message_forgets_it() {
    let mut page = away();
    let (_, watch) = page.watch(1);
    page.hidden.insert(name(1));
    page.go_up();
    assert_eq!(page.shown(watch), map(&[]));
    assert_eq!(page.errors(), [NO_SUCH_MESSAGE]);
    page.forget_history();
    page.hidden.clear();
    let get = page.get(1);
    assert_eq!(page.read(get), map(&[("k", "before")]));
    assert_eq!(page.pulls()[0].start_seq, None, "from the beginning");
}

#[test]
fn a_part_of_a_message_that_was_not_named_is_none_of_its_pull() {
    let mut page = away();
    page.bob_sets(9, "k", "v");
    page.holds_resume = true;
    page.go_up();
    page.holds = true;
    let get = page.get(9);
    page.frame(resumed(vec![refused_part(9, NO_SUCH_MESSAGE)], false));
    assert!(page.settled(get).is_none());
    page.release();
    assert_eq!(page.read(get), map(&[("k", "v")]));
}

#[test]
fn a_part_that_failed_is_pulled_later() {
    let mut page = away();
    page.bob_sets(1, "k", "after");
    page.holds_resume = true;
    page.go_up();
    let get = page.get(1);
    page.frame(resumed(vec![refused_part(1, INTERNAL)], true));
    assert_eq!(page.code(get), INTERNAL);
    assert!(page.requests.is_empty());
    page.pass(10 * SECOND);
    assert_eq!(page.pulls().len(), 1);
    assert_eq!(page.pulls()[0].start_seq, Some(2));
    assert_eq!(page.notices(), [updated("k", "after")]);
    page.pass(MINUTE);
    assert_eq!(page.pulls().len(), 1);
}

#[test]
fn a_resume_without_an_answer_is_given_up_after_ten_seconds() {
    let mut page = away();
    page.bob_sets(2, "k", "after");
    page.holds_resume = true;
    page.go_up();
    page.pass(9 * SECOND);
    assert!(page.requests.is_empty());
    page.frame(resumed(vec![part(1, &page.messages[&name(1)].clone(), 2)], false));
    page.pass(9 * SECOND);
    assert!(page.requests.is_empty(), "a part is a sign of life");
    page.pass(2 * SECOND);
    let pulled: Vec<_> = page.pulls().iter().map(|pull| (pull.msg_seq, pull.start_seq)).collect();
    assert_eq!(pulled, [(Some(2), Some(2)), (Some(3), Some(2))]);
    assert_eq!(page.notices(), [updated("k", "after")]);
    // What comes after all is not taken twice.
    page.frame(resumed(vec![part(2, &page.messages[&name(2)].clone(), 2)], true));
    assert_eq!(page.notices().len(), 1);
}

#[test]
fn those_who_wait_when_the_connection_is_lost_again_pull_and_the_rest_is_resumed_later() {
    let mut page = away();
    page.bob_sets(1, "k", "after");
    page.holds_resume = true;
    page.go_up();
    let get = page.get(1);
    page.frame(resumed(vec![part(3, &page.messages[&name(3)].clone(), 2)], false));
    page.network = Network::WithoutPush;
    page.close_socket();
    assert_eq!(page.read(get), map(&[("k", "after")]));
    page.pass(MINUTE);
    assert_eq!(page.pulls().len(), 1, "only what somebody waits for");
    page.holds_resume = false;
    page.network = Network::Whole;
    page.forget_history();
    page.go_up();
    assert_eq!(page.resumes(), [[(1, 2), (2, 1), (3, 1)]]);
    assert!(page.pulls().is_empty());
}

#[test]
fn a_server_that_has_lost_what_it_had_is_read_from_the_beginning() {
    let mut page = Page::live(persists());
    for value in ["1", "2", "3"] {
        page.bob_sets(1, "k", value);
    }
    let (_, watch) = page.watch(1);
    page.client.handle_keep();
    page.run();
    assert_eq!(page.kept[&name(1)].latest_seq, Some(3));
    page.close_socket();
    page.messages.insert(name(1), Message::default());
    page.bob_sets(1, "other", "new");
    page.forget_history();
    page.go_up();
    assert_eq!(page.resumes(), [[(1, 3)]]);
    assert_eq!(page.pulls().len(), 1);
    assert_eq!(page.pulls()[0].start_seq, None);
    assert_eq!(page.shown(watch), map(&[("other", "new")]));
    assert!(page.is_synced(watch));
    page.client.handle_keep();
    page.run();
    let keeps = page.events.iter().filter_map(|event| match event {
        Event::Keep(states) => Some(states.iter().map(|s| (s.extension_list.is_some(), s.latest_seq))),
        _ => None,
    });
    assert_eq!(
        keeps.flatten().collect::<Vec<_>>(),
        [(false, None), (true, Some(1))],
        "deleted, then replaced"
    );
    assert_eq!(page.kept[&name(1)].latest_seq, Some(1));
}

/// A page that has read `lost`, away while the server goes back and on to the same Seq.
fn away_from_a_fork() -> (Page, WatchId) {
    let mut page = Page::live(persists());
    page.bob_sets(1, "same", "1");
    let before = page.messages[&name(1)].clone();
    page.bob_sets(1, "k", "lost");
    page.bob_sets(1, "gone", "lost");
    let (_, watch) = page.watch(1);
    page.close_socket();
    page.messages.insert(name(1), before);
    page.bob_sets(1, "k", "other");
    page.bob_sets(1, "new", "1");
    page.forget_history();
    (page, watch)
}

#[test]
fn another_state_at_the_known_seq_replaces_what_was_known_and_the_difference_is_told() {
    let (mut page, watch) = away_from_a_fork();
    page.go_up();
    assert_eq!(page.resumes(), [[(1, 3)]]);
    assert_eq!(page.pulls().iter().map(|pull| pull.start_seq).collect::<Vec<_>>(), [None]);
    let new = [("k", "other"), ("new", "1")].map(|(key, value)| (key.into(), value.into()));
    assert_eq!(page.notices(), [Notice::Deleted(vec!["gone".into()]), Notice::Updated(new.into())]);
    assert_eq!(page.shown(watch), page.server(1));
    assert!(page.is_synced(watch));
    page.pass(MINUTE);
    assert_eq!(page.pulls().len(), 1);
}

#[test]
fn another_state_at_a_later_seq_replaces_what_was_known_too() {
    let (mut page, watch) = away_from_a_fork();
    page.bob_sets(1, "later", "1");
    page.go_up();
    assert_eq!(page.pulls().len(), 1);
    assert_eq!(page.shown(watch), page.server(1));
    assert_eq!(page.notices()[1], Notice::Deleted(vec!["gone".into()]));
}

#[test]
fn what_is_shown_stays_until_the_other_state_has_come() {
    let (mut page, watch) = away_from_a_fork();
    page.holds = true;
    page.go_up();
    assert!(!page.is_synced(watch));
    assert_eq!(page.shown(watch), map(&[("same", "1"), ("k", "lost"), ("gone", "lost")]));
    page.release();
    assert_eq!(page.shown(watch), page.server(1));
}

#[test]
fn a_server_that_names_wrong_digests_is_pulled_from_once_a_resume() {
    let mut page = away();
    page.holds_resume = true;
    page.go_up();
    let mut wrong = part(1, &page.messages[&name(1)].clone(), 2);
    wrong.digest = wrong.digest.map(|digest| digest ^ 1);
    page.frame(resumed(vec![wrong], true));
    page.pass(MINUTE);
    assert_eq!(page.pulls().len(), 1);
    assert_eq!(page.notices(), []);
    let get = page.get(1);
    assert_eq!(page.read(get), map(&[("k", "before")]));
}

#[test]
fn a_server_that_names_no_digest_is_believed() {
    let (mut page, _) = away_from_a_fork();
    page.holds_resume = true;
    page.go_up();
    let mut silent = part(1, &page.messages[&name(1)].clone(), 4);
    silent.digest = None;
    page.frame(resumed(vec![silent], true));
    page.pass(MINUTE);
    assert!(page.pulls().is_empty());
}

#[test]
fn what_one_frame_cannot_name_is_pulled() {
    let mut page = Page::live(config());
    let most = RESUMED_MESSAGES as u64;
    // Watched, so that none of them is forgotten.
    for n in 1..=most + 3 {
        page.watch(n);
    }
    page.close_socket();
    page.forget_history();
    page.bob_sets(most + 3, "k", "after");
    page.go_up();
    assert_eq!(page.resumes().len(), 1);
    assert_eq!(page.resumes()[0].len(), RESUMED_MESSAGES);
    let pulled: Vec<_> = page.pulls().iter().map(|pull| pull.msg_seq.unwrap()).collect();
    assert_eq!(pulled, [most + 1, most + 2, most + 3]);
    assert_eq!(page.notices(), [updated("k", "after")]);
    let get = page.get(most + 3);
    assert!(page.settled(get).is_some());
    assert_eq!(page.pulls().len(), 3);
}

#[test]
fn the_answer_to_the_login_s_question_asks_for_nothing_that_is_being_resumed() {
    let mut page = Page::live(persists());
    for n in 1..=3 {
        page.bob_sets(n, "k", "v");
        page.get(n);
    }
    page.logout();
    page.reload();
    page.holds = true;
    page.holds_resume = true;
    page.network = Network::WithoutPush;
    page.login();
    assert_eq!(page.held.len(), 1, "whether there is an endpoint at all");
    page.go_up();
    page.pass(SECOND);
    assert_eq!(page.resumes(), [[(1, 1), (2, 1), (3, 1)]]);
    page.release();
    page.frame(resumed(vec![part(1, &page.messages[&name(1)].clone(), 2)], true));
    page.pass(MINUTE);
    assert!(page.pulls().is_empty(), "{:?}", page.pulls());
}
