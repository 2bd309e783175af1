//! Sharded pub/sub between nodes: a topic's channel is in the slot of what it is about, so each master carries its share.
//!
//! When a connection is lost, or slots go elsewhere, everything is listened to anew and [`Heard::Lost`] is said once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::{FromRedisValue, PushInfo, PushKind, Value, cmd};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::engine::{Address, Engine};
use super::groups::of_user_key;
use super::keys::Bucket;
use super::script::{BEAT, Call, LEAD};
use crate::store::{Bus, Heard, StoreError, Topic};

/// How long what was committed is in the log at least: until everybody has noticed that a node is dead, and looked.
pub(super) const LOG_MS: u64 = 60_000;
/// A node that says nothing for so long is dead.
const SILENCE_MS: u64 = 3000;
/// Between two attempts to listen again.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct RedisBus {
    engine: Arc<Engine>,
    /// What is listened to, by channel.
    wanted: Mutex<HashMap<String, Topic>>,
    connections: tokio::sync::Mutex<HashMap<Address, MultiplexedConnection>>,
    /// Counts how often everything was listened to anew; what older connections say is past.
    round: Arc<AtomicU64>,
    said: mpsc::UnboundedSender<(u64, PushInfo)>,
    heard: tokio::sync::Mutex<mpsc::UnboundedReceiver<(u64, PushInfo)>>,
}

/// Passes on what a connection says.
struct Passing {
    round: u64,
    to: mpsc::UnboundedSender<(u64, PushInfo)>,
}

impl AsyncPushSender for Passing {
    fn send(&self, info: PushInfo) -> Result<(), redis::aio::SendError> {
        self.to.send((self.round, info)).map_err(|_| redis::aio::SendError)
    }
}

/// What is committed in the bucket.
pub(super) fn log_key(bucket: Bucket) -> String {
    bucket.key("log", "")
}

fn bucket_of(topic: &Topic) -> Bucket {
    match topic {
        Topic::User(user) => Bucket::of_recipient(user),
        Topic::Group(group_id) => Bucket::of_group(group_id),
        Topic::Webhooks => nodes_bucket(),
    }
}

/// Of what concerns the nodes and no conversation.
fn nodes_bucket() -> Bucket {
    Bucket::of_group("")
}

/// Without the prefix.
pub(super) fn channel(topic: &Topic) -> String {
    match topic {
        Topic::User(user) => bucket_of(topic).key("user", user),
        Topic::Group(group_id) => bucket_of(topic).key("in-group", group_id),
        Topic::Webhooks => bucket_of(topic).key("told", "webhooks"),
    }
}

impl RedisBus {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        let (said, heard) = mpsc::unbounded_channel();
        Self {
            engine,
            wanted: Mutex::default(),
            connections: tokio::sync::Mutex::default(),
            round: Arc::default(),
            said,
            heard: tokio::sync::Mutex::new(heard),
        }
    }

    fn full_channel(&self, topic: &Topic) -> String {
        format!("{}{}", self.engine.prefix(), channel(topic))
    }

    async fn subscribe(&self, command: &str, topic: &Topic) -> Result<(), StoreError> {
        let address = self.engine.master(bucket_of(topic))?;
        let mut connection = {
            let mut connections = self.connections.lock().await;
            match connections.get(&address) {
                Some(connection) => connection.clone(),
                None => {
                    let passing = Passing { round: self.round.load(Ordering::SeqCst), to: self.said.clone() };
                    let connection = self.engine.listener(&address, passing).await?;
                    connections.insert(address, connection.clone());
                    connection
                }
            }
        };
        let mut subscribe = cmd(command);
        subscribe.arg(self.full_channel(topic));
        let done = connection.send_packed_command(&subscribe).await;
        match done {
            Ok(Value::ServerError(error)) => {
                Err(StoreError::Failed(redis::RedisError::from(error).to_string()))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(StoreError::Failed(error.to_string())),
        }
    }

    /// Listens to everything anew, until it works.
    async fn restore(&self) {
        loop {
            self.round.fetch_add(1, Ordering::SeqCst);
            self.connections.lock().await.clear();
            self.engine.look_again().await;
            // What it has found is known.
            let _ = self.engine.moved().now_or_never();
            let wanted: Vec<_> = self.wanted().values().cloned().collect();
            let all = wanted.iter().map(|topic| self.subscribe("SSUBSCRIBE", topic));
            match futures_util::future::try_join_all(all).await {
                Ok(_) => return,
                Err(error) => tracing::warn!(%error, "other nodes cannot be heard"),
            }
            sleep(PAUSE).await;
        }
    }

    fn wanted(&self) -> MutexGuard<'_, HashMap<String, Topic>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log_call(bucket: Bucket) -> Call {
    Call::command("XRANGE", log_key(bucket)).args(["-", "+"])
}

