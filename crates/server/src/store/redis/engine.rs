//! The engine: one Redis or Valkey server, or a cluster of them. Knows which master has which bucket, follows when one moves
//! or fails, and gives an answer within a time limit. Of what is kept it knows nothing.

mod advice;
mod node;
mod slots;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, ProtocolVersion, RedisError, ServerErrorKind,
    Value,
};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use self::node::{Job, Node, Target};
use self::slots::Slots;
use super::keys::Bucket;
use super::metrics::EngineMetrics;
use super::script::Call;
use super::servers::Servers;
use crate::store::StoreError;

/// How long something is tried. Whoever waits for the turn of others on a message waits twice as long: less than clients do.
const TIME_LIMIT: Duration = Duration::from_secs(5);
/// Between two attempts while a master is gone.
const PAUSE: Duration = Duration::from_millis(50);

/// A server's address, as the cluster itself names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Address {
    host: String,
    port: u16,
}

pub(super) struct Engine {
    servers: Servers,
    /// How many replicas must have a write before it counts.
    replicas: usize,
    slots: Mutex<Arc<Slots>>,
    /// One look at a time.
    looking: tokio::sync::Mutex<()>,
    /// How often it was looked, whatever was seen.
    looks: AtomicU64,
    /// Slots have gone to other masters.
    moved: Notify,
    nodes: Mutex<HashMap<Address, Node>>,
    pub(super) metrics: EngineMetrics,
}

/// What is asked of a master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// What changes nothing.
    Read,
    /// What is done when the replicas have it.
    Write,
}

/// What came back.
struct Done {
    values: Vec<Value>,
    /// It had been sent before, and nobody knows whether it was done then.
    is_repeated: bool,
}

/// Why a master did not do what it was asked to.
#[derive(Debug)]
enum Trouble {
    /// Another one has the bucket. Without a host it is the one that was asked.
    Moved(Address),
    /// Another one is just taking it over.
    Asked(Address),
    /// It was not done; it may go better soon.
    Passing(String),
    /// The same, but what was sent may have been done.
    Lost(String),
    /// Too few replicas have it.
    Unacknowledged,
    /// It has not seen the script yet.
    UnknownScript,
    /// It would not go better.
    Lasting(String),
}

impl Engine {
    pub(super) async fn connect(servers: Servers) -> Result<Self, String> {
        let slots = Slots::look(&servers).await?;
        let replicas = servers.replicas.unwrap_or(match slots {
            Slots::One(_) => 0,
            Slots::Cluster { .. } => 1,
        });
        advice::give(&servers, &slots, replicas).await;
        Ok(Self {
            servers,
            replicas,
            slots: Mutex::new(Arc::new(slots)),
            looking: tokio::sync::Mutex::default(),
            looks: AtomicU64::default(),
            moved: Notify::new(),
            nodes: Mutex::default(),
            metrics: EngineMetrics::default(),
        })
    }

    /// Something that changes nothing. What it sees may still be lost, when its master fails before a replica has it.
    pub(super) async fn read<T: FromRedisValue>(&self, bucket: Bucket, call: Call) -> Result<T, StoreError> {
        only(self.run(bucket, Arc::new([call]), Kind::Read).await?.values)
    }

    /// The same, of which everything is on the replicas, whoever wrote it.
    pub(super) async fn read_settled<T: FromRedisValue>(
        &self,
        bucket: Bucket,
        call: Call,
    ) -> Result<T, StoreError> {
        let kind = if self.replicas > 0 { Kind::Write } else { Kind::Read };
        only(self.run(bucket, Arc::new([call]), kind).await?.values)
    }

    /// Several that change nothing, each in a bucket of its own, at once.
    pub(super) async fn read_each<T: FromRedisValue>(
        &self,
        calls: Vec<(Bucket, Call)>,
    ) -> Result<Vec<T>, StoreError> {
        try_join_all(calls.into_iter().map(|(bucket, call)| self.read(bucket, call))).await
    }

    /// Something that is on the replicas, too, when it is answered. It may be done more than once, if an answer is lost.
    pub(super) async fn write<T: FromRedisValue>(&self, bucket: Bucket, call: Call) -> Result<T, StoreError> {
        only(self.run(bucket, Arc::new([call]), Kind::Write).await?.values)
    }

