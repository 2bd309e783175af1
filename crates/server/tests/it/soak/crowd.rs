//! Many who are connected at once: a group in which everybody watches, and connections that only wait.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::process::Child;

use super::{amount, done};
use crate::client::{ADD, ADMIN, CREATE, GROUP_SEND, GROUP_SET, SET, message, set};
use crate::process::serve;
use crate::socket::Socket;

fn user(n: u64) -> String {
    format!("user{n}")
}

/// Connects so many users, some at a time: a listener's backlog is not endless.
async fn connect(address: std::net::SocketAddr, users: u64) -> Vec<Socket> {
    let mut sockets = Vec::new();
    for first in (0..users).step_by(50) {
        let some =
            (first..users.min(first + 50)).map(|n| async move { Socket::login(address, &user(n)).await });
        sockets.extend(join_all(some).await);
    }
    sockets
}

/// Resident memory of a process, bytes.
fn resident(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id().unwrap())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn a_change_in_a_group_reaches_all_who_are_online_and_writes_elsewhere_go_on() {
    let members = amount("SOAK_MEMBERS", 200);
    let dir = tempfile::tempdir().unwrap();
    let (_child, api) = serve(dir.path()).await;
    let group = json!({"Type": "Public", "Name": "All", "GroupId": "all", "MemberList": [{"Member_Account": user(0)}]});
    api.ok(ADMIN, CREATE, &group).await;
    let all: Vec<Value> = (1..members).map(|n| json!({"Member_Account": user(n)})).collect();
    for some in all.chunks(500) {
        api.ok(ADMIN, ADD, &json!({"GroupId": "all", "MemberList": some})).await;
    }
    let sent = api.ok(&user(0), GROUP_SEND, &message(json!({"GroupId": "all"}))).await;
    let vote = json!({"GroupId": "all", "MsgSeq": sent["MsgSeq"]});
    let elsewhere = api.c2c_message().await;
    let mut sockets = connect(api.address, members).await;
    let (other, quiet) = (api.clone(), elsewhere.clone());
    let writes = tokio::spawn(async move {
        for seq in 0..50 {
            let reply = other.ok("bob", SET, &set(&quiet, &[("k", "v", seq)])).await;
            assert_eq!(reply["Seq"], seq + 1);
        }
    });
    let mut slowest = (Duration::ZERO, Duration::ZERO);
    for seq in 1..=5_u64 {
        let begun = Instant::now();
        let reply = api.ok(&user(1), GROUP_SET, &set(&vote, &[(&format!("k{seq}"), "v", 0)])).await;
        let answered = begun.elapsed();
        assert_eq!(reply["Seq"], seq);
        for event in join_all(sockets.iter_mut().map(Socket::event)).await {
            assert_eq!((&event["Seq"], &event["MsgSeq"]), (&json!(seq), &vote["MsgSeq"]));
        }
        slowest = slowest.max((begun.elapsed(), answered));
    }
    writes.await.unwrap();
    let (read, answered) = slowest;
    done(format_args!(
        "{members} online: the slowest of 5 changes was answered after {answered:?}, and read by all after {read:?}"
    ));
}

/// As many files as connections must be allowed (`ulimit -n`).
#[tokio::test]
async fn connections_that_only_wait_are_there_when_something_comes() {
    let connections = amount("SOAK_CONNECTIONS", 100);
    let dir = tempfile::tempdir().unwrap();
    let (child, api) = serve(dir.path()).await;
    let before = resident(&child);
    let begun = Instant::now();
    let mut sockets = connect(api.address, connections).await;
    let connected = begun.elapsed();
    let with_all = resident(&child);
    done(format_args!(
        "{connections} idle connections: {:.1} MiB resident ({:.1} MiB without, {} bytes each), connected in {:.1} s",
        with_all as f64 / 1_048_576.0,
        before as f64 / 1_048_576.0,
        (with_all - before) / connections,
        connected.as_secs_f64()
    ));
    // They are there, each of them.
    let last = connections - 1;
    for n in [0, last / 2, last] {
        let send = json!({"From_Account": "alice", "To_Account": user(n)});
        api.ok(ADMIN, crate::client::SEND, &message(send)).await;
        assert_eq!(sockets[n as usize].event().await["To_Account"], user(n));
    }
}
