//! What those hear who leave a group, or lose it.

use serde_json::{Value, json};

use crate::client::{
    ADD, ADMIN, Api, CREATE, DELETE, DESTROY, GROUP_SEND, GROUP_SET, Server, message, now, set,
};
use crate::socket::Socket;

pub(crate) const LEFT: &str = "Group.CallbackAfterMemberExit";
const DESTROYED: &str = "Group.CallbackAfterGroupDestroyed";

async fn remove(api: &Api, group: &Value, users: &[&str]) {
    api.ok(ADMIN, DELETE, &json!({"GroupId": group["GroupId"], "MemberToDel_Account": users})).await;
}

async fn add(api: &Api, group: &Value, user: &str) {
    let request = json!({"GroupId": group["GroupId"], "MemberList": [{"Member_Account": user}]});
    api.ok(ADMIN, ADD, &request).await;
}

async fn is_told(socket: &mut Socket, command: &str, group: &Value) {
    let event = socket.event().await;
    let expected =
        json!({"CallbackCommand": command, "GroupId": group["GroupId"], "EventTime": event["EventTime"]});
    assert_eq!(event, expected);
    let age = now() - event["EventTime"].as_u64().unwrap() / 1000;
    assert!(age < 60, "{age} s");
}

#[tokio::test]
async fn who_is_removed_is_told_on_every_connection_and_nobody_else_is() {
    let server = Server::start().await;
    let group = server.api.group_message("Public").await;
    let mut carols =
        [Socket::login(server.api.address, "carol").await, Socket::login(server.api.address, "carol").await];
    let mut others = Vec::new();
    for user in ["alice", "bob", "mallory", ADMIN] {
        others.push(Socket::login(server.api.address, user).await);
    }
    remove(&server.api, &group, &["carol", "mallory", "carol"]).await;
    for socket in &mut carols {
        is_told(socket, LEFT, &group).await;
        socket.has_nothing().await;
    }
    for socket in &mut others {
        socket.has_nothing().await;
    }
    // No member any more, so there is nothing to tell.
    remove(&server.api, &group, &["carol"]).await;
    carols[0].has_nothing().await;
}

#[tokio::test]
async fn nothing_of_the_group_follows_to_who_has_left_until_they_are_added_again() {
    let server = Server::start().await;
    let group = server.api.group_message("Public").await;
    let mut carol = Socket::login(server.api.address, "carol").await;
    server.api.ok("bob", GROUP_SET, &set(&group, &[("before", "v", 0)])).await;
    assert_eq!(carol.event().await["Seq"], 1);
    remove(&server.api, &group, &["carol"]).await;
    server.api.ok("bob", GROUP_SET, &set(&group, &[("after", "v", 0)])).await;
    server.api.ok("bob", GROUP_SEND, &message(json!({"GroupId": group["GroupId"]}))).await;
    is_told(&mut carol, LEFT, &group).await;
    carol.has_nothing().await;
    add(&server.api, &group, "carol").await;
    server.api.ok("bob", GROUP_SET, &set(&group, &[("again", "v", 0)])).await;
    assert_eq!(carol.event().await["Seq"], 3);
}

#[tokio::test]
async fn the_members_of_a_group_that_is_destroyed_are_told_and_past_ones_are_not() {
    let server = Server::start().await;
    let group = server.api.group_message("Public").await;
    remove(&server.api, &group, &["carol"]).await;
    let mut members =
        [Socket::login(server.api.address, "alice").await, Socket::login(server.api.address, "bob").await];
    let mut carol = Socket::login(server.api.address, "carol").await;
    let named = json!({"GroupId": group["GroupId"]});
    server.api.ok(ADMIN, DESTROY, &named).await;
    for socket in &mut members {
        is_told(socket, DESTROYED, &group).await;
        socket.has_nothing().await;
    }
    carol.has_nothing().await;
    assert_eq!(server.api.refused(ADMIN, DESTROY, &named).await, 10010);
    // Another group under the same ID is none of theirs.
    let anew =
        json!({"Owner_Account": "carol", "Type": "Public", "Name": "Anew", "GroupId": group["GroupId"]});
    server.api.ok(ADMIN, CREATE, &anew).await;
    server.api.ok("carol", GROUP_SEND, &message(named)).await;
    assert_eq!(carol.event().await["MsgSeq"], 1);
    for socket in &mut members {
        socket.has_nothing().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_concurrent_writers_the_farewell_is_the_last_that_is_heard_of_a_group() {
    let server = Server::start().await;
    let group = server.api.group_message("Public").await;
    for round in 0..20 {
        let mut carol = Socket::login(server.api.address, "carol").await;
        let writes = (0..8).map(|n| {
            let (api, write) = (&server.api, set(&group, &[(&format!("k{n}"), &round.to_string(), 0)]));
            async move { api.ok(ADMIN, GROUP_SET, &write).await }
        });
        tokio::join!(futures_util::future::join_all(writes), remove(&server.api, &group, &["carol"]));
        while carol.event().await["CallbackCommand"] != LEFT {}
        carol.has_nothing().await;
        add(&server.api, &group, "carol").await;
    }
}