    /// The same, and whether it had been sent before, so that the answer may be that of a second time.
    pub(super) async fn write_noting_repeats<T: FromRedisValue>(
        &self,
        bucket: Bucket,
        call: Call,
    ) -> Result<(T, bool), StoreError> {
        let done = self.run(bucket, Arc::new([call]), Kind::Write).await?;
        Ok((only(done.values)?, done.is_repeated))
    }

    /// Several of one bucket: all or none, with nothing between them.
    pub(super) async fn write_together(
        &self,
        bucket: Bucket,
        calls: Vec<Call>,
    ) -> Result<Vec<Value>, StoreError> {
        Ok(self.run(bucket, calls.into(), Kind::Write).await?.values)
    }

    async fn run(&self, bucket: Bucket, calls: Arc<[Call]>, kind: Kind) -> Result<Done, StoreError> {
        let mut why = String::from("no master has answered");
        match timeout(TIME_LIMIT, self.try_on(bucket, calls, kind, &mut why)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Failed(format!("{why}, for {} s", TIME_LIMIT.as_secs()))),
        }
    }

    /// Tries until it is done, or it would not go better.
    async fn try_on(
        &self,
        bucket: Bucket,
        calls: Arc<[Call]>,
        kind: Kind,
        why: &mut String,
    ) -> Result<Done, StoreError> {
        let (mut told, mut hops, mut is_repeated) = (None, 0, false);
        loop {
            let (address, asking) = match told.take() {
                Some((address, asking)) => (Some(address), asking),
                None => (self.slots().master(bucket), false),
            };
            let done = match &address {
                Some(address) => self.ask(address, bucket, &calls, kind, asking).await,
                None => Err(Trouble::Passing("no master has the slot".into())),
            };
            let at = |to: Address| match &address {
                Some(asked) if to.host.is_empty() => Address { host: asked.host.clone(), ..to },
                _ => to,
            };
            match done {
                Ok(values) => return Ok(Done { values, is_repeated }),
                Err(Trouble::Moved(to)) => {
                    self.metrics.redirections.inc();
                    let to = at(to);
                    *why = format!("the slot moves on to {}:{}", to.host, to.port);
                    // Who is told again and again is told by servers that do not agree yet.
                    hops += 1;
                    if hops > 2 {
                        sleep(PAUSE).await;
                    }
                    self.look_again().await;
                    told = Some((to, false));
                }
                Err(Trouble::Asked(to)) => {
                    self.metrics.redirections.inc();
                    *why = "the slot is being moved".into();
                    told = Some((at(to), true));
                }
                Err(trouble @ (Trouble::Passing(_) | Trouble::Lost(_))) => {
                    self.metrics.failures.inc();
                    is_repeated |= matches!(trouble, Trouble::Lost(_));
                    if let Trouble::Passing(text) | Trouble::Lost(text) = trouble {
                        *why = text;
                    }
                    sleep(PAUSE).await;
                    self.look_again().await;
                }
                Err(Trouble::Unacknowledged) => {
                    self.metrics.unacknowledged.inc();
                    let text = "too few replicas have acknowledged a write in time";
                    return Err(StoreError::Failed(text.into()));
                }
                // Its text was sent along.
                Err(Trouble::UnknownScript) => {
                    *why = "a script was not kept".into();
                    sleep(PAUSE).await;
                }
                Err(Trouble::Lasting(why)) => return Err(StoreError::Failed(why)),
            }
        }
    }

    async fn ask(
        &self,
        address: &Address,
        bucket: Bucket,
        calls: &Arc<[Call]>,
        kind: Kind,
        asking: bool,
    ) -> Result<Vec<Value>, Trouble> {
        let job = Job::new(bucket, Arc::clone(calls), asking);
        let node = self.node(address);
        match kind {
            Kind::Read => node.read(job).await,
            Kind::Write => {
                let _waiting = self.metrics.waiting();
                node.write(job).await
            }
        }
    }

    /// A connection of its own to the bucket's master, and whose it is; what is told there goes to `heard`.
    pub(super) async fn listener(
        &self,
        address: &Address,
        heard: impl redis::aio::AsyncPushSender,
    ) -> Result<MultiplexedConnection, StoreError> {
        let url = self.servers.urls.first().map(String::as_str).unwrap_or_default();
        let connected = async {
            let info = address.info(url)?;
            let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
            let client = Client::open(info.set_redis_settings(settings))?;
            let config = AsyncConnectionConfig::new().set_push_sender(heard);
            client.get_multiplexed_async_connection_with_config(&config).await
        };
        connected.await.map_err(|error: RedisError| StoreError::Failed(error.to_string()))
    }

    /// The bucket's master.
    pub(super) fn master(&self, bucket: Bucket) -> Result<Address, StoreError> {
        self.slots().master(bucket).ok_or_else(|| StoreError::Failed("no master has the slot".into()))
    }

    pub(super) fn prefix(&self) -> &str {
        &self.servers.prefix
    }

    /// Every master that has a bucket, by one bucket of each.
    pub(super) fn masters(&self) -> Vec<Bucket> {
        let slots = self.slots();
        let mut seen = HashMap::new();
        for bucket in Bucket::all() {
            seen.entry(slots.master(bucket)).or_insert(bucket);
        }
        seen.into_values().collect()
    }

    fn node(&self, address: &Address) -> Node {
        let target = || Target::new(address, &self.servers, self.replicas, &self.metrics);
        self.nodes().entry(address.clone()).or_insert_with(|| Node::new(target())).clone()
    }

    /// Who has what may have changed. Many ask at once when a master fails, and one looks for all of them.
    pub(super) async fn look_again(&self) {
        let before = self.looks.load(Ordering::SeqCst);
        let _one = self.looking.lock().await;
        if self.looks.load(Ordering::SeqCst) != before {
            return;
        }
        match Slots::look_at(&self.servers, self.slots().masters()).await {
            Ok(slots) => {
                if slots.differs(&self.slots()) {
                    self.moved.notify_one();
                }
                let masters = slots.masters();
                self.nodes().retain(|address, _| masters.contains(address));
                *self.slots_lock() = Arc::new(slots);
            }
            Err(why) => tracing::warn!(why, "nobody could say which master has which slot"),
        }
        self.looks.fetch_add(1, Ordering::SeqCst);
    }

    /// Resolves when slots have gone to other masters, once.
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }

    /// Looks whether slots have gone to other masters, since nobody is told.
    pub(super) async fn watch(&self) {
        if matches!(*self.slots(), Slots::Cluster { .. }) {
            self.look_again().await;
        }
    }

    fn slots(&self) -> Arc<Slots> {
        Arc::clone(&self.slots_lock())
    }

    fn slots_lock(&self) -> MutexGuard<'_, Arc<Slots>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn nodes(&self) -> MutexGuard<'_, HashMap<Address, Node>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn only<T: FromRedisValue>(values: Vec<Value>) -> Result<T, StoreError> {
    parsed(values.into_iter().next().unwrap_or_default())
}

