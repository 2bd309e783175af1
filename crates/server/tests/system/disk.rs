//! The store: what outlives every server. It takes its time before and after what it does, so whoever is killed meanwhile has lost a
//! write, or has not heard that it was done; and it fails, before or after.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use fastrand::Rng;
use futures_util::FutureExt;
use message_extensions_server::store::{
    Archive, Bus, C2cPage, Commit, Conversation, Group, Head, Hearers, Inserted, Loaded, MemoryStore,
    MessageName, NewGroup, NewMessage, Store, StoreError, StoredMessage, Trimmed, Webhook,
};
use tokio::time::sleep;

use crate::bus::{Air, NodeBus};
use crate::history::{GROUP, History};
use crate::world::{MESSAGE_ID, TROUBLE, now_ms};

/// What all servers share.
pub(crate) struct Disk {
    inner: MemoryStore,
    history: Mutex<History>,
    chance: Mutex<Rng>,
    /// Of 256 times, how often it fails.
    failures: u8,
    /// The same of servers that are told something, and do not hear it.
    pub(crate) losses: u8,
    shared: Mutex<Shared>,
    pub(crate) air: Mutex<Air>,
}

/// What only a store of several servers has.
#[derive(Default)]
struct Shared {
    /// [`Commit::id`] of each message's last.
    commits: HashMap<i64, u64>,
    group_version: u64,
    /// Who was ever a member.
    ever: BTreeSet<String>,
}

/// The store as one server sees it.
pub(crate) struct Node {
    disk: Arc<Disk>,
    /// `None`: there are no other servers.
    bus: Option<Arc<NodeBus>>,
}

/// The memory waits for nobody.
fn at_once<T>(done: impl Future<Output = T>) -> T {
    done.now_or_never().expect("a store in memory waits for nobody")
}

impl Disk {
    /// A group with these members, and a message in it.
    pub(crate) fn new(members: Vec<String>, mut chance: Rng) -> Self {
        let failures = [0, 2, 6, 20][chance.usize(0..4)];
        let losses = [0, 5, 60][chance.usize(0..3)];
        let inner = MemoryStore::new();
        let group = NewGroup { group_id: GROUP.into(), members: members.clone(), ..NewGroup::default() };
        at_once(inner.create_group(group)).unwrap();
        let no = at_once(inner.group(GROUP)).unwrap().unwrap().no;
        let message = NewMessage {
            sender: members[0].clone(),
            conversation: Conversation::Group { group_id: GROUP.into(), no },
            sequence: 0,
            random: 1,
            time: 1,
            extensible: true,
            message_id: MESSAGE_ID.into(),
            body: "[]".into(),
            rules: None,
        };
        at_once(inner.insert_message(message)).unwrap().unwrap();
        let mut history = History::default();
        history.members.extend(members.iter().cloned());
        let shared = Shared { ever: members.into_iter().collect(), ..Shared::default() };
        Self {
            inner,
            history: Mutex::new(history),
            chance: Mutex::new(chance),
            failures,
            losses,
            shared: Mutex::new(shared),
            air: Mutex::default(),
        }
    }

    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap()
    }

    pub(crate) fn chance(&self) -> MutexGuard<'_, Rng> {
        self.chance.lock().unwrap()
    }

    /// Most often a few milliseconds; and whether something goes wrong.
    pub(crate) async fn takes_time(&self) -> Result<(), StoreError> {
        let is_trouble = now_ms() < TROUBLE;
        let (ms, fails) = {
            let mut chance = self.chance();
            let is_slow = is_trouble && chance.u8(..) < 8;
            let ms = if is_slow { chance.u64(0..2000) } else { chance.u64(0..4) };
            (ms, is_trouble && chance.u8(..) < self.failures)
        };
        if ms > 0 {
            sleep(Duration::from_millis(ms)).await;
        }
        if fails { Err(StoreError::Failed("no luck".into())) } else { Ok(()) }
    }

    fn commit(&self, commit: Commit, is_shared: bool) -> Result<Hearers, StoreError> {
        let mut shared = self.shared.lock().unwrap();
        let version = shared.group_version;
        let last = shared.commits.entry(commit.message_no).or_default();
        if is_shared {
            if *last == commit.id {
                return Ok(Hearers::Perhaps);
            }
            if commit.group.as_ref().is_some_and(|seen| seen.version != version) {
                return Err(StoreError::GroupChanged);
            }
            if commit.after.is_some_and(|after| after != *last) {
                return Err(StoreError::Conflict);
            }
        }
        at_once(self.inner.commit(commit.clone()))?;
        *last = commit.id;
        self.history().committed(&commit);
        let mut air = self.air.lock().unwrap();
        let hearers = air.hearers(commit.in_group);
        if let Some(record) = commit.record {
            air.record(record);
        }
        Ok(hearers)
    }

    fn last_commit(&self, message_no: i64) -> u64 {
        self.shared.lock().unwrap().commits.get(&message_no).copied().unwrap_or_default()
    }

    fn group_version(&self) -> u64 {
        self.shared.lock().unwrap().group_version
    }

    fn members_change(&self) {
        self.shared.lock().unwrap().group_version += 1;
    }

    /// Nobody who may be one is left out.
    pub(crate) fn was_ever_member(&self, user: &str) -> bool {
        self.shared.lock().unwrap().ever.contains(user)
    }
}

impl Node {
    pub(crate) fn new(disk: &Arc<Disk>, is_shared: bool) -> Self {
        let bus = is_shared.then(|| Arc::new(NodeBus::new(Arc::clone(disk))));
        Self { disk: Arc::clone(disk), bus }
    }

