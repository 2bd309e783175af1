//! The engine: one Redis or Valkey server, or a cluster of them. Knows which master has which bucket, follows when one moves
//! or fails, and gives an answer within a time limit. Of what is kept it knows nothing.

mod node;
mod slots;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, ProtocolVersion, RedisError, ServerErrorKind,
    Value,
};
use tokio::time::{Instant, sleep};

use self::node::Node;
use self::slots::Slots;
use super::keys::Bucket;
use super::script::Call;
use crate::store::StoreError;

/// How long something is tried: less than clients wait.
const TIME_LIMIT: Duration = Duration::from_secs(8);
/// Between two attempts while a master is gone.
const PAUSE: Duration = Duration::from_millis(50);

/// Which servers, and how careful.
#[derive(Debug, Clone)]
pub struct Servers {
    /// `redis://` or `rediss://` URLs with user and password if need be; of a cluster any of its servers.
    pub urls: Vec<String>,
    /// What all keys begin with, so that several can share the servers; without braces.
    pub prefix: String,
    /// How many replicas must have a write before it counts.
    pub replicas: usize,
    /// How long they have for it.
    pub replica_timeout: Duration,
}

/// A server's address, as the cluster itself names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Address {
    host: String,
    port: u16,
}

pub(super) struct Engine {
    servers: Servers,
    slots: Mutex<Arc<Slots>>,
    /// One look at a time.
    looking: tokio::sync::Mutex<()>,
    nodes: Mutex<HashMap<Address, Node>>,
}

/// Why a master did not do what it was asked to.
#[derive(Debug)]
enum Trouble {
    /// Another one has the bucket.
    Moved(Address),
    /// Another one is just taking it over.
    Asked(Address),
    /// It may go better soon; what was sent may have been done.
    Passing(String),
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
        Ok(Self {
            servers,
            slots: Mutex::new(Arc::new(slots)),
            looking: tokio::sync::Mutex::default(),
            nodes: Mutex::default(),
        })
    }

    /// Something that changes nothing.
    pub(super) async fn read<T: FromRedisValue>(&self, bucket: Bucket, call: Call) -> Result<T, StoreError> {
        only(self.run(bucket, Arc::new([call]), false).await?)
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
        only(self.run(bucket, Arc::new([call]), true).await?)
    }

    /// Several of one bucket: all or none, with nothing between them.
    pub(super) async fn write_together(
        &self,
        bucket: Bucket,
        calls: Vec<Call>,
    ) -> Result<Vec<Value>, StoreError> {
        self.run(bucket, calls.into(), true).await
    }

    async fn run(
        &self,
        bucket: Bucket,
        calls: Arc<[Call]>,
        is_write: bool,
    ) -> Result<Vec<Value>, StoreError> {
        let begun = Instant::now();
        let mut told = None;
        loop {
            let (address, asking) = match told.take() {
                Some((address, asking)) => (address, asking),
                None => (self.slots().master(bucket), false),
            };
            let done = match &address {
                Some(address) => self.node(address).run(Arc::clone(&calls), is_write, asking).await,
                None => Err(Trouble::Passing("no master has the slot".into())),
            };
            let why = match done {
                Ok(values) => return Ok(values),
                Err(Trouble::Moved(to)) => {
                    self.look_again().await;
                    let why = format!("the slot moves on to {}:{}", to.host, to.port);
                    told = Some((Some(to), false));
                    why
                }
                Err(Trouble::Asked(to)) => {
                    told = Some((Some(to), true));
                    "the slot is being moved".into()
                }
                Err(Trouble::Passing(why)) => {
                    if let Some(address) = &address {
                        self.nodes().remove(address);
                    }
                    sleep(PAUSE).await;
                    self.look_again().await;
                    why
                }
                Err(Trouble::Unacknowledged) => {
                    return Err(StoreError::Failed(
                        "too few replicas have acknowledged a write in time".into(),
                    ));
                }
                // Its text was sent along.
                Err(Trouble::UnknownScript) => "a script was not kept".into(),
                Err(Trouble::Lasting(why)) => return Err(StoreError::Failed(why)),
            };
            if begun.elapsed() > TIME_LIMIT {
                return Err(StoreError::Failed(format!("{why}, for {} s", TIME_LIMIT.as_secs())));
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

    /// Whether a write waits for replicas.
    pub(super) const fn has_replicas(&self) -> bool {
        self.servers.replicas > 0
    }

    fn node(&self, address: &Address) -> Node {
        let mut nodes = self.nodes();
        nodes.entry(address.clone()).or_insert_with(|| Node::new(address, &self.servers)).clone()
    }

    /// Who has what may have changed.
    pub(super) async fn look_again(&self) {
        let before = self.slots();
        let _one = self.looking.lock().await;
        // Somebody has looked meanwhile.
        if !Arc::ptr_eq(&before, &self.slots()) {
            return;
        }
        match Slots::look_at(&self.servers, before.addresses()).await {
            Ok(slots) => *self.slots_lock() = Arc::new(slots),
            Err(why) => tracing::warn!(why, "nobody could say which master has which slot"),
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
