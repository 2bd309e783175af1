//! Webhooks that wait.

use super::*;

fn webhook(seq: u64) -> Webhook {
    Webhook { seq, time: 1_665_388_290_000 + seq, body: format!("{{\"Seq\":{seq},\"人\":\"🗳\"}}").into() }
}

/// The message's next changes, up to this Seq, each with its webhook.
async fn commit_with_webhooks(store: &dyn Store, message_no: i64, up_to: u64) {
    let expected_seq = store.head(message_no).await.unwrap().map(|head| head.latest_seq).unwrap();
    let seqs = expected_seq + 1..=up_to;
    let changes = seqs.clone().map(|seq| set(seq, &[("k", "v")])).collect();
    let webhooks = seqs.map(webhook).collect();
    store.commit(Commit { webhooks, ..commit(message_no, expected_seq, changes) }).await.unwrap();
}

async fn waiting(store: &dyn Store, message_no: i64) -> Vec<u64> {
    store.webhooks(message_no, 99).await.unwrap().iter().map(|webhook| webhook.seq).collect()
}

pub(super) async fn webhooks_are_kept_with_their_change_and_only_then(store: &dyn Store) {
    let no = insert(store, message(to("bob"), 1)).await.no;
    commit_with_webhooks(store, no, 1).await;
    let late = Commit { webhooks: vec![webhook(1)], ..commit(no, 0, vec![set(1, &[("k", "late")])]) };
    assert_eq!(store.commit(late).await, Err(StoreError::Conflict));
    assert_eq!(store.webhooks(no, 99).await.unwrap(), [webhook(1)]);
    store.commit(commit(no, 1, vec![set(2, &[("k", "w")])])).await.unwrap();
    assert_eq!(waiting(store, no).await, [1]);
}

pub(super) async fn webhooks_of_a_message_come_in_the_order_of_seq_and_outlive_it(store: &dyn Store) {
    let place = group(store, "lunch").await;
    let first = insert(store, message(place.clone(), 1)).await.no;
    let second = insert(store, message(place, 2)).await.no;
    for up_to in [3, 12] {
        commit_with_webhooks(store, first, up_to).await;
        commit_with_webhooks(store, second, up_to).await;
    }
    store.destroy_group("lunch").await.unwrap();
    for no in [first, second] {
        assert_eq!(store.webhooks(no, 99).await.unwrap(), (1..=12).map(webhook).collect::<Vec<_>>());
        assert_eq!(store.webhooks(no, 2).await.unwrap(), [webhook(1), webhook(2)]);
    }
    assert_eq!(store.webhooks(first + 1000, 2).await.unwrap(), []);
}

pub(super) async fn messages_with_webhooks_are_found_page_by_page(store: &dyn Store) {
    assert_eq!(store.webhook_messages(i64::MIN, 9).await.unwrap(), [0; 0]);
    let mut numbers = Vec::new();
    for n in 1..=5 {
        let no = insert(store, message(to("bob"), n)).await.no;
        if n != 3 {
            commit_with_webhooks(store, no, 3).await;
            numbers.push(no);
        }
    }
    numbers.sort_unstable();
    assert_eq!(store.webhook_messages(i64::MIN, 9).await.unwrap(), numbers);
    assert_eq!(store.webhook_messages(i64::MIN, 2).await.unwrap(), numbers[..2]);
    assert_eq!(store.webhook_messages(numbers[1], 2).await.unwrap(), numbers[2..]);
    assert_eq!(store.webhook_messages(numbers[3], 2).await.unwrap(), [0; 0]);
    assert_eq!(store.webhook_messages(i64::MAX, 2).await.unwrap(), [0; 0]);
}

pub(super) async fn received_webhooks_are_removed_up_to_their_seq(store: &dyn Store) {
    let first = insert(store, message(to("bob"), 1)).await.no;
    let second = insert(store, message(to("bob"), 2)).await.no;
    commit_with_webhooks(store, first, 5).await;
    commit_with_webhooks(store, second, 5).await;
    assert_eq!(store.remove_webhooks(vec![(first, 2), (second, 1), (first + 1000, 9)]).await, Ok(3));
    assert_eq!(waiting(store, first).await, [3, 4, 5]);
    assert_eq!(waiting(store, second).await, [2, 3, 4, 5]);
    // Again, as after an answer that was lost.
    assert_eq!(store.remove_webhooks(vec![(first, 2)]).await, Ok(0));
    assert_eq!(store.remove_webhooks(vec![(first, 9)]).await, Ok(3));
    assert_eq!(store.remove_webhooks(vec![]).await, Ok(0));
    commit_with_webhooks(store, first, 6).await;
    assert_eq!((waiting(store, first).await, waiting(store, second).await), (vec![6], vec![2, 3, 4, 5]));
}

pub(super) async fn the_oldest_webhooks_are_dropped_by_age_and_by_number(store: &dyn Store) {
    let time = |seq: u64| webhook(seq).time;
    assert_eq!(store.trim_webhooks(9, time(9)).await.unwrap(), Trimmed::default());
    let no = insert(store, message(to("bob"), 1)).await.no;
    commit_with_webhooks(store, no, 2000).await;
    let nothing = Trimmed { left: 2000, oldest: Some(time(1)), ..Trimmed::default() };
    assert_eq!(store.trim_webhooks(2000, time(1)).await.unwrap(), nothing);
    let by_age = Trimmed { too_old: 700, left: 1300, oldest: Some(time(701)), ..nothing };
    assert_eq!(store.trim_webhooks(2000, time(701)).await.unwrap(), by_age);
    let both = Trimmed { too_old: 10, too_many: 1285, left: 5, oldest: Some(time(1996)) };
    assert_eq!(store.trim_webhooks(5, time(711)).await.unwrap(), both);
    assert_eq!(waiting(store, no).await, [1996, 1997, 1998, 1999, 2000]);
    let all = Trimmed { too_old: 5, ..Trimmed::default() };
    assert_eq!(store.trim_webhooks(5, time(9999)).await.unwrap(), all);
    assert_eq!(store.webhook_messages(i64::MIN, 9).await.unwrap(), [0; 0]);
    commit_with_webhooks(store, no, 2003).await;
    let none_kept = Trimmed { too_many: 3, ..Trimmed::default() };
    assert_eq!(store.trim_webhooks(0, 0).await.unwrap(), none_kept);
}
