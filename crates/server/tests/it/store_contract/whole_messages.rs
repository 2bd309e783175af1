//! Messages with everything of them: removed when they are old, archived and restored.

use super::*;

/// Milliseconds since 1970, a minute from now: everything so far is older.
fn soon() -> u64 {
    (crate::client::now() + 60) * 1000
}

pub(super) async fn what_nobody_has_changed_for_long_is_removed_with_everything(store: &dyn Store) {
    let place = group(store, "lunch").await;
    let Conversation::Group { no: group_no, .. } = place.clone() else { unreachable!() };
    let old = [
        insert(store, message(to("bob"), 1)).await,
        insert(store, message(place.clone(), 2)).await,
        insert(store, message(place.clone(), 3)).await,
    ];
    let changed = insert(store, message(to("bob"), 4)).await;
    for stored in &old {
        let answers = vec![answer("bob", 1)];
        store.commit(Commit { answers, ..commit(stored.no, 0, vec![set(1, &[("k", "v")])]) }).await.unwrap();
    }
    let late = Change { time: soon() * 2, ..set(1, &[("k", "v")]) };
    store.commit(commit(changed.no, 0, vec![late])).await.unwrap();
    assert_eq!(store.expire(crate::client::now() * 1000 - 60_000, 9).await.unwrap(), []);

    let mut removed = Vec::new();
    for count in [2, 2, 2] {
        let some = store.expire(soon(), count).await.unwrap();
        assert!(some.len() <= count);
        removed.extend(some);
    }
    // Numbers ascend within a conversation only.
    let by_no = |list: &[StoredMessage]| {
        let mut list = list.to_vec();
        list.sort_by_key(|stored| stored.no);
        list
    };
    assert_eq!(by_no(&removed), by_no(&old));
    for stored in &old {
        assert_eq!(store.load(stored.no).await.unwrap(), None);
        assert_eq!(store.head(stored.no).await.unwrap().map(|head| head.latest_seq), None);
        assert_eq!(store.answer(stored.no, "bob", answer("bob", 1).0.request_id).await.unwrap(), None);
        assert_eq!(store.archive(stored.no).await.unwrap(), None);
        let on_it = commit(stored.no, 1, vec![set(2, &[("k", "w")])]);
        assert_eq!(store.commit(on_it).await, Err(StoreError::Conflict));
    }
    for name in [
        MessageName::C2c { from: None, to: "bob".into(), msg_key: old[0].message.msg_key() },
        MessageName::C2c { from: Some("alice".into()), to: "bob".into(), msg_key: old[0].message.msg_key() },
        MessageName::Group { no: group_no, msg_seq: 1 },
    ] {
        assert_eq!(store.find_messages(&name).await.unwrap(), []);
    }
    assert_eq!(store.list_group(group_no, None, 9).await.unwrap(), []);
    let users = ["alice".to_owned(), "bob".to_owned()];
    let page = C2cPage { users, min_time: 0, max_time: None, before: None, count: 9 };
    assert_eq!(store.list_c2c(page).await.unwrap(), std::slice::from_ref(&changed));
    assert_eq!(store.load(changed.no).await.unwrap().unwrap().message.latest_seq, 1);
    assert!(store.group("lunch").await.unwrap().is_some());
    // Neither number is given again.
    let again = insert(store, message(place, 2)).await;
    assert_eq!(again.msg_seq, 3);
    assert!(again.no > old[2].no);
}

pub(super) async fn a_change_of_the_same_minute_keeps_its_message_and_no_other(store: &dyn Store) {
    let minute = soon() * 2 / 60_000 * 60_000;
    let mut kept = Vec::new();
    for (n, times) in [vec![minute, minute + 30_000], vec![minute + 1]].into_iter().enumerate() {
        let stored = insert(store, message(to("bob"), n as u32)).await;
        for (seq, time) in (1..).zip(times) {
            let late = Change { time, ..set(seq, &[("k", "v")]) };
            store.commit(commit(stored.no, seq - 1, vec![late])).await.unwrap();
        }
        kept.push(stored);
    }
    assert_eq!(store.expire(minute, 1).await.unwrap(), []);
    assert_eq!(store.expire(minute + 20_000, 1).await.unwrap(), [kept.pop().unwrap()]);
    assert_eq!(store.expire(minute + 30_000, 1).await.unwrap(), []);
    assert_eq!(store.expire(minute + 30_001, 1).await.unwrap(), kept);
}

