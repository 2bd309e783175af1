//! Which master has which slot.

use std::collections::BTreeMap;

use redis::{AsyncConnectionConfig, Client, FromRedisValue, IntoConnectionInfo, Value, cmd};

use super::{Address, Servers};
use crate::store::redis::keys::Bucket;

pub(super) enum Slots {
    /// No cluster: one server has everything.
    One(Address),
    /// By the last slot of each range.
    Cluster(BTreeMap<u16, (u16, Address)>),
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
        let client = Client::open(info).map_err(failed)?;
        let config = AsyncConnectionConfig::new();
        let mut connection =
            client.get_multiplexed_async_connection_with_config(&config).await.map_err(failed)?;
        let info: String = cmd("INFO").arg("cluster").query_async(&mut connection).await.map_err(failed)?;
        if !info.contains("cluster_enabled:1") {
            return Ok(Self::One(own.clone()));
        }
        let ranges: Vec<Value> =
            cmd("CLUSTER").arg("SLOTS").query_async(&mut connection).await.map_err(failed)?;
        Self::read(ranges, &own).ok_or_else(|| format!("{}: CLUSTER SLOTS cannot be read", own.host))
    }

    /// `[first, last, [host, port, …], …]` for each range.
    fn read(ranges: Vec<Value>, asked: &Address) -> Option<Self> {
        let mut slots = BTreeMap::new();
        for range in ranges {
            let mut range = Vec::<Value>::from_redis_value(range).ok()?.into_iter();
            let first = u16::from_redis_value(range.next()?).ok()?;
            let last = u16::from_redis_value(range.next()?).ok()?;
            let mut master = Vec::<Value>::from_redis_value(range.next()?).ok()?.into_iter();
            // An empty or unknown host means the one that was asked.
            let host =
                String::from_redis_value(master.next()?).ok().filter(|host| !host.is_empty() && host != "?");
            let port = u16::from_redis_value(master.next()?).ok()?;
            slots.insert(last, (first, Address { host: host.unwrap_or_else(|| asked.host.clone()), port }));
        }
        Some(Self::Cluster(slots))
    }

    pub(super) fn master(&self, bucket: Bucket) -> Option<Address> {
        match self {
            Self::One(address) => Some(address.clone()),
            Self::Cluster(slots) => {
                let slot = bucket.slot();
                let (_, (first, address)) = slots.range(slot..).next()?;
                (*first <= slot).then(|| address.clone())
            }
        }
    }

    pub(super) fn addresses(&self) -> Vec<Address> {
        match self {
            Self::One(_) => Vec::new(),
            Self::Cluster(slots) => {
                let mut all: Vec<_> = slots.values().map(|(_, address)| address.clone()).collect();
                all.dedup();
                all
            }
        }
    }
}