fn records(rows: Vec<(String, Vec<String>)>) -> Vec<Arc<str>> {
    rows.into_iter().filter_map(|(_, fields)| fields.into_iter().nth(1)).map(Arc::from).collect()
}

#[async_trait]
impl Bus for RedisBus {
    async fn listen(&self, topic: &Topic) -> Result<(), StoreError> {
        self.wanted().insert(self.full_channel(topic), topic.clone());
        let mut outcome = Ok(());
        for _ in 0..3 {
            outcome = self.subscribe("SSUBSCRIBE", topic).await;
            if outcome.is_ok() {
                break;
            }
            self.engine.look_again().await;
            sleep(PAUSE).await;
        }
        outcome
    }

    async fn unlisten(&self, topic: &Topic) {
        self.wanted().remove(&self.full_channel(topic));
        // What is heard of it all the same is nobody's.
        let _ = self.subscribe("SUNSUBSCRIBE", topic).await;
    }

    async fn tell(&self, topic: &Topic, notice: &str) -> Result<(), StoreError> {
        let call = Call::command("SPUBLISH", channel(topic)).arg(notice);
        self.engine.read::<Value>(bucket_of(topic), call).await.map(drop)
    }

    async fn hear(&self) -> Heard {
        let mut heard = self.heard.lock().await;
        loop {
            let (round, info) = tokio::select! {
                Some(said) = heard.recv() => said,
                // While a master is replaced something may be told to nobody, and no connection breaks.
                () = self.engine.moved() => {
                    self.restore().await;
                    return Heard::Lost;
                }
            };
            if round != self.round.load(Ordering::SeqCst) {
                continue;
            }
            let mut text =
                info.data.into_iter().map(|value| String::from_redis_value(value).unwrap_or_default());
            let channel = text.next().unwrap_or_default();
            let is_lost = match info.kind {
                PushKind::SMessage => return Heard::Notice(text.next().unwrap_or_default()),
                PushKind::Disconnection => true,
                PushKind::SUnsubscribe => self.wanted().contains_key(&channel),
                _ => false,
            };
            if is_lost {
                self.restore().await;
                return Heard::Lost;
            }
        }
    }

    async fn groups_of(&self, user: &str) -> Result<Vec<String>, StoreError> {
        let call = Call::command("SMEMBERS", of_user_key(user));
        self.engine.read(Bucket::of_recipient(user), call).await
    }

    async fn log_of(&self, message_no: i64, count: usize) -> Result<Vec<Arc<str>>, StoreError> {
        let bucket = Bucket::of_no(message_no);
        let call = Call::command("XREVRANGE", log_key(bucket)).args(["+", "-", "COUNT"]).number(count);
        // [id, [name, record]] of each.
        let mut rows: Vec<(String, Vec<String>)> = self.engine.read(bucket, call).await?;
        rows.reverse();
        Ok(records(rows))
    }

    async fn whole_log(&self) -> Result<Vec<Arc<str>>, StoreError> {
        let calls = Bucket::all().map(|bucket| (bucket, log_call(bucket))).collect();
        let logs = self.engine.read_each::<Vec<(String, Vec<String>)>>(calls).await?;
        Ok(logs.into_iter().flat_map(records).collect())
    }

    async fn lead(&self, node: &str, duration: Duration) -> Result<bool, StoreError> {
        let bucket = nodes_bucket();
        let call = Call::new(&LEAD, vec![bucket.key("leader", "")]).arg(node).number(duration.as_millis());
        self.engine.read(bucket, call).await
    }

    async fn beat(&self, node: &str) -> Result<Vec<String>, StoreError> {
        self.engine.watch().await;
        let bucket = nodes_bucket();
        let call = Call::new(&BEAT, vec![bucket.key("nodes", "")]).arg(node).number(SILENCE_MS);
        self.engine.read(bucket, call).await
    }
}
