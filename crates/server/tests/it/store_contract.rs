//! What every store must do. One suite, run on each.

mod webhooks;
mod whole_messages;

use std::collections::BTreeMap;

use message_extensions_core::law::{Change, ChangeKind, Message};
use message_extensions_core::wire::Rules;
use message_extensions_server::store::{
    AnswerId, C2cPage, Commit, Conversation, Head, MemoryStore, MessageName, NewGroup, NewMessage,
    REMEMBERED_ANSWERS, SqliteStore, Store, StoreError, StoredMessage, Trimmed, Webhook,
};

use self::webhooks::*;
use self::whole_messages::*;

macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&super::MemoryStore::new()).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let dir = tempfile::tempdir().unwrap();
                super::$name(&super::SqliteStore::open(dir.path()).unwrap()).await;
            })*
        }
        mod redis {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&crate::redis_servers::single().store().await).await;
            })*
        }
        mod redis_cluster {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&crate::redis_servers::cluster().store().await).await;
            })*
        }
    };
}

contract! {
    a_commit_is_loaded_as_the_law_would_have_it,
    the_counter_is_that_of_what_is_loaded,
    the_digest_is_that_of_what_is_loaded_whatever_was_done,
    a_commit_on_another_seq_is_a_conflict_and_keeps_nothing,
    a_commit_on_a_message_that_is_gone_is_a_conflict,
    answers_are_kept_with_their_write_the_last_eight_of_each_caller,
    members_come_and_go,
    a_group_made_anew_is_another_group,
    a_repeated_message_is_the_first_one,
    names_mean_the_messages_that_they_should,
    group_messages_are_numbered_from_one_in_each_group,
    a_group_message_may_have_its_number_already,
    lists_go_back_in_time,
    concurrent_commits_on_one_seq_have_one_winner,
    webhooks_are_kept_with_their_change_and_only_then,
    webhooks_of_a_message_come_in_the_order_of_seq_and_outlive_it,
    messages_with_webhooks_are_found_page_by_page,
    received_webhooks_are_removed_up_to_their_seq,
    the_oldest_webhooks_are_dropped_by_age_and_by_number,
    what_nobody_has_changed_for_long_is_removed_with_everything,
    a_change_of_the_same_minute_keeps_its_message_and_no_other,
    a_change_that_is_committed_before_the_removal_keeps_its_message,
    an_archive_is_restored_whole_under_numbers_of_the_stores_own,
    an_archive_of_what_is_there_already_changes_nothing,
}

fn message(conversation: Conversation, n: u32) -> NewMessage {
    NewMessage {
        sender: "alice".into(),
        sequence: if matches!(conversation, Conversation::C2c { .. }) { n } else { 0 },
        conversation,
        random: 7,
        time: 1_665_388_280 + u64::from(n / 2),
        extensible: true,
        message_id: format!("alice-1-{n}"),
        body: r#"[{"MsgType":"T", "MsgContent":{}}]"#.into(),
        rules: None,
    }
}

fn to(user: &str) -> Conversation {
    Conversation::C2c { to: user.into() }
}

async fn insert(store: &dyn Store, new: NewMessage) -> StoredMessage {
    store.insert_message(new).await.unwrap().unwrap().stored
}

async fn group(store: &dyn Store, group_id: &str) -> Conversation {
    let members = vec!["alice".into(), "bob".into(), "alice".into()];
    let new =
        NewGroup { group_id: group_id.into(), group_type: "Public".into(), name: "Lunch".into(), members };
    assert!(store.create_group(new).await.unwrap());
    let no = store.group(group_id).await.unwrap().unwrap().no;
    Conversation::Group { group_id: group_id.into(), no }
}

fn change(seq: u64, kind: ChangeKind) -> Change {
    Change { seq, kind, author: "bob".into(), time: 1_665_388_290_123 }
}

fn set(seq: u64, items: &[(&str, &str)]) -> Change {
    change(seq, ChangeKind::Set(items.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()))
}

fn commit(message_no: i64, expected_seq: u64, changes: Vec<Change>) -> Commit {
    Commit { message_no, id: fastrand::u64(1..), expected_seq, changes, ..Commit::default() }
}

fn answer(caller: &str, turn: u64) -> (AnswerId, String) {
    let request_id = u128::from(turn) << 100;
    (AnswerId { caller: caller.into(), turn, request_id }, format!("{caller}'s {turn}"))
}

