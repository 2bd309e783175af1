//! Which master has which slot.

use std::collections::{BTreeMap, BTreeSet};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, IntoConnectionInfo, Value, cmd};

use super::node::CONNECT;
use super::{Address, Servers};
use crate::store::redis::keys::Bucket;

pub(super) enum Slots {
    /// No cluster: one server has everything.
    One(Address),
    Cluster {
        /// By the last slot of each range.
        masters: BTreeMap<u16, (u16, Address)>,
        /// Of each master.
        replicas: BTreeMap<Address, BTreeSet<Address>>,
    },
}

impl Slots {
    /// Asks the servers that the operator has named.
    pub(super) async fn look(servers: &Servers) -> Result<Self, String> {
        Self::look_at(servers, Vec::new()).await
    }

    /// Asks these servers, and then those that the operator has named; the first who knows is believed.
    pub(super) async fn look_at(servers: &Servers, known: Vec<Address>) -> Result<Self, String> {
        let mut why = "no server is named".to_owned();
        for url in &servers.urls {
            // Those that are known are asked with the credentials of the first one named.
            for address in known.iter().map(Some).chain([None]) {
                match Self::ask(url, address).await {
                    Ok(slots) => return Ok(slots),
                    Err(error) => why = error,
                }
            }
        }
        Err(why)
    }

    async fn ask(url: &str, address: Option<&Address>) -> Result<Self, String> {
        let info = address.map_or_else(|| url.into_connection_info(), |address| address.info(url));
        let info = info.map_err(|e| e.to_string())?;
        let own = Address::of(&info).ok_or("a server must have a host and a port")?;
        let failed = |e| format!("{}:{}: {e}", own.host, own.port);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(CONNECT));
        let client = Client::open(info).map_err(failed)?;
        let mut connection =
            client.get_multiplexed_async_connection_with_config(&config).await.map_err(failed)?;
        if !info_of(&mut connection, "cluster").await.map_err(failed)?.contains("cluster_enabled:1") {
            let replication = info_of(&mut connection, "replication").await.map_err(failed)?;
            return match replication.contains("role:master") {
                true => Ok(Self::One(own.clone())),
                false => Err(format!("{}:{}: it is a replica", own.host, own.port)),
            };
        }
        let ranges: Vec<Value> =
            cmd("CLUSTER").arg("SLOTS").query_async(&mut connection).await.map_err(failed)?;
        let said = |why| format!("{}:{}: {why}", own.host, own.port);
        match Self::read(ranges, &own) {
            Some(Self::Cluster { masters, .. }) if masters.is_empty() => {
                Err(said("no server of the cluster has a slot"))
            }
            Some(slots) => Ok(slots),
            None => Err(said("CLUSTER SLOTS cannot be read")),
        }
    }

    /// `[first, last, [host, port, …] of the master, of its replicas…]` for each range.
    fn read(ranges: Vec<Value>, asked: &Address) -> Option<Self> {
        let (mut masters, mut replicas) = (BTreeMap::new(), BTreeMap::<_, BTreeSet<_>>::new());
        for range in ranges {
            let mut range = Vec::<Value>::from_redis_value(range).ok()?.into_iter();
            let first = u16::from_redis_value(range.next()?).ok()?;
            let last = u16::from_redis_value(range.next()?).ok()?;
            let master = address(range.next()?, asked)?;
            replicas.entry(master.clone()).or_default().extend(range.filter_map(|of| address(of, asked)));
            masters.insert(last, (first, master));
        }
        Some(Self::Cluster { masters, replicas })
    }

    /// Whether another master has something.
    pub(super) fn differs(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(own), Self::One(other)) => own != other,
            (Self::Cluster { masters: own, .. }, Self::Cluster { masters: other, .. }) => own != other,
            _ => true,
        }
    }

    pub(super) fn master(&self, bucket: Bucket) -> Option<Address> {
        match self {
            Self::One(address) => Some(address.clone()),
            Self::Cluster { masters, .. } => {
                let slot = bucket.slot();
                let (_, (first, address)) = masters.range(slot..).next()?;
                (*first <= slot).then(|| address.clone())
            }
        }
    }

    /// Each once.
    pub(super) fn masters(&self) -> Vec<Address> {
        match self {
            Self::One(address) => vec![address.clone()],
            Self::Cluster { replicas, .. } => replicas.keys().cloned().collect(),
        }
    }
}

/// An empty or unknown host means the one that was asked.
fn address(server: Value, asked: &Address) -> Option<Address> {
    let mut server = Vec::<Value>::from_redis_value(server).ok()?.into_iter();
    let host = String::from_redis_value(server.next()?).ok().filter(|host| !host.is_empty() && host != "?");
    let port = u16::from_redis_value(server.next()?).ok()?;
    Some(Address { host: host.unwrap_or_else(|| asked.host.clone()), port })
}

async fn info_of(connection: &mut MultiplexedConnection, section: &str) -> redis::RedisResult<String> {
    cmd("INFO").arg(section).query_async(connection).await
}
