//! The store on Redis when its servers forget, fall silent, go and come back, or answer without being heard.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use message_extensions_core::law::{Change, ChangeKind};
use message_extensions_server::store::{
    Commit, Conversation, NewMessage, RedisStore, Servers, Store, StoredMessage,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{ADMIN, Api, GET, SET, Server, config, query, set};
use crate::flawed_store::FlawedStore;
use crate::operating::sample;
use crate::redis_servers::{Redis, single};

/// However ill the servers are, a call of the store ends within this time.
const LONGEST: Duration = Duration::from_secs(10);

pub(crate) fn message(n: u32) -> NewMessage {
    NewMessage {
        sender: "alice".into(),
        conversation: Conversation::C2c { to: "bob".into() },
        sequence: n,
        random: 7,
        time: 1_665_388_280,
        extensible: true,
        message_id: format!("alice-1-{n}"),
        body: "[]".into(),
        rules: None,
    }
}

pub(crate) fn commit(message_no: i64, seq: u64) -> Commit {
    let kind = ChangeKind::Set(vec![("k".into(), seq.to_string())]);
    let change = Change { seq, kind, author: "bob".into(), time: 1_665_388_290_123 };
    let (id, expected_seq) = (fastrand::u64(1..), seq - 1);
    Commit { message_no, id, expected_seq, changes: vec![change], ..Commit::default() }
}

async fn insert(store: &RedisStore, n: u32) -> StoredMessage {
    store.insert_message(message(n)).await.unwrap().unwrap().stored
}

#[tokio::test]
async fn scripts_that_a_server_has_forgotten_are_sent_again() {
    let redis = single();
    let store = redis.store().await;
    let no = insert(&store, 1).await.no;
    for seq in 1..=3 {
        redis.ask(redis.ports[0], "script flush");
        let (others, done) =
            tokio::join!(join_all((0..9).map(|_| store.load(no))), store.commit(commit(no, seq)));
        assert_eq!(done.map(drop), Ok(()));
        assert!(others.iter().all(Result::is_ok));
    }
    redis.ask(redis.ports[0], "script flush");
    let archive = store.archive(no).await.unwrap().unwrap();
    redis.ask(redis.ports[0], "script flush");
    assert!(redis.store().await.restore(&archive).await.unwrap().is_new);
}

#[tokio::test]
async fn while_a_server_is_silent_or_gone_calls_end_in_time_and_when_it_returns_all_is_there() {
    let redis = Redis::alone();
    let (store, port) = (redis.store().await, redis.ports[0]);
    let server = Server::on(config(), Arc::new(redis.store().await)).await;
    let (cold, hot) = (server.api.c2c_message().await, server.api.c2c_message().await);
    server.api.ok("bob", SET, &set(&hot, &[("k", "v", 0)])).await;
    let stored = insert(&store, 1).await;
    store.commit(commit(stored.no, 1)).await.unwrap();
    let (silence, noise): (&[&str], _) = (&["-STOP"], "-CONT");
    for (ill, is_gone) in [(silence, false), (&["-KILL"][..], true)] {
        redis.signal(ill[0], port);
        // More than go in one batch.
        let begun = Instant::now();
        let calls = (0..1500).map(async |n| {
            if n % 3 == 0 {
                store.load(stored.no).await.is_err()
            } else {
                store.commit(commit(stored.no, 9)).await.is_err()
            }
        });
        let served = (0..40).map(async |n| {
            let message = if n % 2 == 0 { &cold } else { &hot };
            let (path, body) = match n % 4 {
                0 | 1 => (GET, message.clone()),
                _ => (SET, set(message, &[("l", "v", 0)])),
            };
            server.api.call("bob", path, &body).await["ErrorCode"] == 10002
        });
        let (failed, refused) = tokio::join!(join_all(calls), async {
            let refused = join_all(served).await;
            assert!(begun.elapsed() < LONGEST + Duration::from_secs(3), "{:?}", begun.elapsed());
            refused
        });
        assert!(failed.into_iter().chain(refused).all(|failed| failed));
        if is_gone {
            redis.restart(port)
        } else {
            redis.signal(noise, port)
        }
        let loaded = store.load(stored.no).await.unwrap().unwrap();
        assert_eq!(loaded.message.latest_seq, 1);
        store.check().await.unwrap();
    }
    store.commit(commit(stored.no, 2)).await.unwrap();
}

#[tokio::test]
async fn a_write_that_no_replica_acknowledges_is_refused_and_its_retry_finds_it() {
    let redis = Redis::cluster();
    let server = Server::on(config(), Arc::new(redis.store().await)).await;
    let message = server.api.c2c_message().await;
    server.api.ok("bob", SET, &set(&message, &[("k", "v", 0)])).await;
    let replicas = redis.replica_ports();
    replicas.iter().for_each(|port| redis.signal("-STOP", *port));
    let url = format!("{}&requestid={:032x}", query("bob"), 5);
    let write = set(&message, &[("l", "w", 0)]).to_string();
    for _ in 0..2 {
        let begun = Instant::now();
        assert_eq!(server.api.post(SET, &url, &write).await["ErrorCode"], 10002);
        assert!(begun.elapsed() < LONGEST);
    }
    // Nobody is shown what may still be lost.
    let pulled = server.api.call("bob", GET, &message).await;
    assert!(pulled["ErrorCode"] == 10002 || pulled["LatestSeq"] == 1, "{pulled}");
    replicas.iter().for_each(|port| redis.signal("-CONT", *port));
    let again = loop {
        let again = server.api.post(SET, &url, &write).await;
        if again["ErrorCode"] != 10002 {
            break again;
        }
    };
    assert_eq!((&again["ActionStatus"], &again["Seq"]), (&json!("OK"), &json!(2)));
    assert_eq!(server.api.ok("bob", GET, &message).await["LatestSeq"], 2);
    assert!(sample(&server.api, "message_extensions_redis_unacknowledged_total").await > 0.0);
    server.stop().await;
}

/// Forwards to `to`, and loses every tenth answer with its connection.
async fn losing_answers(to: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers = Arc::<AtomicUsize>::default();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let answers = Arc::clone(&answers);
            tokio::spawn(async move {
                let server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
                    (client.into_split(), server.into_split());
                let forward =
                    tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
                let mut answer = vec![0; 1 << 16];
                while let Ok(length @ 1..) = from_server.read(&mut answer).await {
                    if answers.fetch_add(1, Ordering::Relaxed) % 10 == 9
                        || to_client.write_all(&answer[..length]).await.is_err()
                    {
                        break;
                    }
                }
                forward.abort();
            });
        }
    });
    port
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_on_the_way_is_done_once() {
    const WRITERS: usize = 10;
    const WRITES: usize = 20;
    let redis = single();
    let direct = redis.servers();
    let lossy = Servers {
        urls: vec![format!("redis://127.0.0.1:{}", losing_answers(redis.ports[0]).await)],
        ..direct.clone()
    };
    let mut nodes = Vec::new();
    for servers in [direct, lossy] {
        let store = loop {
            if let Ok(store) = RedisStore::connect(servers.clone()).await {
                break store;
            }
        };
        nodes.push(Server::on(config(), Arc::new(store)).await);
    }
    let message = nodes[0].api.c2c_message().await;
    // Without a request id, and of an admin, whose Seq is not compared: nothing but the store prevents a second time.
    let write = async |writer: usize| {
        let (api, mut answered) = (Api::new(nodes[writer % 2].api.address), Vec::new());
        for n in 0..WRITES {
            let key = format!("{writer} {n}");
            let reply = api.call(ADMIN, SET, &set(&message, &[(&key, "v", 0)])).await;
            match reply["ErrorCode"].as_u64() {
                Some(0) => answered.push((key, reply["Seq"].clone())),
                code => assert_eq!(code, Some(10002), "{reply}"),
            }
        }
        answered
    };
    let answered = join_all((0..WRITERS).map(write)).await.concat();
    let (mut held, mut start, mut latest) = (std::collections::HashMap::new(), 1, Value::Null);
    loop {
        let page =
            nodes[0].api.ok("bob", GET, &crate::client::with(&message, json!({"StartSeq": start}))).await;
        for item in page["ExtensionList"].as_array().unwrap() {
            held.insert(item["Key"].as_str().unwrap().to_owned(), item["Seq"].clone());
            start = item["Seq"].as_u64().unwrap() + 1;
        }
        latest = if latest.is_null() { page["LatestSeq"].clone() } else { latest };
        if page["CompleteFlag"] == 1 {
            break;
        }
    }
    assert_eq!(latest, held.len(), "each key was written once, by one Seq");
    for (key, seq) in &answered {
        assert_eq!(held.get(key), Some(seq), "{key}");
    }
    assert!(answered.len() > WRITERS * WRITES / 4, "{}", answered.len());
    assert!(sample(&nodes[1].api, "message_extensions_redis_failures_total").await > 0.0, "nothing was lost");
}

#[tokio::test]
async fn a_pull_does_not_answer_from_a_load_that_began_before_it_was_asked() {
    const DELAY: Duration = Duration::from_millis(800);
    let servers = single().servers();
    let one = Server::on(config(), Arc::new(RedisStore::connect(servers.clone()).await.unwrap())).await;
    let slow = FlawedStore::on(RedisStore::connect(servers).await.unwrap()).slow(DELAY);
    let other = Server::on(config(), Arc::new(slow)).await;
    let message = one.api.c2c_message().await;
    let early = other.api.ok("alice", GET, &message);
    let late = async {
        tokio::time::sleep(DELAY / 2).await;
        one.api.ok("bob", SET, &set(&message, &[("k", "v", 0)])).await;
        other.api.ok("alice", GET, &message).await
    };
    let (early, late) = tokio::join!(early, late);
    assert_eq!((&early["LatestSeq"], &late["LatestSeq"]), (&json!(0), &json!(1)));
}
