//! Two servers on one cluster: what is done through one is seen, and heard, through the other.

use std::collections::{HashMap, HashSet};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use message_extensions_server::config::Config;
use message_extensions_server::store::{
    Commit, Conversation, Hearers, NewGroup, NewMessage, RedisStore, Store, Topic,
};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::client::{
    ADD, ADMIN, Api, CREATE, DELETE, DESTROY, GET, GROUP_GET, GROUP_SEND, GROUP_SET, SEND, SET, Server,
    config, message, query, set, with,
};
use crate::flawed_store::FlawedStore;
use crate::membership::LEFT;
use crate::redis_faults::{commit as new_commit, message as new_message};
use crate::redis_servers::{Redis, cluster, single};
use crate::socket::Socket;

pub(crate) struct Two {
    pub(crate) a: Server,
    pub(crate) b: Server,
}

async fn two_on(redis: &Redis, config: Config) -> Two {
    let servers = redis.servers();
    let store = async || Arc::new(RedisStore::connect(servers.clone()).await.unwrap());
    Two { a: Server::on(config.clone(), store().await).await, b: Server::on(config, store().await).await }
}

pub(crate) async fn two_with(config: Config) -> Two {
    two_on(cluster(), config).await
}

pub(crate) async fn two() -> Two {
    two_with(config()).await
}

#[tokio::test]
async fn a_change_through_one_is_pulled_and_heard_through_the_other() {
    let Two { a, b } = two().await;
    for (named, command, pull) in
        [(a.api.c2c_message().await, SET, GET), (a.api.group_message("Public").await, GROUP_SET, GROUP_GET)]
    {
        let mut alice = Socket::login(a.api.address, "alice").await;
        let mut bob = Socket::login(b.api.address, "bob").await;
        a.api.ok("alice", command, &set(&named, &[("k", "v", 0)])).await;
        let pulled = b.api.ok("bob", pull, &named).await;
        assert_eq!(pulled["ExtensionList"], json!([{"Key": "k", "Value": "v", "Seq": 1}]));
        b.api.ok("bob", command, &set(&named, &[("k", "w", 1)])).await;
        for socket in [&mut alice, &mut bob] {
            for (seq, value) in [(1, "v"), (2, "w")] {
                let event = socket.event().await;
                assert_eq!(
                    (&event["Seq"], &event["ExtensionList"][0]["Value"]),
                    (&json!(seq), &json!(value))
                );
            }
            socket.has_nothing().await;
        }
    }
}

#[tokio::test]
async fn of_two_who_write_one_key_through_two_nodes_one_wins_and_the_other_is_told_the_winner() {
    let Two { a, b } = two().await;
    let named = a.api.c2c_message().await;
    for round in 0..20 {
        let (x, y) = (set(&named, &[("k", "a", round)]), set(&named, &[("k", "b", round)]));
        let (x, y) = tokio::join!(a.api.ok("alice", SET, &x), b.api.ok("bob", SET, &y));
        let codes = [&x, &y].map(|reply| reply["ExtensionList"][0]["ErrorCode"].as_u64().unwrap_or(0));
        assert!(codes == [0, 23001] || codes == [23001, 0], "{x} {y}");
        let (winner, loser) = if codes[0] == 0 { ("a", &y) } else { ("b", &x) };
        let told = &loser["ExtensionList"][0]["Extension"];
        assert_eq!((&told["Value"], &told["Seq"]), (&json!(winner), &json!(round + 1)), "{loser}");
    }
}