/// What a script has answered.
pub(super) fn parsed<T: FromRedisValue>(value: Value) -> Result<T, StoreError> {
    T::from_redis_value(value)
        .map_err(|error| StoreError::Failed(format!("an answer of the engine is unusable: {error}")))
}

/// What a server has said of one call, which it did not do then.
impl From<RedisError> for Trouble {
    fn from(error: RedisError) -> Self {
        let redirected = error.redirect_node().and_then(|(to, _)| {
            let (host, port) = to.rsplit_once(':')?;
            Some(Address { host: host.to_owned(), port: port.parse().ok()? })
        });
        match (error.kind(), redirected) {
            (ErrorKind::Server(ServerErrorKind::Moved), Some(to)) => Self::Moved(to),
            (ErrorKind::Server(ServerErrorKind::Ask), Some(to)) => Self::Asked(to),
            (ErrorKind::Server(ServerErrorKind::NoScript), _) => Self::UnknownScript,
            (
                ErrorKind::Io
                | ErrorKind::Client
                | ErrorKind::Server(
                    ServerErrorKind::TryAgain
                    | ServerErrorKind::ClusterDown
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::BusyLoading
                    | ServerErrorKind::ReadOnly,
                ),
                _,
            ) => Self::Passing(error.to_string()),
            _ => Self::Lasting(error.to_string()),
        }
    }
}
