//! What the operator is told at the start of how the servers are set.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use redis::{AsyncConnectionConfig, Client, RedisResult, cmd};

use super::node::CONNECT;
use super::slots::Slots;
use super::{Address, Servers};

type Settings = BTreeMap<String, String>;

/// A setting, what it should be, and what happens when it is not.
struct Advice {
    name: &'static str,
    should_be: &'static str,
    why: &'static str,
    /// Whether it matters on servers with these settings, when writes wait for so many replicas.
    concerns: fn(&Settings, usize) -> bool,
}

fn is(settings: &Settings, name: &str, value: &str) -> bool {
    settings.get(name).is_some_and(|is| is == value)
}

const ADVICE: [Advice; 5] = [
    Advice {
        name: "appendonly",
        should_be: "yes",
        why: "a server that restarts has lost what was written since its last snapshot",
        concerns: |_, _| true,
    },
    Advice {
        name: "appendfsync",
        should_be: "always",
        why: "a machine that loses power, and is back before a replica takes over, has lost writes that were answered",
        concerns: |settings, _| is(settings, "appendonly", "yes"),
    },
    Advice {
        name: "maxmemory-policy",
        should_be: "noeviction",
        why: "messages disappear when the memory is full",
        concerns: |_, _| true,
    },
    Advice {
        name: "min-replicas-to-write",
        should_be: "1",
        why: "a master that is cut off from its replicas keeps writes that were answered with 10002",
        concerns: |settings, replicas| {
            let least = settings.get("min-replicas-to-write").and_then(|least| least.parse::<usize>().ok());
            replicas > 0 && least == Some(0)
        },
    },
    Advice {
        name: "cluster-require-full-coverage",
        should_be: "no",
        why: "when one master fails, the others stop as well",
        concerns: |settings, _| is(settings, "cluster-enabled", "yes"),
    },
];

/// Says in the log what is not as it should be, by name, once for all servers that are alike.
pub(super) async fn give(servers: &Servers, slots: &Slots, replicas: usize) {
    let (mut all, mut wanting) = (slots.masters(), Vec::new());
    if let Slots::Cluster { replicas: of_masters, .. } = slots {
        all.extend(of_masters.values().flatten().cloned());
        wanting.extend(of_masters.iter().filter(|(_, own)| own.len() < replicas).map(|(master, _)| master));
    }
    tracing::info!(masters = slots.masters().len(), servers = all.len(), replicas, "the store is on Redis");
    if !wanting.is_empty() {
        let servers = named(&wanting);
        tracing::warn!(
            servers,
            "too few replicas: writes wait for {replicas} and will be answered with 10002; see redis-replicas"
        );
    }
    let url = servers.urls.first().map_or("", String::as_str);
    let asked = join_all(all.iter().map(|address| settings_of(url, address))).await;
    let (mut found, mut silent) = (BTreeMap::<_, Vec<&Address>>::new(), Vec::new());
    for (address, settings) in all.iter().zip(asked) {
        match settings {
            Ok(settings) => {
                for (advice, value) in against(&settings, replicas) {
                    found
                        .entry((advice.name, value, advice.should_be, advice.why))
                        .or_default()
                        .push(address);
                }
            }
            Err(error) => silent.push((address, error.to_string())),
        }
    }
    for ((name, value, should_be, why), addresses) in found {
        tracing::warn!(servers = named(&addresses), "{name} is {value} and should be {should_be}: {why}");
    }
    if let Some((_, why)) = silent.first() {
        let servers = named(&silent.iter().map(|(address, _)| *address).collect::<Vec<_>>());
        tracing::info!(servers, why, "the servers' settings cannot be seen, as is usual of managed services");
    }
}

fn against(settings: &Settings, replicas: usize) -> Vec<(&'static Advice, String)> {
    let advice = ADVICE.iter().filter_map(|advice| Some((advice, settings.get(advice.name)?)));
    advice
        .filter(|(advice, value)| *value != advice.should_be && (advice.concerns)(settings, replicas))
        .map(|(advice, value)| (advice, value.clone()))
        .collect()
}

async fn settings_of(url: &str, address: &Address) -> RedisResult<Settings> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(Some(CONNECT));
    let client = Client::open(address.info(url)?)?;
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    let mut settings = Settings::new();
    for name in ADVICE.iter().map(|advice| advice.name).chain(["cluster-enabled"]) {
        let found: Settings = cmd("CONFIG").arg("GET").arg(name).query_async(&mut connection).await?;
        settings.extend(found);
    }
    Ok(settings)
}

fn named(servers: &[&Address]) -> String {
    servers.iter().map(|server| format!("{}:{}", server.host, server.port)).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_matters_is_said() {
        let said = |settings: &[(&str, &str)], replicas| {
            let settings = settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            against(&settings, replicas).iter().map(|(advice, _)| advice.name).collect::<Vec<_>>()
        };
        let good = [("appendonly", "yes"), ("appendfsync", "always"), ("maxmemory-policy", "noeviction")];
        assert_eq!(said(&good, 1), [""; 0]);
        assert_eq!(said(&[("appendonly", "no"), ("appendfsync", "everysec")], 0), ["appendonly"]);
        assert_eq!(said(&[("appendonly", "yes"), ("appendfsync", "everysec")], 0), ["appendfsync"]);
        assert_eq!(said(&[("min-replicas-to-write", "0")], 0), [""; 0]);
        assert_eq!(said(&[("min-replicas-to-write", "0")], 1), ["min-replicas-to-write"]);
        assert_eq!(said(&[("min-replicas-to-write", "2")], 1), [""; 0]);
        let coverage = ("cluster-require-full-coverage", "yes");
        assert_eq!(said(&[coverage, ("cluster-enabled", "no")], 0), [""; 0]);
        assert_eq!(said(&[coverage, ("cluster-enabled", "yes")], 0), ["cluster-require-full-coverage"]);
    }
}