#[tokio::test]
async fn everybody_hears_every_vote_once_and_in_order_whichever_node_takes_it() {
    const VOTERS: usize = 40;
    let Two { a, b } = two().await;
    let members: Vec<_> = (0..VOTERS).map(|i| json!({"Member_Account": format!("u{i}")})).collect();
    let group = json!({"Owner_Account": "alice", "Type": "Public", "Name": "Lunch", "MemberList": members});
    let group_id = a.api.ok(ADMIN, CREATE, &group).await["GroupId"].clone();
    let sent = a.api.ok("alice", GROUP_SEND, &message(json!({"GroupId": group_id}))).await;
    let named = json!({"GroupId": group_id, "MsgSeq": sent["MsgSeq"]});
    let mut sockets = vec![
        Socket::login(a.api.address, "u0").await,
        Socket::login(b.api.address, "u0").await,
        Socket::login(b.api.address, "u1").await,
    ];
    let votes = (0..VOTERS).map(|i| {
        let api = if i % 2 == 0 { a.api.clone() } else { b.api.clone() };
        let named = named.clone();
        tokio::spawn(async move {
            for (seq_of, value) in [(0, "1"), (1, "2")] {
                // The key's Seq is that of the vote before.
                let seq = if seq_of == 0 { 0 } else { own_seq(&api, &named, i).await };
                let reply = api
                    .ok(&format!("u{i}"), GROUP_SET, &set(&named, &[(&format!("u{i}_0"), value, seq)]))
                    .await;
                assert_eq!(
                    reply["ExtensionList"][0].get("ErrorCode").unwrap_or(&json!(0)),
                    &json!(0),
                    "{reply}"
                );
            }
        })
    });
    futures_util::future::try_join_all(votes.collect::<Vec<_>>()).await.unwrap();
    for socket in &mut sockets {
        for seq in 1..=2 * VOTERS as u64 {
            assert_eq!(socket.event().await["Seq"], seq);
        }
        socket.has_nothing().await;
    }
}

async fn own_seq(api: &Api, named: &Value, i: usize) -> u64 {
    let pulled = api.ok("u0", GROUP_GET, named).await;
    let list = pulled["ExtensionList"].as_array().unwrap().clone();
    let key = format!("u{i}_0");
    list.iter().find(|item| item["Key"] == key.as_str()).unwrap()["Seq"].as_u64().unwrap()
}

#[tokio::test]
async fn who_is_added_or_removed_through_one_hears_or_does_not_hear_the_group_through_the_other() {
    let Two { a, b } = two().await;
    let mut dave = Socket::login(b.api.address, "dave").await;
    let group = a.api.group_message("Public").await;
    let add = json!({"GroupId": group["GroupId"], "MemberList": [{"Member_Account": "dave"}]});
    a.api.ok(ADMIN, ADD, &add).await;
    a.api.ok("alice", GROUP_SET, &set(&group, &[("in", "v", 0)])).await;
    assert_eq!(dave.event().await["Seq"], 1);
    b.api.ok("dave", GROUP_SET, &set(&group, &[("mine", "v", 0)])).await;
    assert_eq!(dave.event().await["Seq"], 2);
    let remove = json!({"GroupId": group["GroupId"], "MemberToDel_Account": ["dave"]});
    a.api.ok(ADMIN, DELETE, &remove).await;
    a.api.ok("alice", GROUP_SET, &set(&group, &[("out", "v", 0)])).await;
    assert_eq!(dave.event().await["CallbackCommand"], LEFT);
    assert_eq!(b.api.refused("dave", GROUP_SET, &set(&group, &[("out", "w", 3)])).await, 23004);
    dave.has_nothing().await;
    a.api.ok(ADMIN, DESTROY, &json!({"GroupId": group["GroupId"]})).await;
    assert_eq!(b.api.refused("alice", GROUP_GET, &group).await, 23004);
}

#[tokio::test]
async fn a_message_that_is_sent_through_one_arrives_through_the_other() {
    let Two { a, b } = two().await;
    let mut both = [Socket::login(b.api.address, "bob").await, Socket::login(b.api.address, "alice").await];
    for random in [1, 2, 3] {
        let parts = json!({"From_Account": "alice", "To_Account": "bob", "MsgRandom": random});
        a.api.ok(ADMIN, SEND, &message(parts)).await;
        for user in &mut both {
            assert_eq!(user.event().await["MsgRandom"], random, "once");
        }
    }
}