async fn a_commit_is_loaded_as_the_law_would_have_it(store: &dyn Store) {
    let no = insert(store, message(to("bob"), 1)).await.no;
    let mut expected = Message::restore(0, 0, BTreeMap::new());
    assert_eq!(store.load(no).await.unwrap().unwrap().message, expected);
    let turns = [
        vec![set(1, &[("k", "v"), ("人", "🗳\u{0}")]), set(2, &[("k", "w")])],
        vec![change(3, ChangeKind::Delete(vec!["k".into()]))],
        vec![set(4, &[("lost", "v")]), change(5, ChangeKind::Clear), set(6, &[("k", "x")])],
        vec![set(7, &[("l", "y")])],
    ];
    for changes in turns {
        store.commit(commit(no, expected.latest_seq, changes.clone())).await.unwrap();
        changes.iter().for_each(|change| expected.absorb(change));
        assert_eq!(store.load(no).await.unwrap().unwrap().message, expected);
    }
}

async fn the_counter_is_that_of_what_is_loaded(store: &dyn Store) {
    let no = insert(store, message(group(store, "lunch").await, 1)).await.no;
    assert_eq!(store.head(no).await.unwrap().map(|head| head.latest_seq), Some(0));
    store.commit(commit(no, 0, vec![set(1, &[("k", "v")]), set(2, &[("k", "w")])])).await.unwrap();
    assert_eq!(store.head(no).await.unwrap().map(|head| head.latest_seq), Some(2));
    store.commit(commit(no, 2, vec![change(3, ChangeKind::Clear)])).await.unwrap();
    assert_eq!(store.head(no).await.unwrap().map(|head| head.latest_seq), Some(3));
    assert_eq!(store.head(no + 1000).await.unwrap().map(|head| head.latest_seq), None);
    store.destroy_group("lunch").await.unwrap();
    assert_eq!(store.head(no).await.unwrap().map(|head| head.latest_seq), None);
}

async fn the_digest_is_that_of_what_is_loaded_whatever_was_done(store: &dyn Store) {
    let stored = insert(store, message(to("bob"), 1)).await;
    let seed = fastrand::u64(..);
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut expected = Message::default();
    for _ in 0..60 {
        let key = |rng: &mut fastrand::Rng| rng.u8(0..6).to_string();
        let before = expected.latest_seq;
        let changes: Vec<_> = (1..=rng.u64(1..4))
            .map(|n| {
                change(
                    before + n,
                    match rng.u8(0..10) {
                        0 => ChangeKind::Clear,
                        1..=3 => ChangeKind::Delete(vec![key(&mut rng)]),
                        _ => ChangeKind::Set(vec![(key(&mut rng), rng.u8(..).to_string())]),
                    },
                )
            })
            .collect();
        changes.iter().for_each(|change| expected.absorb(change));
        let digest = expected.digest();
        store.commit(Commit { digest, ..commit(stored.no, before, changes) }).await.unwrap();
        assert_eq!(store.head(stored.no).await.unwrap(), Some(Head::of(&expected)), "seed {seed}");
        let Message { latest_seq, clear_seq, entries, .. } =
            store.load(stored.no).await.unwrap().unwrap().message;
        assert_eq!(Message::restore(latest_seq, clear_seq, entries).digest(), digest, "seed {seed}");
    }
    let copy = MemoryStore::new();
    let archive = store.archive(stored.no).await.unwrap().unwrap();
    let restored = copy.restore(&archive).await.unwrap().stored.no;
    assert_eq!(copy.head(restored).await.unwrap(), Some(Head::of(&expected)), "seed {seed}");
}

async fn a_commit_on_another_seq_is_a_conflict_and_keeps_nothing(store: &dyn Store) {
    let no = insert(store, message(to("bob"), 1)).await.no;
    store.commit(commit(no, 0, vec![set(1, &[("k", "v")])])).await.unwrap();
    let before = store.load(no).await.unwrap();
    for expected in [0, 2] {
        let mut late = commit(no, expected, vec![set(expected + 1, &[("k", "late")])]);
        late.answers.push(answer("bob", 1));
        assert_eq!(store.commit(late).await, Err(StoreError::Conflict));
    }
    assert_eq!(store.load(no).await.unwrap(), before);
    // An answer alone is compared as well.
    let alone = Commit { answers: vec![answer("bob", 1)], ..commit(no, 0, vec![]) };
    assert_eq!(store.commit(alone.clone()).await, Err(StoreError::Conflict));
    store.commit(Commit { expected_seq: 1, ..alone }).await.unwrap();
}

