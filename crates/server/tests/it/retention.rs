//! Messages that nobody has changed for long are removed, and whoever knows them is told that they do not exist.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use message_extensions_server::config::Config;
use message_extensions_server::store::SqliteStore;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::client::{ADMIN, GET, GROUP_GET, GROUP_SET, SEND, SET, Server, config, message, set, with};
use crate::operating::sample;
use crate::socket::Socket;

const DAY: Duration = Duration::from_secs(86_400);

async fn server(dir: &Path, interval: Duration) -> Server {
    let config = Config { retention: Some(2 * DAY), retention_interval: interval, ..config() };
    Server::on(config, Arc::new(SqliteStore::open(dir).unwrap())).await
}

/// As if so many days had gone by for the messages.
fn age(dir: &Path, which: &str, days: u64) {
    let db = Connection::open(dir.join("messages.db")).unwrap();
    db.busy_timeout(Duration::from_secs(20)).unwrap();
    let ms = i64::try_from(days * DAY.as_secs() * 1000).unwrap();
    let sql = format!(
        "UPDATE counters SET time = time - ?1 WHERE message_no IN (SELECT no FROM messages WHERE {which})"
    );
    assert!(db.execute(&sql, [ms]).unwrap() > 0);
}

fn count(dir: &Path, table: &str) -> i64 {
    let db = Connection::open(dir.join("messages.db")).unwrap();
    db.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).unwrap()
}

async fn until_gone(server: &Server, command: &str, name: &Value) {
    let waiting = async {
        while server.api.call("bob", command, name).await["ErrorCode"] != 23004 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it stays");
}

#[tokio::test]
async fn what_is_old_is_removed_while_it_is_in_memory_and_everybody_is_told_that_it_does_not_exist() {
    let dir = tempfile::tempdir().unwrap();
    let server = server(dir.path(), Duration::from_millis(20)).await;
    let api = &server.api;
    let (old, old_group, young) =
        (api.c2c_message().await, api.group_message("Public").await, api.c2c_message().await);
    for (command, name) in [(SET, &old), (GROUP_SET, &old_group), (SET, &young)] {
        let write = set(name, &[("k", "v", 0)]);
        let answer = api.post(command, &crate::client::query("bob"), &write.to_string()).await;
        assert_eq!(answer["ErrorCode"], 0);
    }
    // In the store and not yet sent.
    let db = Connection::open(dir.path().join("messages.db")).unwrap();
    db.execute("INSERT INTO webhooks (message_no, seq, time, body) SELECT no, 1, 0, '{}' FROM messages", ())
        .unwrap();
    drop(db);
    let key = old["MsgKey"].as_str().unwrap();
    age(dir.path(), &format!("msg_key = '{key}' OR group_no IS NOT NULL"), 3);
    until_gone(&server, GET, &old).await;
    until_gone(&server, GROUP_GET, &old_group).await;
    for (command, name) in [(SET, &old), (GROUP_SET, &old_group)] {
        assert_eq!(api.refused("bob", command, &set(name, &[("k", "w", 1)])).await, 23004);
    }
    let mut bob = Socket::login(api.address, "bob").await;
    let knows = |name: &Value| with(name, json!({"LatestSeq": 1}));
    let resumed = bob.resumed(&[knows(&old), knows(&old_group)]).await;
    assert_eq!(resumed.len(), 2);
    assert!(resumed.iter().all(|answer| answer["ErrorCode"] == 23004), "{resumed:?}");

    assert_eq!(api.ok("bob", GET, &young).await["LatestSeq"], 1);
    assert_eq!((count(dir.path(), "entries"), count(dir.path(), "webhooks")), (1, 3));
    assert_eq!(sample(api, "message_extensions_expired_messages_total").await, 2.0);
    server.stop().await;
}

#[tokio::test]
async fn what_is_old_at_the_start_is_removed_and_what_was_changed_since_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let first = server(dir.path(), DAY).await;
    let (untouched, changed) = (first.api.c2c_message().await, first.api.c2c_message().await);
    for _ in 0..250 {
        let other = message(json!({"From_Account": "alice", "To_Account": "dave"}));
        first.api.ok(ADMIN, SEND, &other).await;
    }
    age(dir.path(), "true", 3);
    first.api.ok("bob", SET, &set(&changed, &[("k", "v", 0)])).await;
    first.stop().await;
    let second = server(dir.path(), DAY).await;
    until_gone(&second, GET, &untouched).await;
    assert_eq!(second.api.ok("bob", GET, &changed).await["LatestSeq"], 1);
    let waiting = async {
        while count(dir.path(), "messages") > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("some stay");
    second.stop().await;
}
