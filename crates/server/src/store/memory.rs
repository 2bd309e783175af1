//! The store that forgets at exit: for trying out, and for tests.

mod webhooks;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use message_extensions_core::law::Message;

use self::webhooks::Webhooks;
use super::{
    AnswerId, Archive, C2cPage, Commit, Conversation, Group, Head, Hearers, Inserted, Loaded, MessageName,
    NewGroup, NewMessage, REMEMBERED_ANSWERS, Store, StoreError, StoredMessage, Trimmed, Webhook,
};
use crate::clock::now_ms;

/// Everything in maps behind one lock; no method waits while it holds it.
#[derive(Default)]
pub struct MemoryStore {
    data: Mutex<Data>,
}

#[derive(Default)]
struct Data {
    last_no: i64,
    groups: HashMap<String, GroupData>,
    /// By number, so in the order in which they came.
    messages: BTreeMap<i64, MessageData>,
    /// The names of a one-to-one message are two: with its sender and without.
    names: HashMap<MessageName, Vec<i64>>,
    ids: HashMap<SenderId, i64>,
    c2c: HashMap<[String; 2], Vec<i64>>,
    webhooks: Webhooks,
}

/// What a message that is sent again has in common with the first: where, who, `MessageID`.
type SenderId = (Conversation, String, String);

struct GroupData {
    group: Group,
    name: String,
    /// The largest that was given: one that was removed is not given again.
    last_msg_seq: u64,
    /// By MsgSeq.
    messages: BTreeMap<u64, i64>,
}

struct MessageData {
    stored: StoredMessage,
    /// When it was made or last changed, milliseconds since 1970.
    time: u64,
    extensions: Message,
    answers: HashMap<String, VecDeque<(AnswerId, String)>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        // Every method leaves the maps consistent at each step that could panic.
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Data {
    fn next_no(&mut self) -> i64 {
        self.last_no += 1;
        self.last_no
    }

    fn message(&self, no: &i64) -> Option<StoredMessage> {
        self.messages.get(no).map(|m| m.stored.clone())
    }

    fn repeated(&self, new: &NewMessage) -> Option<StoredMessage> {
        let by_key = || match &new.conversation {
            Conversation::C2c { to } => self.names.get(&c2c_name(Some(new.sender.clone()), to, new))?.first(),
            Conversation::Group { group_id, no } => {
                let group = self.groups.get(group_id).filter(|g| g.group.no == *no)?;
                group.messages.get(&new.sequence.into())
            }
        };
        self.ids.get(&sender_id(new)).or_else(by_key).and_then(|no| self.message(no))
    }

    fn insert(&mut self, mut new: NewMessage) -> Option<StoredMessage> {
        let no = self.next_no();
        let msg_seq = match &new.conversation {
            Conversation::C2c { to } => {
                self.c2c.entry(pair(&new.sender, to)).or_default().push(no);
                for from in [None, Some(new.sender.clone())] {
                    self.names.entry(c2c_name(from, to, &new)).or_default().push(no);
                }
                u64::from(new.sequence)
            }
            Conversation::Group { group_id, no: group_no } => {
                let group = self.groups.get_mut(group_id).filter(|g| g.group.no == *group_no)?;
                let msg_seq = if new.sequence == 0 { group.last_msg_seq + 1 } else { new.sequence.into() };
                group.last_msg_seq = group.last_msg_seq.max(msg_seq);
                group.messages.insert(msg_seq, no);
                new.sequence = 0;
                self.names.insert(MessageName::Group { no: *group_no, msg_seq }, vec![no]);
                msg_seq
            }
        };
        self.ids.insert(sender_id(&new), no);
        let stored = StoredMessage { no, msg_seq, message: new };
        let (extensions, answers) = (Message::default(), HashMap::new());
        self.messages.insert(no, MessageData { stored: stored.clone(), time: now_ms(), extensions, answers });
        Some(stored)
    }

    fn remove(&mut self, no: i64) -> Option<StoredMessage> {
        let stored = self.messages.remove(&no)?.stored;
        self.ids.remove(&sender_id(&stored.message));
        match &stored.message.conversation {
            Conversation::C2c { to } => {
                for from in [None, Some(stored.message.sender.clone())] {
                    let name = c2c_name(from, to, &stored.message);
                    remove_from(&mut self.names, &name, no);
                }
                remove_from(&mut self.c2c, &pair(&stored.message.sender, to), no);
            }
            Conversation::Group { group_id, no: group_no } => {
                self.names.remove(&MessageName::Group { no: *group_no, msg_seq: stored.msg_seq });
                if let Some(group) = self.groups.get_mut(group_id).filter(|group| group.group.no == *group_no)
                {
                    group.messages.remove(&stored.msg_seq);
                }
            }
        }
        Some(stored)
    }
}

/// Removes a number from a list, and the list with its last one.
fn remove_from<K: Eq + Hash>(lists: &mut HashMap<K, Vec<i64>>, key: &K, no: i64) {
    if let Some(list) = lists.get_mut(key) {
        list.retain(|kept| *kept != no);
        if list.is_empty() {
            lists.remove(key);
        }
    }
}

fn c2c_name(from: Option<String>, to: &str, message: &NewMessage) -> MessageName {
    MessageName::C2c { from, to: to.to_owned(), msg_key: message.msg_key() }
}

fn sender_id(message: &NewMessage) -> SenderId {
    (message.conversation.clone(), message.sender.clone(), message.message_id.clone())
}

fn pair(a: &str, b: &str) -> [String; 2] {
    let mut pair = [a.to_owned(), b.to_owned()];
    pair.sort();
    pair
}

#[async_trait]
impl Store for MemoryStore {
    async fn create_group(&self, new: NewGroup) -> Result<bool, StoreError> {
        let mut data = self.data();
        if data.groups.contains_key(&new.group_id) {
            return Ok(false);
        }
        let no = data.next_no();
        let members = new.members.into_iter().collect();
        let group = Group { no, group_type: new.group_type, members, version: 0 };
        let group = GroupData { group, name: new.name, last_msg_seq: 0, messages: BTreeMap::new() };
        data.groups.insert(new.group_id, group);
        Ok(true)
    }