async fn a_commit_on_a_message_that_is_gone_is_a_conflict(store: &dyn Store) {
    let place = group(store, "lunch").await;
    let no = insert(store, message(place.clone(), 1)).await.no;
    store.commit(commit(no, 0, vec![set(1, &[("k", "v")])])).await.unwrap();
    assert!(store.destroy_group("lunch").await.unwrap().is_some());
    assert_eq!(store.commit(commit(no, 1, vec![set(2, &[("k", "v")])])).await, Err(StoreError::Conflict));
    assert_eq!(store.load(no).await.unwrap(), None);
    assert_eq!(store.insert_message(message(place, 2)).await.unwrap(), None);
}

async fn answers_are_kept_with_their_write_the_last_eight_of_each_caller(store: &dyn Store) {
    let no = insert(store, message(to("bob"), 1)).await.no;
    let turns = REMEMBERED_ANSWERS + 3;
    for turn in 1..=turns {
        let answers = vec![answer("bob", turn)];
        store
            .commit(Commit { answers, ..commit(no, turn - 1, vec![set(turn, &[("k", "v")])]) })
            .await
            .unwrap();
    }
    store.commit(Commit { answers: vec![answer("alice", 1)], ..commit(no, turns, vec![]) }).await.unwrap();
    let loaded = store.load(no).await.unwrap().unwrap();
    let of = |caller: &str| -> Vec<u64> {
        loaded.answers.iter().filter(|id| id.caller == caller).map(|id| id.turn).collect()
    };
    assert_eq!(of("bob"), (4..=turns).collect::<Vec<_>>());
    assert_eq!(of("alice"), [1]);
    for (caller, turn, is_kept) in
        [("bob", 3, false), ("bob", 4, true), ("bob", turns, true), ("alice", 1, true), ("carol", 1, false)]
    {
        let (id, text) = answer(caller, turn);
        let kept = store.answer(no, caller, id.request_id).await.unwrap();
        assert_eq!(kept, is_kept.then_some(text));
    }
}

async fn members_come_and_go(store: &dyn Store) {
    group(store, "lunch").await;
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let members = async || {
        let mut members: Vec<_> = store.group("lunch").await.unwrap().unwrap().members.into_iter().collect();
        members.sort();
        members
    };
    assert_eq!(members().await, ["alice", "bob"]);
    let added = store.add_members("lunch", names(&["bob", "carol", "carol"])).await.unwrap();
    assert_eq!(added, Some(vec![false, true, false]));
    let removed = store.remove_members("lunch", names(&["alice", "nobody", "alice"])).await.unwrap();
    assert_eq!(removed, Some(vec![true, false, false]));
    assert_eq!(members().await, ["bob", "carol"]);
    assert_eq!(store.add_members("nowhere", names(&["bob"])).await.unwrap(), None);
    assert_eq!(store.remove_members("nowhere", names(&["bob"])).await.unwrap(), None);
    assert_eq!(store.group("nowhere").await.unwrap(), None);
    let last = store.destroy_group("lunch").await.unwrap();
    assert_eq!(last, Some(names(&["bob", "carol"]).into_iter().collect()));
    assert_eq!(store.destroy_group("lunch").await.unwrap(), None);
    group(store, "lunch").await;
    assert_eq!(members().await, ["alice", "bob"]);
}

async fn a_group_made_anew_is_another_group(store: &dyn Store) {
    let first = group(store, "lunch").await;
    let again = NewGroup { group_id: "lunch".into(), ..NewGroup::default() };
    assert!(!store.create_group(again).await.unwrap());
    insert(store, message(first.clone(), 1)).await;
    assert!(store.destroy_group("lunch").await.unwrap().is_some());
    let second = group(store, "lunch").await;
    assert_ne!(second, first);
    let stored = insert(store, message(second, 1)).await;
    assert_eq!(stored.msg_seq, 1);
}

