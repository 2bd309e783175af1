//! Extensions and remembered answers.

use std::collections::BTreeMap;

use message_extensions_core::law::{ChangeKind, Entry, Message};

use super::keys::Bucket;
use super::messages::{changed_key, message_key};
use super::script::{ANSWER, COMMIT, Call, LOAD};
use super::{RedisStore, bus, digits, groups, unreadable, webhooks};
use crate::store::{AnswerId, Commit, Head, Loaded, REMEMBERED_ANSWERS, StoreError, Topic};

/// LatestSeq, ClearSeq, the last commit, what each key holds, which answers are remembered where.
pub(super) type Row = (u64, u64, u64, Vec<(String, String)>, Vec<(String, String)>);

/// Of a message: itself, its entries, where which answer is, the answers.
pub(super) fn keys(no: i64) -> Vec<String> {
    let bucket = Bucket::of_no(no);
    let key = |kind| bucket.key(kind, digits(no));
    vec![message_key(no), key("entries"), key("answer-names"), key("answers")]
}

pub(super) async fn head(store: &RedisStore, no: i64) -> Result<Option<Head>, StoreError> {
    let call = Call::command("HMGET", message_key(no)).arg("seq").arg("digest");
    let (latest_seq, digest): (Option<u64>, _) = store.engine.read(Bucket::of_no(no), call).await?;
    Ok(latest_seq.map(|latest_seq| Head { latest_seq, digest }))
}

pub(super) async fn last_commit(store: &RedisStore, no: i64) -> Result<Option<u64>, StoreError> {
    let call = Call::command("HGET", message_key(no)).arg("commit");
    store.engine.read(Bucket::of_no(no), call).await
}

pub(super) async fn load(store: &RedisStore, no: i64) -> Result<Option<Loaded>, StoreError> {
    let mut keys = keys(no);
    keys.truncate(3);
    let row: Option<Row> = store.engine.read_settled(Bucket::of_no(no), Call::new(&LOAD, keys)).await?;
    row.map(loaded).transpose()
}

pub(super) fn loaded((latest_seq, clear_seq, commit, entries, names): Row) -> Result<Loaded, StoreError> {
    let entry = |(key, json): (String, String)| {
        let (seq, author, time, value) = serde_json::from_str(&json).map_err(unreadable)?;
        Ok((key, Entry { value, seq, author, time }))
    };
    let entries: BTreeMap<_, _> = entries.into_iter().map(entry).collect::<Result<_, StoreError>>()?;
    let mut answers: Vec<_> = names.iter().filter_map(|(place, name)| answer_id(place, name)).collect();
    answers.sort_by_key(|id| id.turn);
    Ok(Loaded { message: Message::restore(latest_seq, clear_seq, entries), answers, commit })
}

fn answer_id(place: &str, name: &str) -> Option<AnswerId> {
    let (caller, _) = place.rsplit_once('\n')?;
    let (turn, id) = name.split_once(' ')?;
    let request_id = u128::from_str_radix(id, 16).ok()?;
    Some(AnswerId { caller: caller.to_owned(), turn: turn.parse().ok()?, request_id })
}

/// Where an answer is remembered: each caller has a few places, which are used in turn.
pub(super) fn place(caller: &str, turn: u64) -> String {
    format!("{caller}\n{}", turn % REMEMBERED_ANSWERS)
}

pub(super) fn commit(commit: &Commit) -> Result<Call, StoreError> {
    let no = commit.message_no;
    let mut keys = keys(no);
    keys.push(changed_key(Bucket::of_no(no)));
    keys.extend(webhooks::keys(no));
    keys.push(bus::log_key(Bucket::of_no(no)));
    // The users of a one-to-one conversation are listened to elsewhere.
    keys.extend(commit.in_group.clone().map(|group_id| bus::channel(&Topic::Group(group_id))));
    let (group_key, group_no, group_version) = groups::comparison(commit.group.as_deref());
    keys.extend(group_key);
    let latest_seq = commit.changes.last().map_or(commit.expected_seq, |change| change.seq);
    let cleared = commit.changes.iter().rposition(|change| change.kind == ChangeKind::Clear);
    let clear_seq = cleared.and_then(|at| commit.changes.get(at)).map(|change| change.seq.to_string());
    let time = commit.changes.iter().map(|change| change.time).max();
    let mut entries = BTreeMap::new();
    for change in commit.changes.iter().skip(cleared.map_or(0, |at| at + 1)) {
        let mut write = |key: &String, value: Option<&String>| -> Result<(), StoreError> {
            let entry = (change.seq, &change.author, change.time, value);
            entries.insert(key.clone(), serde_json::to_string(&entry).map_err(unreadable)?);
            Ok(())
        };
        match &change.kind {
            ChangeKind::Set(items) => items.iter().try_for_each(|(key, value)| write(key, Some(value)))?,
            ChangeKind::Delete(keys) => keys.iter().try_for_each(|key| write(key, None))?,
            ChangeKind::Clear => {}
        }
    }
    let mut call = Call::new(&COMMIT, keys)
        .arg(digits(no))
        .arg(commit.after.map(|after| after.to_string()).unwrap_or_default())
        .number(commit.expected_seq)
        .number(commit.id)
        .number(latest_seq)
        .arg(clear_seq.unwrap_or_default())
        .arg(time.map(|time| time.to_string()).unwrap_or_default())
        .arg(commit.record.as_deref().unwrap_or_default())
        .number(bus::LOG_MS)
        .arg(group_no)
        .arg(group_version)
        .number(commit.digest)
        .number(entries.len());
    for (key, entry) in entries {
        call = call.arg(key).arg(entry);
    }
    call = call.number(commit.answers.len());
    for (id, _) in &commit.answers {
        let name = format!("{} {:032x}", id.turn, id.request_id);
        call = call.arg(place(&id.caller, id.turn)).arg(name);
    }
    call = call.number(commit.answers.len());
    for (id, answer) in &commit.answers {
        call = call.arg(place(&id.caller, id.turn)).arg(answer);
    }
    call = call.number(commit.webhooks.len());
    for webhook in &commit.webhooks {
        call = call.number(webhook.seq).number(webhook.time).arg(webhook.body.as_bytes());
    }
    Ok(call)
}

pub(super) async fn answer(
    store: &RedisStore,
    no: i64,
    caller: &str,
    request_id: u128,
) -> Result<Option<String>, StoreError> {
    let keys = keys(no).split_off(2);
    let places = (0..REMEMBERED_ANSWERS).map(|turn| place(caller, turn));
    let call = Call::new(&ANSWER, keys).arg(format!("{request_id:032x}")).args(places);
    store.engine.read(Bucket::of_no(no), call).await
}
