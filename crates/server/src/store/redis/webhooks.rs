//! Webhooks that wait: by message and Seq, and in each bucket by time.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::keys::Bucket;
use super::script::{Call, WEBHOOKS_REMOVE};
use super::{RedisStore, digits};
use crate::store::{StoreError, Trimmed, Webhook};

/// How many are dropped in one step.
const STEP: usize = 500;

/// Of a message: its webhooks; of its bucket: messages with webhooks, webhooks by time.
pub(super) fn keys(no: i64) -> Vec<String> {
    let bucket = Bucket::of_no(no);
    vec![webhooks_key(no), waiting_key(bucket), times_key(bucket)]
}

fn webhooks_key(no: i64) -> String {
    Bucket::of_no(no).key("webhooks", digits(no))
}

fn waiting_key(bucket: Bucket) -> String {
    bucket.key("with-webhooks", "")
}

fn times_key(bucket: Bucket) -> String {
    bucket.key("webhook-times", "")
}

pub(super) async fn messages(store: &RedisStore, after: i64, count: usize) -> Result<Vec<i64>, StoreError> {
    let mut found: Vec<i64> = Vec::new();
    // The first number of all may be asked for as the smallest there is.
    let first = Bucket::of_no(after.max(0));
    let calls = first.and_later().map(|bucket| {
        let from = format!("({}", after.max(0));
        let wanted = count.to_string();
        let call = Call::command("ZRANGE", waiting_key(bucket))
            .args([&from, "+inf", "BYSCORE", "LIMIT", "0", &wanted]);
        (bucket, call)
    });
    let mut calls = calls.collect::<Vec<_>>().into_iter();
    while found.len() < count && calls.len() > 0 {
        for numbers in store.engine.read_each::<Vec<i64>>(calls.by_ref().take(STEP).collect()).await? {
            found.extend(numbers);
        }
    }
    found.truncate(count);
    Ok(found)
}

pub(super) async fn of(store: &RedisStore, no: i64, count: usize) -> Result<Vec<Webhook>, StoreError> {
    let Some(last) = count.checked_sub(1) else { return Ok(Vec::new()) };
    let call = Call::command("ZRANGE", webhooks_key(no)).args(["0", &last.to_string()]);
    let rows: Vec<String> = store.engine.read(Bucket::of_no(no), call).await?;
    let webhook = |row: &String| {
        let mut parts = row.splitn(3, ' ');
        let (seq, time) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Webhook { seq, time, body: Arc::from(parts.next()?) })
    };
    Ok(rows.iter().filter_map(webhook).collect())
}

pub(super) async fn remove(store: &RedisStore, no: i64, seq: u64) -> Result<usize, StoreError> {
    let call = Call::new(&WEBHOOKS_REMOVE, keys(no)).arg(digits(no)).number(seq);
    store.engine.write(Bucket::of_no(no), call).await
}

/// Bucket by bucket: each loses of what is too much in proportion to what it has.
pub(super) async fn trim(store: &RedisStore, keep: usize, since: u64) -> Result<Trimmed, StoreError> {
    let mut trimmed = Trimmed::default();
    for (bucket, _) in counts(store).await? {
        let until = format!("({since}");
        loop {
            let step = STEP.to_string();
            let call = Call::command("ZRANGE", times_key(bucket))
                .args(["-inf", &until, "BYSCORE", "LIMIT", "0", &step]);
            let old: Vec<String> = store.engine.read(bucket, call).await?;
            if old.is_empty() {
                break;
            }
            trimmed.too_old += drop_named(store, &old).await?;
        }
    }
    let counts = counts(store).await?;
    let total: usize = counts.iter().map(|(_, count)| count).sum();
    let mut excess = total.saturating_sub(keep);
    let (all, wanted) = (total.max(1), excess);
    for (bucket, count) in &counts {
        let share = (count * wanted).div_ceil(all).min(excess);
        excess -= share;
        trimmed.too_many += drop_oldest(store, *bucket, share).await?;
    }
    trimmed.left = total.saturating_sub(trimmed.too_many);
    trimmed.oldest = oldest(store, &counts).await?;
    Ok(trimmed)
}

async fn drop_oldest(store: &RedisStore, bucket: Bucket, count: usize) -> Result<usize, StoreError> {
    let mut dropped = 0;
    while dropped < count {
        let last = (count - dropped).min(STEP) - 1;
        let call = Call::command("ZRANGE", times_key(bucket)).args(["0", &last.to_string()]);
        let old: Vec<String> = store.engine.read(bucket, call).await?;
        if old.is_empty() {
            break;
        }
        dropped += drop_named(store, &old).await?;
    }
    Ok(dropped)
}

/// Drops webhooks by number and Seq, and what is older of their messages.
async fn drop_named(store: &RedisStore, named: &[String]) -> Result<usize, StoreError> {
    let mut last = BTreeMap::<i64, u64>::new();
    for (no, seq) in named.iter().filter_map(|name| name.split_once(' ')) {
        if let (Ok(no), Ok(seq)) = (no.parse(), seq.parse::<u64>()) {
            let kept = last.entry(no).or_default();
            *kept = seq.max(*kept);
        }
    }
    let mut dropped = 0;
    for (no, seq) in last {
        dropped += remove(store, no, seq).await?;
    }
    Ok(dropped)
}

/// How many wait in each bucket that has any.
async fn counts(store: &RedisStore) -> Result<Vec<(Bucket, usize)>, StoreError> {
    let call = |bucket| (bucket, Call::command("ZCARD", times_key(bucket)));
    let counts = store.engine.read_each::<usize>(Bucket::all().map(call).collect()).await?;
    Ok(Bucket::all().zip(counts).filter(|(_, count)| *count > 0).collect())
}

/// When the oldest of all happened.
async fn oldest(store: &RedisStore, counts: &[(Bucket, usize)]) -> Result<Option<u64>, StoreError> {
    let first = |&(bucket, _): &(Bucket, usize)| {
        (bucket, Call::command("ZRANGE", times_key(bucket)).args(["0", "0", "WITHSCORES"]))
    };
    let firsts = store.engine.read_each::<Vec<String>>(counts.iter().map(first).collect()).await?;
    Ok(firsts.iter().filter_map(|first| first.get(1)?.parse::<f64>().ok()).map(|time| time as u64).min())
}