#[tokio::test]
async fn a_message_whose_sender_was_told_that_it_failed_arrives_when_it_is_sent_again() {
    let store = RedisStore::connect(cluster().servers()).await.unwrap();
    let server = Server::on(config(), Arc::new(FlawedStore::on(store).forgetful())).await;
    let mut bob = Socket::login(server.api.address, "bob").await;
    let parts = json!({"From_Account": "alice", "To_Account": "bob", "MessageID": "alice-1665388279-1"});
    assert_eq!(server.api.refused("alice", SEND, &message(parts.clone())).await, 10002);
    bob.has_nothing().await;
    server.api.ok("alice", SEND, &message(parts)).await;
    assert_eq!(bob.event().await["MessageID"], "alice-1665388279-1");
}

#[tokio::test]
async fn who_are_removed_through_one_and_connected_to_the_other_are_told_so_once_each() {
    let Two { a, b } = two().await;
    let group = a.api.group_message("Public").await;
    let users = ["dave", "erin"];
    let named: Vec<_> = users.iter().map(|user| json!({"Member_Account": user})).collect();
    a.api.ok(ADMIN, ADD, &json!({"GroupId": group["GroupId"], "MemberList": named})).await;
    let mut sockets =
        [Socket::login(b.api.address, "dave").await, Socket::login(b.api.address, "erin").await];
    let remove = json!({"GroupId": group["GroupId"], "MemberToDel_Account": users});
    a.api.ok(ADMIN, DELETE, &remove).await;
    for user in users {
        a.api.ok(ADMIN, SEND, &message(json!({"From_Account": "alice", "To_Account": user}))).await;
    }
    for socket in &mut sockets {
        assert_eq!(socket.event().await["CallbackCommand"], LEFT);
        assert_eq!(socket.event().await["From_Account"], "alice", "once");
    }
}

#[tokio::test]
async fn a_retry_through_the_other_node_gets_the_first_answer() {
    let Two { a, b } = two().await;
    let named = a.api.c2c_message().await;
    // Both have the message in memory before.
    for api in [&a.api, &b.api] {
        api.ok("bob", GET, &named).await;
    }
    for (id, seq) in [(1, 0), (2, 0), (3, 1)] {
        let query = format!("{}&requestid={id:032x}", query("bob"));
        let request = set(&named, &[("k", &id.to_string(), seq)]).to_string();
        let first = a.api.post(SET, &query, &request).await;
        assert_eq!(b.api.post(SET, &query, &request).await, first);
        assert_eq!(a.api.post(SET, &query, &request).await, first);
    }
    assert_eq!(b.api.ok("bob", GET, &named).await["LatestSeq"], 2);
}

#[tokio::test]
async fn a_retry_through_the_other_node_gets_the_first_answer_also_when_the_minute_is_full() {
    let mut config = config();
    config.limits.user_writes_per_minute = 3;
    let servers = cluster().servers();
    let store = async || Arc::new(RedisStore::connect(servers.clone()).await.unwrap());
    let a = Server::on(config.clone(), store().await).await;
    let b = Server::on(config, store().await).await;
    let named = a.api.c2c_message().await;
    let write = |seq: u64| set(&named, &[("k", "v", seq)]);
    // The other one has the message in memory, as it was before.
    b.api.ok("bob", SET, &write(0)).await;
    a.api.ok("bob", SET, &write(1)).await;
    let query = format!("{}&requestid={:032x}", query("bob"), 1);
    let first = a.api.post(SET, &query, &write(2).to_string()).await;
    assert_eq!(first["Seq"], 3);
    assert_eq!(b.api.post(SET, &query, &write(2).to_string()).await, first);
    assert_eq!(b.api.refused("bob", SET, &write(3)).await, 23003);
}

