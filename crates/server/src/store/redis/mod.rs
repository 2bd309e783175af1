//! The store of many nodes: a Redis or Valkey server, or a cluster of them, in which the work is shared by conversation.
//!
//! | file | what |
//! |---|---|
//! | `servers` | the servers as the operator names them |
//! | `engine` | which master has what; batches, replicas, failover; what is said of the servers' settings at the start |
//! | `keys` | buckets and the names of keys |
//! | `script`, `lua/` | what the engine runs in one step |
//! | `bus` | sharded pub/sub between nodes, and the log of what was committed lately |
//! | `groups`, `messages`, `extensions`, `frequency`, `webhooks`, `whole` | what the store does with it |

mod bus;
mod engine;
mod extensions;
mod frequency;
mod groups;
mod keys;
mod messages;
mod metrics;
mod script;
mod servers;
mod webhooks;
mod whole;

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::select_ok;
use message_extensions_core::code::Error;
use message_extensions_core::limits::Limits;
use prometheus_client::registry::Registry;

use self::bus::RedisBus;
use self::engine::Engine;
use self::keys::Bucket;
use self::script::{Call, NUMBER};
pub use self::servers::Servers;
use super::{
    Archive, Bus, C2cPage, Commit, Group, Head, Hearers, Inserted, Loaded, MessageName, NewGroup, NewMessage,
    SeenGroup, Store, StoreError, StoredMessage, Trimmed, Webhook,
};

/// Everything on servers that other nodes use, too.
pub struct RedisStore {
    engine: Arc<Engine>,
    bus: Arc<RedisBus>,
}

impl RedisStore {
    /// Finds out who has what; the data stays where it is.
    ///
    /// # Errors
    /// A sentence, when no server answers.
    pub async fn connect(servers: Servers) -> Result<Self, String> {
        // For TLS; somebody may have been faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let engine = Arc::new(Engine::connect(servers).await?);
        Ok(Self { bus: Arc::new(RedisBus::new(Arc::clone(&engine))), engine })
    }

    /// A number that nothing in the bucket has or will have.
    async fn number(&self, bucket: Bucket) -> Result<i64, StoreError> {
        let call = Call::new(&NUMBER, vec![bucket.key("number", "")]);
        Ok(bucket.first_no() + self.engine.write::<i64>(bucket, call).await?)
    }

    async fn touch(&self, bucket: Bucket) -> Result<(), StoreError> {
        let call = Call::command("SET", bucket.key("touched", "")).arg("1");
        self.engine.write::<()>(bucket, call).await
    }
}

/// A number as it stands in keys and lists, so that text is in the order of numbers.
fn digits(no: i64) -> String {
    format!("{no:016}")
}

fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Failed(format!("what is kept cannot be read: {error}"))
}

#[async_trait]
impl Store for RedisStore {
    async fn create_group(&self, group: NewGroup) -> Result<bool, StoreError> {
        groups::create(self, group).await
    }

    async fn destroy_group(&self, group_id: &str) -> Result<Option<HashSet<String>>, StoreError> {
        groups::destroy(self, group_id).await
    }

    async fn add_members(&self, group_id: &str, users: Vec<String>) -> Result<Option<Vec<bool>>, StoreError> {
        groups::add_members(self, group_id, users).await
    }

    async fn remove_members(
        &self,
        group_id: &str,
        users: Vec<String>,
    ) -> Result<Option<Vec<bool>>, StoreError> {
        groups::change_members(self, "SREM", group_id, &users).await
    }

    async fn group(&self, group_id: &str) -> Result<Option<Group>, StoreError> {
        Ok(groups::read(self, group_id).await?.map(|(group, _)| group))
    }

    async fn insert_message(&self, message: NewMessage) -> Result<Option<Inserted>, StoreError> {
        messages::insert(self, message).await
    }

    async fn find_messages(&self, name: &MessageName) -> Result<Vec<StoredMessage>, StoreError> {
        messages::find(self, name).await
    }

    async fn list_c2c(&self, page: C2cPage) -> Result<Vec<StoredMessage>, StoreError> {
        messages::list_c2c(self, page).await
    }