async fn a_repeated_message_is_the_first_one(store: &dyn Store) {
    let new = message(to("bob"), 1);
    let first = store.insert_message(new.clone()).await.unwrap().unwrap();
    assert!(first.is_new);
    assert_eq!(first.stored.message, new);
    let same_id = NewMessage { sequence: 99, ..new.clone() };
    let same_key = NewMessage { message_id: "alice-2-2".into(), ..new.clone() };
    for repeated in [new.clone(), same_id.clone(), same_key.clone()] {
        let repeated = store.insert_message(repeated).await.unwrap().unwrap();
        assert_eq!((repeated.is_new, &repeated.stored), (false, &first.stored));
    }
    for other in
        [NewMessage { conversation: to("carol"), ..same_id }, NewMessage { sender: "carol".into(), ..new }]
    {
        assert!(store.insert_message(other).await.unwrap().unwrap().is_new);
    }
    let place = group(store, "lunch").await;
    let first = insert(store, message(place.clone(), 1)).await;
    let repeated = store.insert_message(message(place.clone(), 1)).await.unwrap().unwrap();
    assert_eq!((repeated.is_new, repeated.stored.no), (false, first.no));
    let mut other = message(place, 1);
    other.sender = "bob".into();
    assert!(store.insert_message(other).await.unwrap().unwrap().is_new);
}

async fn names_mean_the_messages_that_they_should(store: &dyn Store) {
    let ours = insert(store, message(to("bob"), 1)).await;
    let theirs = insert(store, NewMessage { sender: "carol".into(), ..message(to("bob"), 1) }).await;
    let name = |from: Option<&str>, to: &str, msg_key: &str| MessageName::C2c {
        from: from.map(Into::into),
        to: to.into(),
        msg_key: msg_key.into(),
    };
    let key = ours.message.msg_key();
    let found = async |name| store.find_messages(&name).await.unwrap();
    assert_eq!(found(name(Some("alice"), "bob", &key)).await, std::slice::from_ref(&ours));
    assert_eq!(found(name(None, "bob", &key)).await, [ours, theirs]);
    assert_eq!(found(name(Some("bob"), "alice", &key)).await, []);
    assert_eq!(found(name(None, "bob", "1_2_3")).await, []);
    let place = group(store, "lunch").await;
    let Conversation::Group { no, .. } = place.clone() else { unreachable!() };
    let stored = insert(store, message(place, 1)).await;
    assert_eq!(found(MessageName::Group { no, msg_seq: 1 }).await, [stored]);
    assert_eq!(found(MessageName::Group { no, msg_seq: u64::MAX }).await, []);
    assert_eq!(found(MessageName::Group { no: no + 1000, msg_seq: 1 }).await, []);
}

async fn group_messages_are_numbered_from_one_in_each_group(store: &dyn Store) {
    for group_id in ["a", "b"] {
        let place = group(store, group_id).await;
        let Conversation::Group { no, .. } = place.clone() else { unreachable!() };
        for n in 1..=3 {
            let stored = insert(store, message(place.clone(), n)).await;
            assert_eq!(stored.msg_seq, u64::from(n));
        }
        let seqs = async |max, count| -> Vec<u64> {
            store.list_group(no, max, count).await.unwrap().iter().map(|m| m.msg_seq).collect()
        };
        assert_eq!(seqs(None, 2).await, [3, 2]);
        assert_eq!(seqs(Some(2), 9).await, [2, 1]);
        assert_eq!(seqs(Some(0), 9).await, [0; 0]);
    }
}

async fn a_group_message_may_have_its_number_already(store: &dyn Store) {
    let place = group(store, "lunch").await;
    let Conversation::Group { no, .. } = place.clone() else { unreachable!() };
    let numbered = |msg_seq: u32, n| NewMessage { sequence: msg_seq, ..message(place.clone(), n) };
    assert_eq!(insert(store, message(place.clone(), 1)).await.msg_seq, 1);
    let given = insert(store, numbered(158, 2)).await;
    assert_eq!((given.msg_seq, &given.message), (158, &message(place.clone(), 2)));
    assert_eq!(
        store.find_messages(&MessageName::Group { no, msg_seq: 158 }).await.unwrap(),
        std::slice::from_ref(&given)
    );
    // What comes later is numbered after it, and what has an earlier number lies before it.
    assert_eq!(insert(store, message(place.clone(), 3)).await.msg_seq, 159);
    assert_eq!(insert(store, numbered(40, 4)).await.msg_seq, 40);
    assert_eq!(insert(store, message(place.clone(), 5)).await.msg_seq, 160);
    // The number is taken, whoever sends under whatever ID.
    let mut other = numbered(158, 6);
    other.sender = "bob".into();
    for repeated in [numbered(158, 2), numbered(158, 6), other] {
        let repeated = store.insert_message(repeated).await.unwrap().unwrap();
        assert_eq!((repeated.is_new, &repeated.stored), (false, &given));
    }
    // A MessageID names its message before a number does.
    let by_id = store.insert_message(numbered(158, 1)).await.unwrap().unwrap();
    assert_eq!((by_id.is_new, by_id.stored.msg_seq), (false, 1));
    let largest = u64::from(u32::MAX);
    assert_eq!(insert(store, numbered(u32::MAX, 7)).await.msg_seq, largest);
    let listed = store.list_group(no, None, 9).await.unwrap();
    let seqs: Vec<u64> = listed.iter().map(|m| m.msg_seq).collect();
    assert_eq!(seqs, [largest, 160, 159, 158, 40, 1]);
    store.destroy_group("lunch").await.unwrap();
    assert_eq!(store.insert_message(numbered(158, 2)).await.unwrap(), None);
}