#[tokio::test]
async fn a_message_that_is_gone_and_made_anew_is_the_new_one_for_both() {
    let Two { a, b } = two().await;
    let group = json!({"Owner_Account": "alice", "Type": "Public", "Name": "Lunch", "GroupId": "lunch"});
    let mut seen = HashMap::new();
    for round in 0..3 {
        a.api.ok(ADMIN, CREATE, &group).await;
        let sent = b.api.ok("alice", GROUP_SEND, &message(json!({"GroupId": "lunch"}))).await;
        let named = json!({"GroupId": "lunch", "MsgSeq": sent["MsgSeq"]});
        assert_eq!(sent["MsgSeq"], 1);
        assert_eq!(a.api.ok("alice", GROUP_GET, &named).await["LatestSeq"], 0, "{round}");
        b.api.ok("alice", GROUP_SET, &set(&named, &[("k", "v", 0)])).await;
        assert_eq!(a.api.ok("alice", GROUP_GET, &named).await["LatestSeq"], 1);
        seen.insert(round, sent);
        b.api.ok(ADMIN, DESTROY, &json!({"GroupId": "lunch"})).await;
    }
}

#[tokio::test]
async fn who_may_have_missed_something_is_sent_back_and_then_hears_all() {
    let servers = single();
    let Two { a, b } = two_on(servers, config()).await;
    let named = a.api.c2c_message().await;
    let mut bob = Socket::login(b.api.address, "bob").await;
    let killed = Command::new("redis-cli")
        .args(["-p", &servers.ports[0].to_string(), "client", "kill", "type", "pubsub"])
        .output()
        .unwrap();
    assert!(killed.status.success());
    assert_eq!(bob.closed().await, 4006);
    let mut bob = Socket::login(b.api.address, "bob").await;
    a.api.ok("alice", SET, &set(&named, &[("k", "v", 0)])).await;
    assert_eq!(bob.event().await["Seq"], 1);
}

