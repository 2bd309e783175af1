//! What a client that resumes with a digest is told (`docs/protocol.md`, "Digests").

use std::sync::Arc;

use message_extensions_core::digest::of_entry;
use message_extensions_server::store::{RedisStore, SqliteStore};
use serde_json::{Value, json};

use crate::client::{GET, SET, Server, config, set, with};
use crate::redis_servers::single;
use crate::resume::{known, stored};
use crate::socket::Socket;

#[tokio::test]
async fn a_message_at_the_named_seq_comes_only_if_its_digest_is_another_one() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    server.api.ok("bob", SET, &set(&message, &[("k", "v", 0)])).await;
    let digest = server.api.ok("bob", GET, &message).await["Digest"].as_u64().unwrap();
    assert_eq!(digest, u64::from(of_entry("k", "v", 1)));
    let mut socket = Socket::login(server.api.address, "bob").await;
    let named = |digest: u64| with(&known(&message, 1), json!({"Digest": digest}));
    assert_eq!(socket.resumed(&[named(digest)]).await, Vec::<Value>::new());
    let parts = socket.resumed(&[named(digest ^ 1)]).await;
    assert_eq!(parts.len(), 1);
    let said = ["CompleteFlag", "LatestSeq", "Digest", "ExtensionList"].map(|field| parts[0][field].clone());
    assert_eq!(said, [json!(1), json!(1), json!(digest), json!([])]);
}

#[tokio::test]
async fn a_store_that_does_not_know_a_digest_compares_the_seq_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let message = stored(&store, 1, 1).await;
    let db = rusqlite::Connection::open(dir.path().join("messages.db")).unwrap();
    db.execute("UPDATE counters SET digest = NULL", ()).unwrap();
    let server = Server::on(config(), Arc::new(store)).await;
    let mut socket = Socket::login(server.api.address, "bob").await;
    let parts = socket.resumed(&[with(&known(&message, 1), json!({"Digest": 7}))]).await;
    assert_eq!(parts, Vec::<Value>::new());
}

/// What a replica that is made master without the last writes leaves behind, done by hand: an older copy of all keys.
#[tokio::test]
async fn who_knows_what_a_failover_of_redis_has_lost_learns_it_by_the_digest() {
    let redis = single();
    let servers = redis.servers();
    let prefix = servers.prefix.clone();
    let store = Arc::new(RedisStore::connect(servers).await.unwrap());
    let server = Server::on(config(), store).await;
    let message = server.api.c2c_message().await;
    server.api.ok("bob", SET, &set(&message, &[("bob", "0", 0)])).await;
    let mut keys =
        redis::Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let names: Vec<String> =
        redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut keys).await.unwrap();
    let mut copies: Vec<Vec<u8>> = Vec::new();
    for name in &names {
        copies.push(redis::cmd("DUMP").arg(name).query_async(&mut keys).await.unwrap());
    }
    let lost = server.api.ok("bob", SET, &set(&message, &[("bob", "lost", 1)])).await;
    assert_eq!(lost["Seq"], 2);
    let digest = server.api.ok("bob", GET, &message).await["Digest"].clone();
    for (name, copy) in names.iter().zip(copies) {
        let restore = redis::cmd("RESTORE").arg(name).arg(0).arg(copy).arg("REPLACE").to_owned();
        restore.exec_async(&mut keys).await.unwrap();
    }
    let other = server.api.ok("alice", SET, &set(&message, &[("alice", "1", 0)])).await;
    assert_eq!(other["Seq"], 2, "the Seq is given anew");
    let mut socket = Socket::login(server.api.address, "bob").await;
    let named = with(&known(&message, 2), json!({"Digest": digest}));
    let parts = socket.resumed(std::slice::from_ref(&named)).await;
    assert_eq!((parts.len(), &parts[0]["LatestSeq"]), (1, &json!(2)));
    assert_ne!(parts[0]["Digest"], digest);
    let pulled = server.api.ok("bob", GET, &message).await;
    assert_eq!(pulled["Digest"], parts[0]["Digest"]);
    let list = json!([{"Key": "bob", "Value": "0", "Seq": 1}, {"Key": "alice", "Value": "1", "Seq": 2}]);
    assert_eq!(pulled["ExtensionList"], list);
}