    async fn list_group(
        &self,
        group_no: i64,
        max_seq: Option<u64>,
        count: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        messages::list_group(self, group_no, max_seq, count).await
    }

    async fn head(&self, message_no: i64) -> Result<Option<Head>, StoreError> {
        extensions::head(self, message_no).await
    }

    async fn load(&self, message_no: i64) -> Result<Option<Loaded>, StoreError> {
        extensions::load(self, message_no).await
    }

    async fn commit(&self, commit: Commit) -> Result<Hearers, StoreError> {
        let bucket = Bucket::of_no(commit.message_no);
        let call = extensions::commit(&commit)?;
        match self.engine.write_noting_repeats::<u64>(bucket, call).await? {
            (0, false) => Err(StoreError::Conflict),
            (2, false) => Err(StoreError::GroupChanged),
            // It may have been kept, and others came after it: to decide again could do it twice.
            (0 | 2, true) => {
                Err(StoreError::Failed("the answer to a commit was lost, and others came after it".into()))
            }
            (3, _) => Ok(Hearers::Nobody),
            _ => Ok(Hearers::Perhaps),
        }
    }

    async fn answer(
        &self,
        message_no: i64,
        caller: &str,
        request_id: u128,
    ) -> Result<Option<String>, StoreError> {
        // Its name was loaded or committed, so the replicas have it.
        extensions::answer(self, message_no, caller, request_id).await
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn count_attempts(
        &self,
        message_no: i64,
        group: Option<&SeenGroup>,
        attempts: &[(&str, bool)],
        limits: &Limits,
    ) -> Result<Vec<Result<(), Error>>, StoreError> {
        frequency::count_attempts(self, message_no, group, attempts, limits).await
    }

    async fn count_call(&self, user: &str, name: &str) -> Result<usize, StoreError> {
        frequency::count_call(self, user, name).await
    }

    fn bus(&self) -> Option<Arc<dyn Bus>> {
        Some(Arc::clone(&self.bus) as Arc<dyn Bus>)
    }

    async fn last_commit(&self, message_no: i64) -> Result<Option<u64>, StoreError> {
        extensions::last_commit(self, message_no).await
    }

    async fn group_version(&self, group_id: &str) -> Result<Option<(i64, u64)>, StoreError> {
        groups::version(self, group_id).await
    }

    async fn webhook_messages(&self, after: i64, count: usize) -> Result<Vec<i64>, StoreError> {
        webhooks::messages(self, after, count).await
    }

    async fn webhooks(&self, message_no: i64, count: usize) -> Result<Vec<Webhook>, StoreError> {
        webhooks::of(self, message_no, count).await
    }

    async fn remove_webhooks(&self, received: Vec<(i64, u64)>) -> Result<usize, StoreError> {
        let mut removed = 0;
        for (no, seq) in received {
            removed += webhooks::remove(self, no, seq).await?;
        }
        Ok(removed)
    }

    async fn trim_webhooks(&self, keep: usize, since: u64) -> Result<Trimmed, StoreError> {
        webhooks::trim(self, keep, since).await
    }

    async fn archive(&self, message_no: i64) -> Result<Option<Archive>, StoreError> {
        whole::archive(self, message_no).await
    }

    async fn restore(&self, archive: &Archive) -> Result<Inserted, StoreError> {
        whole::restore(self, archive).await
    }

    async fn expire(&self, before_ms: u64, count: usize) -> Result<Vec<StoredMessage>, StoreError> {
        whole::expire(self, before_ms, count).await
    }

    /// One master that works is enough: while another fails over, no other node could do more than this one.
    async fn check(&self) -> Result<(), StoreError> {
        let masters = self.engine.masters().into_iter().map(|bucket| Box::pin(self.touch(bucket)));
        select_ok(masters).await.map(drop)
    }

    fn register(&self, metrics: &mut Registry) {
        self.engine.metrics.register(metrics);
    }

    /// Every write is done when it is answered.
    async fn close(&self) {}
}