    async fn destroy_group(&self, group_id: &str) -> Result<Option<HashSet<String>>, StoreError> {
        let mut data = self.data();
        let Some(GroupData { group, messages, .. }) = data.groups.remove(group_id) else { return Ok(None) };
        for no in messages.into_values() {
            data.messages.remove(&no);
        }
        let gone = group.no;
        data.names.retain(|name, _| !matches!(name, MessageName::Group { no, .. } if *no == gone));
        data.ids.retain(|(place, ..), _| !matches!(place, Conversation::Group { no, .. } if *no == gone));
        Ok(Some(group.members))
    }

    async fn add_members(&self, group_id: &str, users: Vec<String>) -> Result<Option<Vec<bool>>, StoreError> {
        let mut data = self.data();
        let Some(group) = data.groups.get_mut(group_id) else { return Ok(None) };
        Ok(Some(users.into_iter().map(|user| group.group.members.insert(user)).collect()))
    }

    async fn remove_members(
        &self,
        group_id: &str,
        users: Vec<String>,
    ) -> Result<Option<Vec<bool>>, StoreError> {
        let mut data = self.data();
        let Some(group) = data.groups.get_mut(group_id) else { return Ok(None) };
        Ok(Some(users.iter().map(|user| group.group.members.remove(user)).collect()))
    }

    async fn group(&self, group_id: &str) -> Result<Option<Group>, StoreError> {
        Ok(self.data().groups.get(group_id).map(|g| g.group.clone()))
    }

    async fn insert_message(&self, new: NewMessage) -> Result<Option<Inserted>, StoreError> {
        let mut data = self.data();
        if let Some(stored) = data.repeated(&new) {
            return Ok(Some(Inserted { stored, is_new: false }));
        }
        Ok(data.insert(new).map(|stored| Inserted { stored, is_new: true }))
    }

    async fn find_messages(&self, name: &MessageName) -> Result<Vec<StoredMessage>, StoreError> {
        let data = self.data();
        Ok(data.names.get(name).into_iter().flatten().filter_map(|no| data.message(no)).collect())
    }

    async fn list_c2c(&self, page: C2cPage) -> Result<Vec<StoredMessage>, StoreError> {
        let data = self.data();
        let [a, b] = &page.users;
        let numbers = data.c2c.get(&pair(a, b));
        let mut all: Vec<_> =
            numbers.into_iter().flatten().filter_map(|no| data.messages.get(no)).map(|m| &m.stored).collect();
        let place = |m: &StoredMessage| (m.message.time, m.no);
        let before = page.before.as_ref();
        let before =
            before.and_then(|key| all.iter().find(|m| m.message.msg_key() == *key).map(|m| place(m)));
        all.retain(|m| {
            m.message.time >= page.min_time
                && page.max_time.is_none_or(|max| m.message.time <= max)
                && before.is_none_or(|before| place(m) < before)
        });
        all.sort_by_key(|m| std::cmp::Reverse(place(m)));
        Ok(all.into_iter().take(page.count).cloned().collect())
    }

