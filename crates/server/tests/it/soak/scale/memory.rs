//! What a message, its keys and those who listen take, on the engine and on a node.

use std::collections::BTreeMap;

use redis::FromRedisValue;
use serde_json::Value;

use super::super::{amount, done, group_messages};
use crate::client::{GROUP_SET, query, set};
use crate::redis_process::serve_on;
use crate::redis_servers::Redis;
use crate::socket::Socket;

/// Keys of a message: as many as one set may have.
const KEYS: usize = 20;

fn ask<T: FromRedisValue>(redis: &Redis, words: &[&str]) -> T {
    let mut connection =
        redis::Client::open(("127.0.0.1", redis.ports[0])).unwrap().get_connection().unwrap();
    redis::cmd(words[0]).arg(&words[1..]).query(&mut connection).unwrap()
}

fn keys(redis: &Redis, pattern: &str) -> Vec<String> {
    ask(redis, &["KEYS", pattern])
}

/// Bytes, without the log of the last minute.
fn used(redis: &Redis) -> f64 {
    for log in keys(redis, "*}log:*") {
        ask::<()>(redis, &["DEL", &log]);
    }
    let said: String = ask(redis, &["INFO", "memory"]);
    said.lines().find_map(|line| line.strip_prefix("used_memory_dataset:")).unwrap().parse().unwrap()
}

/// A key's kind stands after its bucket: `prefix{bucket}kind:name`.
fn by_kind(redis: &Redis, pattern: &str) -> String {
    let mut kinds = BTreeMap::<String, (u64, u64)>::new();
    for key in keys(redis, pattern) {
        let kind = key.split_once('}').unwrap().1.split_once(':').unwrap().0;
        let bytes: u64 = ask(redis, &["MEMORY", "USAGE", &key, "SAMPLES", "0"]);
        let (count, sum) = kinds.entry(kind.to_owned()).or_default();
        (*count, *sum) = (*count + 1, *sum + bytes);
    }
    let said = kinds.into_iter().map(|(kind, (count, sum))| format!("{kind} {}", sum / count));
    said.collect::<Vec<_>>().join(", ")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_message_and_its_keys_take_is_told() {
    let messages = amount("SOAK_SCALE_MESSAGES", 20);
    let redis = tokio::task::spawn_blocking(Redis::alone).await.unwrap();
    let (_child, api) = serve_on(&redis, "m:").await;
    // What is made once.
    group_messages(&api, &["alice".into()], 1, &Value::Null).await;
    let empty = used(&redis);
    let mut named = Vec::new();
    for _ in 0..messages {
        named.extend(group_messages(&api, &["alice".into(), "bob".into()], 1, &Value::Null).await);
    }
    let sent = used(&redis);
    let items: Vec<_> = (0..KEYS).map(|n| (format!("voter{n:05}"), "yes")).collect();
    let items: Vec<_> = items.iter().map(|(key, value)| (key.as_str(), *value, 0)).collect();
    for message in &named {
        let query = format!("{}&requestid={:032x}", query("alice"), fastrand::u128(..));
        let reply = api.post(GROUP_SET, &query, &set(message, &items).to_string()).await;
        assert_eq!(reply["ErrorCode"], 0, "{reply}");
    }
    let voted = used(&redis);
    let (of_message, of_set) = ((sent - empty) / messages as f64, (voted - sent) / messages as f64);
    done(format_args!(
        "{messages} messages, each in a group of its own: {of_message:.0} bytes each with the group; a set of {KEYS} keys of 10 \
         and 3 bytes {of_set:.0} more, {:.0} a key",
        of_set / KEYS as f64
    ));
    done(format_args!("bytes of a key of Redis by kind (MEMORY USAGE): {}", by_kind(&redis, "m:*")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_listening_for_a_user_takes_is_told() {
    let users = amount("SOAK_SCALE_LISTENERS", 50);
    let redis = tokio::task::spawn_blocking(Redis::alone).await.unwrap();
    let (child, api) = serve_on(&redis, "m:").await;
    let name = |n: u64| format!("user{n}");
    for n in 0..users {
        group_messages(&api, &[name(n)], 1, &Value::Null).await;
    }
    let memory = || -> f64 {
        let said: String = ask(&redis, &["INFO", "memory"]);
        said.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap().parse().unwrap()
    };
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap().to_owned();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0
    };
    let (engine, node) = (memory(), resident());
    let mut sockets = Vec::new();
    for n in 0..users {
        sockets.push(Socket::login(api.address, &name(n)).await);
    }
    done(format_args!(
        "{users} users online, each in one group: {:.0} bytes each on the engine (two channels), {:.0} on the node",
        (memory() - engine) / users as f64,
        (resident() - node) / users as f64
    ));
}
