//! Messages: keeping, finding, listing.

use message_extensions_core::wire::Rules;
use serde::{Deserialize, Serialize};

use super::keys::{Bucket, pair};
use super::script::{Call, FIND, INSERT_C2C, INSERT_GROUP, LIST_C2C, LIST_GROUP};
use super::{RedisStore, digits, groups, unreadable};
use crate::clock::now_ms;
use crate::store::{C2cPage, Conversation, Inserted, MessageName, NewMessage, StoreError, StoredMessage};

/// What never changes of a message, as it is kept.
#[derive(Serialize, Deserialize)]
struct Info {
    from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// GroupId and the store's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<(String, i64)>,
    sequence: u32,
    random: u32,
    time: u64,
    extensible: bool,
    id: String,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<Rules>,
}

/// What is kept of a message, and its MsgSeq in the group; neither when it is gone.
type Row = (Option<String>, Option<u64>);

impl Info {
    fn of(message: &NewMessage) -> Self {
        let (to, group) = match &message.conversation {
            Conversation::C2c { to } => (Some(to.clone()), None),
            Conversation::Group { group_id, no } => (None, Some((group_id.clone(), *no))),
        };
        Self {
            from: message.sender.clone(),
            // A group's message has the MsgSeq that the group gives it.
            sequence: if to.is_some() { message.sequence } else { 0 },
            to,
            group,
            random: message.random,
            time: message.time,
            extensible: message.extensible,
            id: message.message_id.clone(),
            body: message.body.clone(),
            rules: message.rules.clone(),
        }
    }

    fn into_message(self) -> NewMessage {
        let conversation = match (self.to, self.group) {
            (_, Some((group_id, no))) => Conversation::Group { group_id, no },
            (to, None) => Conversation::C2c { to: to.unwrap_or_default() },
        };
        NewMessage {
            sender: self.from,
            conversation,
            sequence: self.sequence,
            random: self.random,
            time: self.time,
            extensible: self.extensible,
            message_id: self.id,
            body: self.body,
            rules: self.rules,
        }
    }
}

/// Where a message is.
pub(super) fn bucket_of(message: &NewMessage) -> Bucket {
    match &message.conversation {
        Conversation::C2c { to } => Bucket::of_pair(&message.sender, to),
        Conversation::Group { group_id, .. } => Bucket::of_group(group_id),
    }
}

pub(super) fn message_key(no: i64) -> String {
    Bucket::of_no(no).key("message", digits(no))
}

/// The messages of a conversation, in their order.
pub(super) fn list_key(message: &NewMessage) -> String {
    match &message.conversation {
        Conversation::C2c { to } => c2c_list_key(&message.sender, to),
        Conversation::Group { no, .. } => group_list_key(*no),
    }
}

fn c2c_list_key(a: &str, b: &str) -> String {
    Bucket::of_pair(a, b).key("sent", pair(a, b))
}

pub(super) fn group_list_key(group_no: i64) -> String {
    Bucket::of_no(group_no).key("sent", digits(group_no))
}

/// By when messages were made or last changed.
pub(super) fn changed_key(bucket: Bucket) -> String {
    bucket.key("changed", "")
}

/// What a message that is sent again has in common with the first.
pub(super) fn id_key(message: &NewMessage) -> String {
    let place = match &message.conversation {
        Conversation::C2c { to } => to.clone(),
        Conversation::Group { no, .. } => digits(*no),
    };
    bucket_of(message).key("id", format!("{place}\n{}\n{}", message.sender, message.message_id))
}

pub(super) fn c2c_key(from: &str, to: &str, msg_key: &str) -> String {
    Bucket::of_pair(from, to).key("key", format!("{from}\n{to}\n{msg_key}"))
}

/// Who has sent this user a message with the MsgKey. It may name a sender too many, never one too few.
pub(super) fn senders_key(to: &str, msg_key: &str) -> String {
    Bucket::of_recipient(to).key("from", format!("{to}\n{msg_key}"))
}

/// Keeps a message under this number.
pub(super) fn insertion(no: i64, message: &NewMessage) -> Result<Call, StoreError> {
    let info = serde_json::to_string(&Info::of(message)).map_err(unreadable)?;
    let changed = changed_key(bucket_of(message));
    let (id, list, own) = (id_key(message), list_key(message), message_key(no));
    Ok(match &message.conversation {
        Conversation::C2c { to } => {
            let key = c2c_key(&message.sender, to, &message.msg_key());
            Call::new(&INSERT_C2C, vec![id, key, list, own, changed])
                .arg(digits(no))
                .arg(info)
                .number(message.time)
                .number(now_ms())
        }
        Conversation::Group { group_id, no: group_no } => {
            let group = groups::keys(group_id).swap_remove(0);
            Call::new(&INSERT_GROUP, vec![group, id, list, own, changed])
                .arg(digits(no))
                .arg(info)
                .arg(digits(*group_no))
                .number(message.sequence)
                .number(now_ms())
        }
    })
}

pub(super) async fn insert(store: &RedisStore, new: NewMessage) -> Result<Option<Inserted>, StoreError> {
    let bucket = bucket_of(&new);
    let no = store.number(bucket).await?;
    remember_sender(store, &new).await?;
    let kept: Option<(i64, Option<u64>)> = store.engine.write(bucket, insertion(no, &new)?).await?;
    inserted(store, no, new, kept).await
}