#[tokio::test]
async fn who_may_have_missed_something_while_masters_were_replaced_is_sent_back_too() {
    let redis = spawn_blocking(Redis::cluster).await.unwrap();
    let Two { a, b } = two_on(&redis, config()).await;
    let named = a.api.c2c_message().await;
    let mut bob = Socket::login(b.api.address, "bob").await;
    let failing_over = spawn_blocking(move || {
        for replica in redis.replica_ports() {
            assert_eq!(redis.ask(replica, "cluster failover").trim(), "OK");
        }
        redis.settle();
        redis
    });
    assert_eq!(bob.closed().await, 4006);
    let _redis = failing_over.await.unwrap();
    // It may be sent back once more, for those that were replaced last.
    for key in 0.. {
        let mut bob = Socket::open(b.api.address, &format!("?{}", query("bob"))).await;
        if bob.is_ready().await {
            let write = set(&named, &[(&format!("k{key}"), "v", 0)]);
            while a.api.call("alice", SET, &write).await["ErrorCode"] == 10002 {}
            if bob.event_unless_gone().await.is_some() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_commit_says_whether_a_node_listens_to_the_group() {
    let servers = cluster().servers();
    let (a, b) = (
        RedisStore::connect(servers.clone()).await.unwrap(),
        RedisStore::connect(servers.clone()).await.unwrap(),
    );
    let group = |id: &str| NewGroup {
        group_id: id.into(),
        group_type: "Public".into(),
        name: String::new(),
        members: Vec::new(),
    };
    // Whatever slots they are in.
    for id in (0..9).map(|n| format!("lunch-{n}")) {
        a.create_group(group(&id)).await.unwrap();
        let no = a.group(&id).await.unwrap().unwrap().no;
        let conversation = Conversation::Group { group_id: id.clone(), no };
        let message = NewMessage { conversation, ..new_message(1) };
        let no = a.insert_message(message).await.unwrap().unwrap().stored.no;
        let commit = |seq| Commit { in_group: Some(id.clone()), ..new_commit(no, seq) };
        assert_eq!(a.commit(commit(1)).await, Ok(Hearers::Nobody));
        let (bus, topic) = (b.bus().unwrap(), Topic::Group(id.clone()));
        bus.listen(&topic).await.unwrap();
        assert_eq!(a.commit(commit(2)).await, Ok(Hearers::Perhaps));
        bus.unlisten(&topic).await;
        assert_eq!(a.commit(commit(3)).await, Ok(Hearers::Nobody));
    }
    let no = a.insert_message(new_message(1)).await.unwrap().unwrap().stored.no;
    assert_eq!(a.commit(new_commit(no, 1)).await, Ok(Hearers::Perhaps), "one-to-one: it is not known");
}

#[tokio::test]
async fn what_a_node_did_not_live_to_tell_is_told_by_the_others_in_order_and_once() {
    let servers = cluster().servers();
    let store = async || RedisStore::connect(servers.clone()).await.unwrap();
    let is_dead = Arc::<AtomicBool>::default();
    let mute = FlawedStore::on(store().await).mute(&is_dead);
    let (a, b) =
        (Server::on(config(), Arc::new(mute)).await, Server::on(config(), Arc::new(store().await)).await);
    let named = a.api.c2c_message().await;
    let mut bob = Socket::login(b.api.address, "bob").await;
    for seq in 1..=2 {
        a.api.ok("alice", SET, &set(&named, &[("k", "v", seq - 1)])).await;
    }
    bob.has_nothing().await;
    // Who writes finds what is missing; the one after that only the death brings up.
    b.api.ok("bob", SET, &set(&named, &[("k", "w", 2)])).await;
    for seq in 1..=3 {
        assert_eq!(bob.event().await["Seq"], seq);
    }
    a.api.ok("alice", SET, &set(&named, &[("k", "x", 3)])).await;
    bob.has_nothing().await;
    is_dead.store(true, Ordering::SeqCst);
    assert_eq!(bob.event().await["Seq"], 4);
    bob.has_nothing().await;
}

#[tokio::test]
async fn what_a_node_cannot_tell_is_told_by_the_others_however_much_it_is() {
    let servers = cluster().servers();
    let store = async || RedisStore::connect(servers.clone()).await.unwrap();
    let a = Server::on(config(), Arc::new(FlawedStore::on(store().await).unheard())).await;
    let b = Server::on(config(), Arc::new(store().await)).await;
    let mut named = Vec::new();
    for _ in 0..20 {
        named.push(a.api.c2c_message().await);
    }
    let mut bob = Socket::login(b.api.address, "bob").await;
    // No other change of the same message brings it up.
    for named in &named {
        a.api.ok("alice", SET, &set(named, &[("k", "v", 0)])).await;
    }
    // What cannot be told is looked for when its name is not used any more, and has not been for a while.
    sleep(Duration::from_secs(5)).await;
    let mut told = HashSet::new();
    while told.len() < named.len() {
        told.insert(bob.event().await["MsgKey"].as_str().unwrap().to_owned());
    }
}

#[tokio::test]
async fn rules_are_held_to_through_both() {
    let Two { a, b } = two().await;
    let named = a.api.c2c_message().await;
    let limited =
        message(json!({"From_Account": "alice", "To_Account": "bob", "ExtensionRules": {"MaxKeys": 3}}));
    let sent = a.api.ok(ADMIN, SEND, &limited).await;
    let named = with(&named, json!({"MsgKey": sent["MsgKey"]}));
    let sets = (0..12).map(|i| {
        let api = if i % 2 == 0 { &a.api } else { &b.api };
        let request = set(&named, &[(&format!("k{i}"), "v", 0)]);
        async move { api.ok("bob", SET, &request).await["ExtensionList"][0].get("ErrorCode").cloned() }
    });
    let outcomes = futures_util::future::join_all(sets).await;
    let won = outcomes.iter().filter(|code| code.as_ref().is_none_or(|code| *code == 0)).count();
    assert_eq!(won, 3, "{outcomes:?}");
}