async fn lists_go_back_in_time(store: &dyn Store) {
    for n in 0..6 {
        let mut new = message(to("bob"), n);
        if n % 2 == 1 {
            new = NewMessage { sender: "bob".into(), conversation: to("alice"), ..new };
        }
        insert(store, new).await;
    }
    insert(store, message(to("alice"), 9)).await;
    let whole = C2cPage {
        users: ["bob".into(), "alice".into()],
        min_time: 0,
        max_time: None,
        before: None,
        count: 99,
    };
    let list = async |page| -> Vec<u32> {
        store.list_c2c(page).await.unwrap().iter().map(|m| m.message.sequence).collect()
    };
    let start = 1_665_388_280;
    assert_eq!(list(whole.clone()).await, [5, 4, 3, 2, 1, 0]);
    assert_eq!(list(C2cPage { count: 2, ..whole.clone() }).await, [5, 4]);
    assert_eq!(list(C2cPage { min_time: start + 1, ..whole.clone() }).await, [5, 4, 3, 2]);
    assert_eq!(list(C2cPage { max_time: Some(start + 1), ..whole.clone() }).await, [3, 2, 1, 0]);
    // In the middle of a second.
    let key = message_extensions_core::message::msg_key(3, 7, start + 1);
    let before = C2cPage { before: Some(key), max_time: Some(start + 1), ..whole.clone() };
    assert_eq!(list(before).await, [2, 1, 0]);
    // What is too new lies before the one to begin after.
    let newest = message_extensions_core::message::msg_key(5, 7, start + 2);
    let before = C2cPage { before: Some(newest), max_time: Some(start), ..whole.clone() };
    assert_eq!(list(before).await, [1, 0]);
    let oneself = C2cPage { users: ["alice".into(), "alice".into()], ..whole };
    assert_eq!(list(oneself).await, [9]);
}

async fn concurrent_commits_on_one_seq_have_one_winner(store: &dyn Store) {
    let no = insert(store, message(to("bob"), 1)).await.no;
    for seq in 0..10 {
        let commits = (0..8).map(|_| store.commit(commit(no, seq, vec![set(seq + 1, &[("k", "v")])])));
        let outcomes = futures_util::future::join_all(commits).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    }
    assert_eq!(store.load(no).await.unwrap().unwrap().message.latest_seq, 10);
}

#[tokio::test]
async fn sqlite_keeps_everything_when_it_is_closed_and_opened() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let place = group(&store, "lunch").await;
    let stored = insert(&store, message(place, 1)).await;
    let answers = vec![answer("bob", 1)];
    store.commit(Commit { answers, ..commit(stored.no, 0, vec![set(1, &[("k", "v")])]) }).await.unwrap();
    let (group, loaded) = (store.group("lunch").await.unwrap(), store.load(stored.no).await.unwrap());
    store.close().await;
    assert!(store.destroy_group("lunch").await.is_err(), "nothing is written after close");
    drop(store);
    let store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(store.group("lunch").await.unwrap(), group);
    assert_eq!(store.load(stored.no).await.unwrap(), loaded);
}

#[test]
fn sqlite_refuses_a_file_of_a_newer_version_with_words() {
    let dir = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(dir.path()).unwrap());
    let db = rusqlite::Connection::open(dir.path().join("messages.db")).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    let Err(text) = SqliteStore::open(dir.path()) else { panic!("it was opened") };
    assert!(text.contains("version 99"), "{text}");
}