/// Before the message is kept, so that it is found without its sender as soon as it is there.
pub(super) async fn remember_sender(store: &RedisStore, new: &NewMessage) -> Result<(), StoreError> {
    let Conversation::C2c { to } = &new.conversation else { return Ok(()) };
    let call =
        Call::command("ZADD", senders_key(to, &new.msg_key())).arg("NX").number(now_ms()).arg(&new.sender);
    store.engine.write(Bucket::of_recipient(to), call).await
}

/// What an [`insertion`] has answered: the number of the message that is kept, and its MsgSeq in a group.
pub(super) async fn inserted(
    store: &RedisStore,
    no: i64,
    new: NewMessage,
    kept: Option<(i64, Option<u64>)>,
) -> Result<Option<Inserted>, StoreError> {
    let Some((kept, msg_seq)) = kept else { return Ok(None) };
    if kept == no {
        let message = Info::of(&new).into_message();
        let msg_seq = msg_seq.unwrap_or_else(|| message.sequence.into());
        return Ok(Some(Inserted { stored: StoredMessage { no, msg_seq, message }, is_new: true }));
    }
    match by_numbers(store, vec![kept]).await?.pop() {
        Some(stored) => Ok(Some(Inserted { stored, is_new: false })),
        None => Err(StoreError::Failed("a message was removed while it was sent again".into())),
    }
}

/// Messages of one bucket; those that are gone are left out.
pub(super) async fn by_numbers(
    store: &RedisStore,
    numbers: Vec<i64>,
) -> Result<Vec<StoredMessage>, StoreError> {
    let Some(first) = numbers.first() else { return Ok(Vec::new()) };
    let call = Call::new(&FIND, numbers.iter().copied().map(message_key).collect());
    let rows: Vec<Row> = store.engine.read(Bucket::of_no(*first), call).await?;
    let found = numbers.into_iter().zip(rows).filter_map(|(no, (info, msg_seq))| Some((no, info?, msg_seq)));
    found.map(|(no, info, msg_seq)| stored(no, &info, msg_seq)).collect()
}

pub(super) fn stored(no: i64, info: &str, msg_seq: Option<u64>) -> Result<StoredMessage, StoreError> {
    let message = serde_json::from_str::<Info>(info).map_err(unreadable)?.into_message();
    Ok(StoredMessage { no, msg_seq: msg_seq.unwrap_or_else(|| message.sequence.into()), message })
}

pub(super) async fn find(store: &RedisStore, name: &MessageName) -> Result<Vec<StoredMessage>, StoreError> {
    let numbers: Vec<i64> = match name {
        MessageName::C2c { from: Some(from), to, msg_key } => {
            return find_c2c(store, from, to, msg_key).await;
        }
        MessageName::C2c { from: None, to, msg_key } => {
            let call = Call::command("ZRANGE", senders_key(to, msg_key)).args(["0", "-1"]);
            let senders: Vec<String> = store.engine.read(Bucket::of_recipient(to), call).await?;
            let mut found = Vec::new();
            for from in senders {
                found.extend(find_c2c(store, &from, to, msg_key).await?);
            }
            return Ok(found);
        }
        MessageName::Group { no, msg_seq } => {
            let seq = msg_seq.to_string();
            let call = Call::command("ZRANGE", group_list_key(*no)).args([&seq, &seq, "BYSCORE"]);
            store.engine.read(Bucket::of_no(*no), call).await?
        }
    };
    by_numbers(store, numbers).await
}

async fn find_c2c(
    store: &RedisStore,
    from: &str,
    to: &str,
    msg_key: &str,
) -> Result<Vec<StoredMessage>, StoreError> {
    let call = Call::command("GET", c2c_key(from, to, msg_key));
    let number: Option<i64> = store.engine.read(Bucket::of_pair(from, to), call).await?;
    by_numbers(store, number.into_iter().collect()).await
}

pub(super) async fn list_c2c(store: &RedisStore, page: C2cPage) -> Result<Vec<StoredMessage>, StoreError> {
    let [a, b] = &page.users;
    let mut keys = vec![c2c_list_key(a, b)];
    if let Some(before) = &page.before {
        keys.extend([c2c_key(a, b, before), c2c_key(b, a, before)]);
    }
    let call = Call::new(&LIST_C2C, keys)
        .number(page.min_time)
        .arg(page.max_time.map_or_else(|| "+inf".to_owned(), |max| max.to_string()))
        .number(page.count);
    let numbers = store.engine.read(Bucket::of_pair(a, b), call).await?;
    by_numbers(store, numbers).await
}

pub(super) async fn list_group(
    store: &RedisStore,
    group_no: i64,
    max_seq: Option<u64>,
    count: usize,
) -> Result<Vec<StoredMessage>, StoreError> {
    let call = Call::new(&LIST_GROUP, vec![group_list_key(group_no)])
        .arg(max_seq.map_or_else(|| "+inf".to_owned(), |max| max.to_string()))
        .number(count);
    let numbers = store.engine.read(Bucket::of_no(group_no), call).await?;
    by_numbers(store, numbers).await
}
