//! Groups, sending and listing messages over REST.

use serde_json::{Value, json};

use crate::client::{
    ADD, ADMIN, CREATE, DELETE, DESTROY, GROUP_LIST, GROUP_SEND, LIST, SEND, Server, message, query, with,
};

#[tokio::test]
async fn message_bodies_come_back_letter_by_letter() {
    let server = Server::start().await;
    let body = r#"[{"MsgType":"TIMCustomElem", "MsgContent":{"Z":1.00,"Data":"\u4eba{\"a\": 1}","A":12345678901234567890123}}]"#;
    let request = format!(r#"{{"To_Account":"bob","MsgBody":{body}}}"#);
    server.api.post(SEND, &query("alice"), &request).await;
    let list = json!({"Operator_Account": "bob", "Peer_Account": "alice"}).to_string();
    let url = format!("/v4/{LIST}?{}", query("bob"));
    let listed = server.api.http("POST", &url, &[], &list).await.unwrap().body;
    assert!(listed.contains(&body[1..body.len() - 1]), "{listed}");
}

#[tokio::test]
async fn a_body_that_is_not_a_message_is_refused() {
    let server = Server::start().await;
    let element = json!({"MsgType": "TIMTextElem", "MsgContent": {}});
    let bodies = [
        json!(null),
        json!([]),
        json!("text"),
        json!([element, "text"]),
        json!([{"MsgType": 1, "MsgContent": {}}]),
        json!([{"MsgType": "TIMTextElem"}]),
        json!([{"MsgType": "TIMTextElem", "MsgContent": []}]),
        json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "x".repeat(13_000)}}]),
    ];
    for body in bodies {
        let request = json!({"To_Account": "bob", "MsgBody": body});
        assert_eq!(server.api.refused("alice", SEND, &request).await, 10004, "{body}");
    }
    assert_eq!(server.api.refused("alice", SEND, &json!({"To_Account": "bob"})).await, 10004);
    assert_eq!(server.api.refused("alice", SEND, &json!({"MsgBody": [element]})).await, 10004);
    let control = json!({"To_Account": "bo\u{1}b", "MsgBody": [element]});
    assert_eq!(server.api.refused("alice", SEND, &control).await, 10004);
}

#[tokio::test]
async fn a_user_sends_as_themselves_only_and_an_admin_for_anybody() {
    let server = Server::start().await;
    let as_alice = message(json!({"From_Account": "alice", "To_Account": "bob"}));
    assert_eq!(server.api.refused("bob", SEND, &as_alice).await, 60010);
    server.api.ok("alice", SEND, &as_alice).await;
    server.api.ok(ADMIN, SEND, &as_alice).await;
    let with_id = |id: &str| message(json!({"To_Account": "bob", "MessageID": id}));
    assert_eq!(server.api.refused("alice", SEND, &with_id("alicia-1-2")).await, 10004);
    assert_eq!(server.api.refused("alice", SEND, &with_id("bob-1-2")).await, 10004);
    server.api.ok("alice", SEND, &with_id("alice-1-2")).await;
}

#[tokio::test]
async fn the_same_message_sent_again_answers_as_the_first_time() {
    let server = Server::start().await;
    let request =
        message(json!({"To_Account": "bob", "MsgSeq": 1, "MsgRandom": 2, "MessageID": "alice-9-9"}));
    let first = server.api.ok("alice", SEND, &request).await;
    // Another sequence, so another MsgKey, but the same MessageID.
    let again = with(&request, json!({"MsgSeq": 5}));
    assert_eq!(server.api.ok("alice", SEND, &again).await, first);
    server.api.group_message("Public").await;
    let list = json!({"Operator_Account": "alice", "Peer_Account": "bob"});
    assert_eq!(server.api.ok("alice", LIST, &list).await["MsgCnt"], 1);
    // The same ID to somebody else is another message.
    server.api.ok("alice", SEND, &with(&request, json!({"To_Account": "carol"}))).await;

    let group = server.api.group_message("Public").await;
    let request = message(json!({"GroupId": group["GroupId"], "MessageID": "alice-9-9"}));
    let first = server.api.ok("alice", GROUP_SEND, &request).await;
    assert_eq!(first["MsgSeq"], 2);
    assert_eq!(server.api.ok("alice", GROUP_SEND, &request).await, first);
}