pub(super) async fn a_change_that_is_committed_before_the_removal_keeps_its_message(store: &dyn Store) {
    for n in 0..20 {
        let stored = insert(store, message(to("bob"), n)).await;
        let late = Change { time: soon() * 2, ..set(1, &[("k", "v")]) };
        let (committed, removed) =
            tokio::join!(store.commit(commit(stored.no, 0, vec![late])), store.expire(soon(), 9));
        let removed = removed.unwrap();
        assert_eq!(committed.is_ok(), removed.is_empty());
        assert_eq!(
            store.head(stored.no).await.unwrap().map(|head| head.latest_seq),
            committed.is_ok().then_some(1)
        );
    }
}

pub(super) async fn an_archive_is_restored_whole_under_numbers_of_the_stores_own(store: &dyn Store) {
    let other = MemoryStore::new();
    let place = group(&other, "lunch").await;
    for n in 1..9 {
        insert(store, message(to("carol"), n)).await;
    }
    for place in [to("bob"), place] {
        let rules = Some(Rules { write_once: true, ..Rules::default() });
        let stored = insert(&other, NewMessage { rules, ..message(place, 1) }).await;
        let turns = [
            vec![set(1, &[("lost", "v")]), change(2, ChangeKind::Clear)],
            vec![set(3, &[("k", "v"), ("人", "🗳\u{0}")]), set(4, &[("l", "w")])],
            vec![change(5, ChangeKind::Delete(vec!["k".into(), "l".into()]))],
        ];
        let mut seq = 0;
        for (n, changes) in turns.into_iter().enumerate() {
            let next = changes.last().unwrap().seq;
            let answers = vec![answer("bob", n as u64 + 1), answer("alice", n as u64 + 9)];
            other.commit(Commit { answers, ..commit(stored.no, seq, changes) }).await.unwrap();
            seq = next;
        }
        let archive = other.archive(stored.no).await.unwrap().unwrap();
        let restored = store.restore(&archive).await.unwrap();
        assert!(restored.is_new);
        assert_ne!(restored.stored.no, stored.no);
        assert_eq!(restored.stored.msg_seq, stored.msg_seq);
        let (there, here) =
            (store.load(restored.stored.no).await.unwrap(), other.load(stored.no).await.unwrap());
        assert_eq!(there.unwrap().message, here.unwrap().message);
        for (id, text) in &archive.answers {
            let kept = store.answer(restored.stored.no, &id.caller, id.request_id).await.unwrap();
            assert_eq!(kept.as_ref(), Some(text));
        }
        assert_eq!(archive.answers.len(), 6);
        assert_eq!(store.archive(restored.stored.no).await.unwrap(), Some(archive));
    }
    let members = store.group("lunch").await.unwrap().unwrap().members;
    assert_eq!(members, ["alice", "bob"].map(str::to_owned).into());
    // It counts as changed when it came.
    assert_eq!(store.expire((crate::client::now() - 60) * 1000, 9).await.unwrap(), []);
}

pub(super) async fn an_archive_of_what_is_there_already_changes_nothing(store: &dyn Store) {
    let place = group(store, "lunch").await;
    let stored = insert(store, message(place, 1)).await;
    store.commit(commit(stored.no, 0, vec![set(1, &[("k", "v")])])).await.unwrap();
    let archive = store.archive(stored.no).await.unwrap().unwrap();
    store.remove_members("lunch", vec!["bob".into()]).await.unwrap();
    store.commit(commit(stored.no, 1, vec![set(2, &[("k", "w")])])).await.unwrap();
    let now = store.archive(stored.no).await.unwrap();
    let restored = store.restore(&archive).await.unwrap();
    assert_eq!((restored.is_new, restored.stored), (false, stored.clone()));
    assert_eq!(store.archive(stored.no).await.unwrap(), now);
}