    async fn list_group(
        &self,
        group_no: i64,
        max_seq: Option<u64>,
        count: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let data = self.data();
        let Some(group) = data.groups.values().find(|g| g.group.no == group_no) else {
            return Ok(Vec::new());
        };
        let newest_first =
            group.messages.values().rev().filter_map(|no| data.messages.get(no)).map(|m| &m.stored);
        Ok(newest_first.filter(|m| max_seq.is_none_or(|max| m.msg_seq <= max)).take(count).cloned().collect())
    }

    async fn head(&self, message_no: i64) -> Result<Option<Head>, StoreError> {
        Ok(self.data().messages.get(&message_no).map(|m| Head::of(&m.extensions)))
    }

    async fn load(&self, message_no: i64) -> Result<Option<Loaded>, StoreError> {
        let data = self.data();
        let loaded = |m: &MessageData| Loaded {
            message: m.extensions.clone(),
            answers: m.answers.values().flatten().map(|(id, _)| id.clone()).collect(),
            commit: 0,
        };
        Ok(data.messages.get(&message_no).map(loaded))
    }

    async fn commit(&self, commit: Commit) -> Result<Hearers, StoreError> {
        let mut data = self.data();
        let message = data.messages.get_mut(&commit.message_no).ok_or(StoreError::Conflict)?;
        if message.extensions.latest_seq != commit.expected_seq {
            return Err(StoreError::Conflict);
        }
        for change in &commit.changes {
            message.time = message.time.max(change.time);
            message.extensions.absorb(change);
        }
        for (id, answer) in commit.answers {
            let own = message.answers.entry(id.caller.clone()).or_default();
            own.push_back((id, answer));
            if own.len() as u64 > REMEMBERED_ANSWERS {
                own.pop_front();
            }
        }
        data.webhooks.add(commit.message_no, commit.webhooks);
        Ok(Hearers::Nobody)
    }

    async fn answer(
        &self,
        message_no: i64,
        caller: &str,
        request_id: u128,
    ) -> Result<Option<String>, StoreError> {
        let data = self.data();
        let own = data.messages.get(&message_no).and_then(|m| m.answers.get(caller));
        let found = own.into_iter().flatten().find(|(id, _)| id.request_id == request_id);
        Ok(found.map(|(_, answer)| answer.clone()))
    }

    async fn webhook_messages(&self, after: i64, count: usize) -> Result<Vec<i64>, StoreError> {
        Ok(self.data().webhooks.messages(after, count))
    }

    async fn webhooks(&self, message_no: i64, count: usize) -> Result<Vec<Webhook>, StoreError> {
        Ok(self.data().webhooks.of(message_no, count))
    }

    async fn remove_webhooks(&self, received: Vec<(i64, u64)>) -> Result<usize, StoreError> {
        Ok(self.data().webhooks.remove(&received))
    }

    async fn trim_webhooks(&self, keep: usize, since: u64) -> Result<Trimmed, StoreError> {
        Ok(self.data().webhooks.trim(keep, since))
    }

    async fn archive(&self, message_no: i64) -> Result<Option<Archive>, StoreError> {
        let data = self.data();
        let Some(kept) = data.messages.get(&message_no) else { return Ok(None) };
        let mut message = kept.stored.message.clone();
        let mut group = None;
        if let Conversation::Group { group_id, no } = &mut message.conversation {
            *no = 0;
            message.sequence = u32::try_from(kept.stored.msg_seq).unwrap_or_default();
            let Some(of) = data.groups.get(group_id) else { return Ok(None) };
            let mut members: Vec<_> = of.group.members.iter().cloned().collect();
            members.sort();
            let (group_id, group_type) = (group_id.clone(), of.group.group_type.clone());
            group = Some(NewGroup { group_id, group_type, name: of.name.clone(), members });
        }
        let mut answers: Vec<_> = kept.answers.values().flatten().cloned().collect();
        answers.sort_by(|(a, _), (b, _)| (&a.caller, a.turn).cmp(&(&b.caller, b.turn)));
        Ok(Some(Archive { group, message, state: kept.extensions.clone(), answers }))
    }

    async fn expire(&self, before_ms: u64, count: usize) -> Result<Vec<StoredMessage>, StoreError> {
        let mut data = self.data();
        let old = data.messages.iter().filter(|(_, message)| message.time < before_ms);
        let old: Vec<_> = old.map(|(no, _)| *no).take(count).collect();
        Ok(old.into_iter().filter_map(|no| data.remove(no)).collect())
    }

    async fn close(&self) {}
}