    /// Does what is asked, between two times that it takes.
    async fn after_a_while<T>(
        &self,
        work: impl FnOnce(&Disk) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.disk.takes_time().await?;
        let done = work(&self.disk)?;
        self.disk.takes_time().await?;
        Ok(done)
    }
}

#[async_trait]
impl Store for Node {
    fn is_shared(&self) -> bool {
        self.bus.is_some()
    }
    fn bus(&self) -> Option<Arc<dyn Bus>> {
        self.bus.clone().map(|bus| bus as Arc<dyn Bus>)
    }
    async fn commit(&self, commit: Commit) -> Result<Hearers, StoreError> {
        self.disk.takes_time().await?;
        let hearers = self.disk.commit(commit, self.is_shared())?;
        self.disk.takes_time().await?;
        Ok(hearers)
    }
    async fn load(&self, message_no: i64) -> Result<Option<Loaded>, StoreError> {
        self.after_a_while(|disk| {
            let loaded = at_once(disk.inner.load(message_no))?;
            let commit = disk.last_commit(message_no);
            Ok(loaded.map(|loaded| Loaded { commit, ..loaded }))
        })
        .await
    }
    async fn last_commit(&self, message_no: i64) -> Result<Option<u64>, StoreError> {
        self.after_a_while(|disk| Ok(Some(disk.last_commit(message_no)))).await
    }
    async fn head(&self, message_no: i64) -> Result<Option<Head>, StoreError> {
        self.after_a_while(|disk| at_once(disk.inner.head(message_no))).await
    }
    async fn answer(
        &self,
        message_no: i64,
        caller: &str,
        request_id: u128,
    ) -> Result<Option<String>, StoreError> {
        self.after_a_while(|disk| at_once(disk.inner.answer(message_no, caller, request_id))).await
    }
    async fn add_members(&self, group_id: &str, users: Vec<String>) -> Result<Option<Vec<bool>>, StoreError> {
        self.after_a_while(|disk| {
            disk.members_change();
            for user in &users {
                disk.shared.lock().unwrap().ever.insert(user.clone());
                disk.history().joined(user);
            }
            at_once(disk.inner.add_members(group_id, users))
        })
        .await
    }
    async fn remove_members(
        &self,
        group_id: &str,
        users: Vec<String>,
    ) -> Result<Option<Vec<bool>>, StoreError> {
        let removed = self
            .after_a_while(|disk| {
                disk.members_change();
                if self.is_shared() {
                    users.iter().for_each(|user| disk.history().left(user));
                }
                at_once(disk.inner.remove_members(group_id, users.clone()))
            })
            .await;
        // One server alone goes by what it has in memory until it has the answer.
        if removed.is_ok() {
            users.iter().for_each(|user| self.disk.history().left(user));
        }
        removed
    }
    async fn group(&self, group_id: &str) -> Result<Option<Group>, StoreError> {
        self.after_a_while(|disk| {
            let version = disk.group_version();
            Ok(at_once(disk.inner.group(group_id))?.map(|group| Group { version, ..group }))
        })
        .await
    }
    async fn group_version(&self, group_id: &str) -> Result<Option<(i64, u64)>, StoreError> {
        self.after_a_while(|disk| {
            let version = disk.group_version();
            Ok(at_once(disk.inner.group(group_id))?.map(|group| (group.no, version)))
        })
        .await
    }
    async fn find_messages(&self, name: &MessageName) -> Result<Vec<StoredMessage>, StoreError> {
        self.after_a_while(|disk| at_once(disk.inner.find_messages(name))).await
    }

    // Nobody in this world does any of these.
    async fn create_group(&self, group: NewGroup) -> Result<bool, StoreError> {
        self.disk.inner.create_group(group).await
    }
    async fn destroy_group(&self, group_id: &str) -> Result<Option<HashSet<String>>, StoreError> {
        self.disk.inner.destroy_group(group_id).await
    }
    async fn insert_message(&self, message: NewMessage) -> Result<Option<Inserted>, StoreError> {
        self.disk.inner.insert_message(message).await
    }
    async fn list_c2c(&self, page: C2cPage) -> Result<Vec<StoredMessage>, StoreError> {
        self.disk.inner.list_c2c(page).await
    }
    async fn list_group(
        &self,
        group_no: i64,
        max_seq: Option<u64>,
        count: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        self.disk.inner.list_group(group_no, max_seq, count).await
    }
    async fn webhook_messages(&self, after: i64, count: usize) -> Result<Vec<i64>, StoreError> {
        self.disk.inner.webhook_messages(after, count).await
    }
    async fn webhooks(&self, message_no: i64, count: usize) -> Result<Vec<Webhook>, StoreError> {
        self.disk.inner.webhooks(message_no, count).await
    }
    async fn remove_webhooks(&self, received: Vec<(i64, u64)>) -> Result<usize, StoreError> {
        self.disk.inner.remove_webhooks(received).await
    }
    async fn trim_webhooks(&self, keep: usize, since: u64) -> Result<Trimmed, StoreError> {
        self.disk.inner.trim_webhooks(keep, since).await
    }
    async fn archive(&self, message_no: i64) -> Result<Option<Archive>, StoreError> {
        self.disk.inner.archive(message_no).await
    }
    async fn expire(&self, before_ms: u64, count: usize) -> Result<Vec<StoredMessage>, StoreError> {
        self.disk.inner.expire(before_ms, count).await
    }
    async fn close(&self) {}
}
