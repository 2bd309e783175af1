//! A store on Redis that has the flaws that it is told to have.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use message_extensions_server::store::{
    Archive, Bus, C2cPage, Commit, Group, Head, Heard, Hearers, Inserted, Loaded, MessageName, NewGroup,
    NewMessage, RedisStore, Store, StoreError, StoredMessage, Topic, Trimmed, Webhook,
};

/// What a node's store on Redis is like, but for its flaws.
pub(crate) struct FlawedStore {
    inner: RedisStore,
    /// It takes what its node has seen last for what is there, as if nobody compared.
    is_unaware: bool,
    seen: Mutex<HashMap<i64, u64>>,
    /// Between the reading of a message and its answer.
    load_delay: Duration,
    mute: Option<Arc<MuteBus>>,
    /// A message is inserted, and that is not heard of.
    drops_answer: AtomicBool,
}

/// A node that commits and does not live to tell, or cannot; until it is dead it beats.
pub(crate) struct MuteBus {
    inner: Arc<dyn Bus>,
    is_dead: Arc<AtomicBool>,
    knows_it: bool,
}

impl FlawedStore {
    pub(crate) fn on(inner: RedisStore) -> Self {
        Self {
            inner,
            is_unaware: false,
            seen: Mutex::default(),
            load_delay: Duration::ZERO,
            mute: None,
            drops_answer: AtomicBool::default(),
        }
    }

    /// Tells other nodes nothing, and is silent altogether from when `is_dead`.
    pub(crate) fn mute(mut self, is_dead: &Arc<AtomicBool>) -> Self {
        let inner = self.inner.bus().unwrap();
        self.mute = Some(Arc::new(MuteBus { inner, is_dead: Arc::clone(is_dead), knows_it: false }));
        self
    }

    /// Cannot tell other nodes anything.
    pub(crate) fn unheard(mut self) -> Self {
        let inner = self.inner.bus().unwrap();
        self.mute = Some(Arc::new(MuteBus { inner, is_dead: Arc::default(), knows_it: true }));
        self
    }

    /// The answer to the first insert is lost.
    pub(crate) fn forgetful(self) -> Self {
        self.drops_answer.store(true, Ordering::SeqCst);
        self
    }

    pub(crate) fn unaware(self) -> Self {
        Self { is_unaware: true, ..self }
    }

    pub(crate) fn slow(self, load_delay: Duration) -> Self {
        Self { load_delay, ..self }
    }
}

