//! Messages with everything of them: removed, archived, restored.

use std::collections::HashMap;

use redis::Value;

use super::engine::parsed;
use super::keys::Bucket;
use super::messages::{
    bucket_of, by_numbers, c2c_key, changed_key, group_list_key, id_key, inserted, insertion, list_key,
    remember_sender, senders_key, stored,
};
use super::script::{ARCHIVE, Call, REMOVE};
use super::{RedisStore, digits, extensions, groups};
use crate::store::{AnswerId, Archive, Conversation, Inserted, NewGroup, StoreError, StoredMessage};

/// Messages looked at in one step.
const STEP: usize = 100;
/// Later than every change.
const EVER: u64 = 1 << 53;

/// Removes a message if it was last changed before `before_ms`. `false`: it was not, or it is gone.
async fn remove(store: &RedisStore, stored: &StoredMessage, before_ms: u64) -> Result<bool, StoreError> {
    let (no, message) = (stored.no, &stored.message);
    let mut keys = extensions::keys(no);
    keys.extend([changed_key(bucket_of(message)), list_key(message), id_key(message)]);
    if let Conversation::C2c { to } = &message.conversation {
        keys.push(c2c_key(&message.sender, to, &message.msg_key()));
    }
    let call = Call::new(&REMOVE, keys).arg(digits(no)).number(before_ms);
    let is_removed: bool = store.engine.write(bucket_of(message), call).await?;
    if let Conversation::C2c { to } = &message.conversation
        && is_removed
    {
        let call = Call::command("ZREM", senders_key(to, &message.msg_key())).arg(&message.sender);
        store.engine.write::<Value>(Bucket::of_recipient(to), call).await?;
    }
    Ok(is_removed)
}

/// Removes what was in a group that is gone.
pub(super) async fn remove_all_of_group(
    store: &RedisStore,
    group_id: &str,
    no: i64,
) -> Result<(), StoreError> {
    let bucket = Bucket::of_group(group_id);
    loop {
        let last = (STEP - 1).to_string();
        let call = Call::command("ZRANGE", group_list_key(no)).args(["0", &last]);
        let numbers: Vec<i64> = store.engine.read(bucket, call).await?;
        if numbers.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = numbers.iter().copied().map(digits).collect();
        for stored in by_numbers(store, numbers).await? {
            remove(store, &stored, EVER).await?;
        }
        // Those, too, of which nothing else was left.
        let call = Call::command("ZREM", group_list_key(no)).args(names);
        store.engine.write::<Value>(bucket, call).await?;
    }
}

pub(super) async fn expire(
    store: &RedisStore,
    before_ms: u64,
    count: usize,
) -> Result<Vec<StoredMessage>, StoreError> {
    let mut removed = Vec::new();
    let until = format!("({before_ms}");
    let limit = count.to_string();
    let old = |bucket| {
        let call = Call::command("ZRANGE", changed_key(bucket))
            .args(["-inf", &until, "BYSCORE", "LIMIT", "0", &limit]);
        (bucket, call)
    };
    loop {
        let found = store.engine.read_each::<Vec<i64>>(Bucket::all().map(old).collect()).await?;
        let mut is_put_back = false;
        for numbers in found {
            for stored in by_numbers(store, numbers).await? {
                if removed.len() >= count {
                    return Ok(removed);
                }
                if remove(store, &stored, before_ms).await? {
                    removed.push(stored);
                } else {
                    is_put_back = true;
                }
            }
        }
        // Those that were changed later in their minute may have stood before others that are old.
        if !removed.is_empty() || !is_put_back {
            return Ok(removed);
        }
    }
}

/// What is kept, MsgSeq, the extensions, the answers, and of a group type, name and members.
type Row =
    (String, Option<u64>, extensions::Row, Vec<(String, String)>, Option<(String, String, Vec<String>)>);

pub(super) async fn archive(store: &RedisStore, no: i64) -> Result<Option<Archive>, StoreError> {
    let Some(found) = by_numbers(store, vec![no]).await?.pop() else { return Ok(None) };
    let mut keys = extensions::keys(no);
    let mut group_no = None;
    if let Conversation::Group { group_id, no } = &found.message.conversation {
        keys.extend(groups::keys(group_id));
        group_no = Some(*no);
    }
    let call = Call::new(&ARCHIVE, keys).arg(group_no.map(digits).unwrap_or_default());
    let row: Option<Row> = store.engine.read(Bucket::of_no(no), call).await?;
    let Some((info, msg_seq, extensions, texts, group)) = row else { return Ok(None) };
    let StoredMessage { mut message, msg_seq, .. } = stored(no, &info, msg_seq)?;
    let loaded = extensions::loaded(extensions)?;
    let mut texts: HashMap<_, _> = texts.into_iter().collect();
    let answer = |id: AnswerId| Some((texts.remove(&extensions::place(&id.caller, id.turn))?, id));
    let mut answers: Vec<_> =
        loaded.answers.into_iter().filter_map(answer).map(|(text, id)| (id, text)).collect();
    answers.sort_by(|(a, _), (b, _)| (&a.caller, a.turn).cmp(&(&b.caller, b.turn)));
    let mut of_group = None;
    if let Conversation::Group { group_id, no } = &mut message.conversation {
        let Some((group_type, name, mut members)) = group else { return Ok(None) };
        members.sort();
        *no = 0;
        message.sequence = u32::try_from(msg_seq).unwrap_or_default();
        of_group = Some(NewGroup { group_id: group_id.clone(), group_type, name, members });
    }
    Ok(Some(Archive { group: of_group, message, state: loaded.message, answers }))
}

pub(super) async fn restore(store: &RedisStore, archive: &Archive) -> Result<Inserted, StoreError> {
    let mut message = archive.message.clone();
    let bucket = bucket_of(&message);
    let mut calls = Vec::new();
    if let Some(group) = &archive.group {
        let there = groups::read(store, &group.group_id).await?;
        let no = match there {
            Some((there, _)) => there.no,
            None => {
                let no = store.number(bucket).await?;
                groups::name_in(store, &group.members, &group.group_id).await?;
                calls.push(groups::creation(no, group));
                no
            }
        };
        message.conversation = Conversation::Group { group_id: group.group_id.clone(), no };
    }
    let no = store.number(bucket).await?;
    remember_sender(store, &message).await?;
    let at = calls.len();
    calls.push(insertion(no, &message)?);
    // Of a message that is there already nothing is found under this number, so it stays as it is.
    calls.push(extensions::commit(&archive.commit(no))?);
    let answers = store.engine.write_together(bucket, calls).await?;
    let kept = parsed(answers.into_iter().nth(at).unwrap_or_default())?;
    inserted(store, no, message, kept).await?.ok_or(StoreError::Conflict)
}