#[tokio::test]
async fn messages_without_an_id_are_told_apart_though_random_is_the_same() {
    let server = Server::start().await;
    let group = server.api.group_message("Public").await;
    let to_group = message(json!({"GroupId": group["GroupId"], "Random": 1}));
    let mut ids = std::collections::HashSet::new();
    for n in 0..3 {
        let sent = server.api.ok("alice", GROUP_SEND, &to_group).await;
        assert_eq!(sent["MsgSeq"], n + 2);
        ids.insert(sent["MessageID"].to_string());
        let to_bob = message(json!({"To_Account": "bob", "MsgSeq": n, "MsgRandom": 2}));
        ids.insert(server.api.ok("alice", SEND, &to_bob).await["MessageID"].to_string());
    }
    assert_eq!(ids.len(), 6);
}

#[tokio::test]
async fn one_to_one_lists_page_back_in_time_oldest_first() {
    let server = Server::start().await;
    for n in 0..5 {
        let (from, to) = if n % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
        server.api.ok(from, SEND, &message(json!({"To_Account": to, "MsgSeq": n, "MsgRandom": 1}))).await;
    }
    server.api.ok("alice", SEND, &message(json!({"To_Account": "carol", "MsgSeq": 9}))).await;
    let seqs = |page: &Value| -> Vec<u64> {
        page["MsgList"].as_array().unwrap().iter().map(|m| m["MsgSeq"].as_u64().unwrap()).collect()
    };
    let mut request = json!({"Operator_Account": "bob", "Peer_Account": "alice", "MaxCnt": 2});
    let mut pages = Vec::new();
    loop {
        let page = server.api.ok("bob", LIST, &request).await;
        pages.push(seqs(&page));
        if page["Complete"] == 1 {
            break;
        }
        request = with(&request, json!({"MaxTime": page["LastMsgTime"], "LastMsgKey": page["LastMsgKey"]}));
    }
    assert_eq!(pages, [vec![3, 4], vec![1, 2], vec![0]]);
    assert_eq!(server.api.refused("carol", LIST, &request).await, 60010);
    server.api.ok(ADMIN, LIST, &request).await;
}

#[tokio::test]
async fn group_lists_go_back_in_msgseq_newest_first_for_members_and_admins() {
    let server = Server::start().await;
    let group = server.api.group_message("Public").await;
    for _ in 0..3 {
        server.api.ok("bob", GROUP_SEND, &message(json!({"GroupId": group["GroupId"]}))).await;
    }
    let request = json!({"GroupId": group["GroupId"], "ReqMsgNumber": 3});
    let page = server.api.ok("carol", GROUP_LIST, &request).await;
    let seqs: Vec<_> = page["RspMsgList"].as_array().unwrap().iter().map(|m| m["MsgSeq"].clone()).collect();
    assert_eq!((seqs, &page["IsFinished"]), (vec![json!(4), json!(3), json!(2)], &json!(0)));
    let page = server.api.ok(ADMIN, GROUP_LIST, &with(&request, json!({"ReqMsgSeq": 1}))).await;
    assert_eq!((&page["RspMsgList"][0]["From_Account"], &page["IsFinished"]), (&json!("alice"), &json!(1)));
    assert_eq!(server.api.refused("mallory", GROUP_LIST, &request).await, 10010);
    assert_eq!(
        server.api.refused("mallory", GROUP_SEND, &message(json!({"GroupId": group["GroupId"]}))).await,
        10010
    );
}

#[tokio::test]
async fn groups_are_made_and_changed_by_admins() {
    let server = Server::start().await;
    let group = json!({"Owner_Account": "alice", "Type": "Public", "Name": "Lunch", "GroupId": "lunch"});
    assert_eq!(server.api.refused("alice", CREATE, &group).await, 60010);
    let reply = server.api.ok(ADMIN, CREATE, &group).await;
    assert_eq!(reply, json!({"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "GroupId": "lunch"}));
    assert_eq!(server.api.refused(ADMIN, CREATE, &group).await, 10021);
    let members =
        json!({"GroupId": "lunch", "MemberList": [{"Member_Account": "carol"}, {"Member_Account": "alice"}]});
    let reply = server.api.ok(ADMIN, ADD, &members).await;
    let expected =
        json!([{"Member_Account": "carol", "Result": 1}, {"Member_Account": "alice", "Result": 2}]);
    assert_eq!(reply["MemberList"], expected);
    for (path, body) in [
        (ADD, json!({"GroupId": "nowhere", "MemberList": [{"Member_Account": "carol"}]})),
        (DELETE, json!({"GroupId": "nowhere", "MemberToDel_Account": ["carol"]})),
        (DESTROY, json!({"GroupId": "nowhere"})),
    ] {
        assert_eq!(server.api.refused(ADMIN, path, &body).await, 10010);
    }
    for bad in [json!({"Type": "Club"}), json!({"Name": ""}), json!({"GroupId": "x".repeat(49)})] {
        assert_eq!(server.api.refused(ADMIN, CREATE, &with(&group, bad)).await, 10004);
    }
}