#[async_trait]
impl Store for FlawedStore {
    async fn last_commit(&self, message_no: i64) -> Result<Option<u64>, StoreError> {
        let seen = self.seen.lock().unwrap().get(&message_no).copied();
        if self.is_unaware && seen.is_some() { Ok(seen) } else { self.inner.last_commit(message_no).await }
    }
    async fn load(&self, message_no: i64) -> Result<Option<Loaded>, StoreError> {
        let loaded = self.inner.load(message_no).await?;
        tokio::time::sleep(self.load_delay).await;
        if let Some(loaded) = &loaded {
            self.seen.lock().unwrap().insert(message_no, loaded.commit);
        }
        Ok(loaded)
    }
    async fn commit(&self, commit: Commit) -> Result<Hearers, StoreError> {
        let (no, id) = (commit.message_no, commit.id);
        let hearers = self.inner.commit(commit).await?;
        self.seen.lock().unwrap().insert(no, id);
        Ok(hearers)
    }
    fn is_shared(&self) -> bool {
        true
    }
    fn bus(&self) -> Option<Arc<dyn Bus>> {
        self.mute.clone().map(|mute| mute as Arc<dyn Bus>)
    }
    async fn create_group(&self, group: NewGroup) -> Result<bool, StoreError> {
        self.inner.create_group(group).await
    }
    async fn destroy_group(&self, group_id: &str) -> Result<Option<HashSet<String>>, StoreError> {
        self.inner.destroy_group(group_id).await
    }
    async fn add_members(&self, group_id: &str, users: Vec<String>) -> Result<Option<Vec<bool>>, StoreError> {
        self.inner.add_members(group_id, users).await
    }
    async fn remove_members(
        &self,
        group_id: &str,
        users: Vec<String>,
    ) -> Result<Option<Vec<bool>>, StoreError> {
        self.inner.remove_members(group_id, users).await
    }
    async fn group(&self, group_id: &str) -> Result<Option<Group>, StoreError> {
        self.inner.group(group_id).await
    }
    async fn group_version(&self, group_id: &str) -> Result<Option<(i64, u64)>, StoreError> {
        self.inner.group_version(group_id).await
    }
    async fn insert_message(&self, message: NewMessage) -> Result<Option<Inserted>, StoreError> {
        let inserted = self.inner.insert_message(message).await;
        if self.drops_answer.swap(false, Ordering::SeqCst) {
            return Err(StoreError::Failed("as planned".into()));
        }
        inserted
    }
    async fn find_messages(&self, name: &MessageName) -> Result<Vec<StoredMessage>, StoreError> {
        self.inner.find_messages(name).await
    }
    async fn list_c2c(&self, page: C2cPage) -> Result<Vec<StoredMessage>, StoreError> {
        self.inner.list_c2c(page).await
    }
    async fn list_group(
        &self,
        group_no: i64,
        max_seq: Option<u64>,
        count: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        self.inner.list_group(group_no, max_seq, count).await
    }
    async fn head(&self, message_no: i64) -> Result<Option<Head>, StoreError> {
        self.inner.head(message_no).await
    }
    async fn answer(
        &self,
        message_no: i64,
        caller: &str,
        request_id: u128,
    ) -> Result<Option<String>, StoreError> {
        self.inner.answer(message_no, caller, request_id).await
    }
    async fn webhook_messages(&self, after: i64, count: usize) -> Result<Vec<i64>, StoreError> {
        self.inner.webhook_messages(after, count).await
    }
    async fn webhooks(&self, message_no: i64, count: usize) -> Result<Vec<Webhook>, StoreError> {
        self.inner.webhooks(message_no, count).await
    }
    async fn remove_webhooks(&self, received: Vec<(i64, u64)>) -> Result<usize, StoreError> {
        self.inner.remove_webhooks(received).await
    }
    async fn trim_webhooks(&self, keep: usize, since: u64) -> Result<Trimmed, StoreError> {
        self.inner.trim_webhooks(keep, since).await
    }
    async fn archive(&self, message_no: i64) -> Result<Option<Archive>, StoreError> {
        self.inner.archive(message_no).await
    }
    async fn expire(&self, before_ms: u64, count: usize) -> Result<Vec<StoredMessage>, StoreError> {
        self.inner.expire(before_ms, count).await
    }
    async fn close(&self) {
        self.inner.close().await;
    }
}

#[async_trait]
impl Bus for MuteBus {
    async fn tell(&self, _: &Topic, _: &str) -> Result<(), StoreError> {
        if self.knows_it { Err(StoreError::Failed("as planned".into())) } else { Ok(()) }
    }
    async fn beat(&self, node: &str) -> Result<Vec<String>, StoreError> {
        if self.is_dead.load(Ordering::SeqCst) {
            std::future::pending().await
        } else {
            self.inner.beat(node).await
        }
    }
    async fn listen(&self, topic: &Topic) -> Result<(), StoreError> {
        self.inner.listen(topic).await
    }
    async fn unlisten(&self, topic: &Topic) {
        self.inner.unlisten(topic).await;
    }
    async fn hear(&self) -> Heard {
        self.inner.hear().await
    }
    async fn groups_of(&self, user: &str) -> Result<Vec<String>, StoreError> {
        self.inner.groups_of(user).await
    }
    async fn log_of(&self, message_no: i64, count: usize) -> Result<Vec<Arc<str>>, StoreError> {
        self.inner.log_of(message_no, count).await
    }
    async fn whole_log(&self) -> Result<Vec<Arc<str>>, StoreError> {
        self.inner.whole_log().await
    }
    async fn lead(&self, node: &str, duration: Duration) -> Result<bool, StoreError> {
        self.inner.lead(node, duration).await
    }
}
