//! Who may do what between login and logout, with and without a network.

use message_extensions_core::client::*;
use message_extensions_core::code::{
    LOGGED_OUT, NETWORK, NOT_LOGGED_IN, NOT_READY, SIGNATURE_EXPIRED, TIMEOUT,
};
use message_extensions_core::wire::ServerFrame;

use crate::page::*;

fn refusal(code: u32) -> ServerFrame {
    ServerFrame { error_code: Some(code), error_info: Some("no".into()), ..frame(ServerFrame::REFUSED) }
}

#[test]
fn a_user_who_is_not_known_here_cannot_log_in_without_the_network() {
    let mut page = Page::new(offline());
    page.network = Network::Down;
    let login = page.login();
    assert_eq!(page.code(login), NETWORK);
    assert_eq!(page.count(|event| matches!(event, Event::Ready | Event::NotReady)), 0);
    page.pass(MINUTE);
    assert_eq!(page.count(|event| matches!(event, Event::Error(_))), 0, "the promise says it");
}

#[test]
fn a_user_who_is_known_here_logs_in_without_the_network() {
    let mut page = Page::live(persists());
    page.get(1);
    page.logout();
    for network in [Network::Down, Network::Silent] {
        page.reload();
        page.network = network;
        let login = page.login();
        page.pass(15 * SECOND);
        assert_eq!(page.answered(login), &Answer::Done);
        assert_eq!(page.count(|event| matches!(event, Event::Ready)), 1);
    }
}

#[test]
fn a_user_of_whom_only_a_queued_write_is_kept_is_known() {
    let mut page = Page::live(offline());
    page.go_down();
    page.set(1, "k", "v");
    page.reload();
    page.kept.clear();
    let login = page.login();
    assert_eq!(page.answered(login), &Answer::Done);
}

#[test]
fn a_login_that_nobody_answers_is_given_up() {
    let mut page = Page::new(config());
    page.network = Network::Silent;
    let login = page.login();
    page.pass(15 * SECOND);
    assert_eq!(page.code(login), TIMEOUT);
    let mut page = Page::new(persists());
    page.owns = false;
    let login = page.login();
    page.pass(15 * SECOND);
    assert_eq!(page.code(login), TIMEOUT, "nor is what was kept waited for");
}

#[test]
fn a_signature_that_is_refused_later_ends_the_session_and_says_so() {
    let mut page = Page::live(persists());
    page.get(1);
    page.logout();
    page.reload();
    page.network = Network::Down;
    page.login();
    let (watched, _) = page.watch(1);
    page.go_up();
    page.frame(refusal(SIGNATURE_EXPIRED));
    assert!(page.settled(watched).is_some());
    assert_eq!(page.errors(), [SIGNATURE_EXPIRED]);
    assert_eq!(page.count(|event| matches!(event, Event::NotReady)), 1);
    let get = page.get(1);
    assert_eq!(page.code(get), LOGGED_OUT);
    page.pass(MINUTE);
    assert!(page.client.poll_timeout().is_none(), "nothing goes on");
}

#[test]
fn a_signature_that_a_request_is_refused_for_settles_each_open_call_once() {
    for make in [
        |page: &mut Page| page.get(1),
        |page: &mut Page| page.set(1, "k", "v"),
        |page: &mut Page| page.clear(1),
        |page: &mut Page| page.watch(1).0,
    ] {
        let mut page = Page::live(config());
        page.refuses = Some(SIGNATURE_EXPIRED);
        page.holds = true;
        let call = make(&mut page);
        page.release();
        assert_eq!(page.code(call), SIGNATURE_EXPIRED);
        assert_eq!(page.errors(), [SIGNATURE_EXPIRED]);
    }
}

#[test]
fn a_mutation_whose_write_is_refused_for_its_signature_is_settled_once() {
    let mut page = Page::live(config());
    let mutate = page.mutate(1, "k");
    page.refuses = Some(SIGNATURE_EXPIRED);
    page.client.handle_computed(mutate, Some("v".into()), page.now);
    page.run();
    assert_eq!(page.code(mutate), SIGNATURE_EXPIRED);
}

#[test]
fn a_message_is_watched_as_soon_as_what_was_kept_is_there() {
    let mut page = Page::new(persists());
    let (early, _) = page.watch(1);
    assert_eq!(page.code(early), NOT_LOGGED_IN);
    page.owns = false;
    page.login();
    let (early, _) = page.watch(1);
    assert_eq!(page.code(early), NOT_READY, "before Begin");
    page.network = Network::Silent;
    page.load();
    page.run();
    let (watched, watch) = page.watch(1);
    assert!(page.settled(watched).is_none() && !page.is_synced(watch), "between Begin and Ready");
    let get = page.get(1);
    assert_eq!(page.code(get), NOT_READY);
    page.network = Network::WithoutPush;
    page.pass(15 * SECOND);
    assert_eq!(page.answered(watched), &Answer::Extensions(Listing::default()));
    assert!(page.is_synced(watch));
}

#[test]
fn who_watches_is_told_in_time_when_the_login_fails() {
    let mut page = Page::new(config());
    page.network = Network::Silent;
    page.login();
    let (watched, _) = page.watch(1);
    page.pass(15 * SECOND);
    assert_eq!(page.code(watched), TIMEOUT);
}

#[test]
fn what_was_kept_for_one_user_is_not_handed_to_the_next() {
    let mut page = Page::live(persists());
    page.bob_sets(1, "k", "ann's");
    page.get(1);
    page.logout();
    page.kept.clear();
    page.call(|client, call, now| client.handle_login(call, Some("eve".into()), Some("sig".into()), now));
    page.messages.clear();
    let (_, watch) = page.watch(1);
    assert_eq!(page.shown(watch), map(&[]));
}
