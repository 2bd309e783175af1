//! Rules of messages over REST: given with the message, shown with it, held against everybody but admins, after a restart
//! too. What each rule forbids is the law's, and tested with it.

use std::sync::Arc;

use message_extensions_server::store::{MemoryStore, SqliteStore};
use serde_json::{Value, json};

use crate::client::{
    ADMIN, Api, GET, GROUP_GET, GROUP_LIST, GROUP_SEND, GROUP_SET, LIST, REGISTER, SEND, SET, Server, config,
    message, set, with,
};
use crate::socket::Socket;

fn vote() -> Value {
    json!({"KeyOwner": {"Suffix": "_0"}, "WriteOnce": true, "Values": ["1", "2"], "ClearBy": "admin"})
}

/// The request that names a new message from alice to bob with these rules.
async fn ruled(api: &Api, rules: Value) -> Value {
    let send = json!({"From_Account": "alice", "To_Account": "bob", "ExtensionRules": rules});
    let reply = api.ok("alice", SEND, &message(send)).await;
    json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": reply["MsgKey"]})
}

/// The only item of the answer.
async fn item(api: &Api, user: &str, request: &Value) -> Value {
    let reply = api.ok(user, SET, request).await;
    let items = reply["ExtensionList"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    items[0].clone()
}

fn delete(message: &Value, key: &str, seq: u64) -> Value {
    with(message, json!({"OperateType": 2, "ExtensionList": [{"Key": key, "Seq": seq}]}))
}

fn clear(message: &Value) -> Value {
    with(message, json!({"OperateType": 3}))
}

#[tokio::test]
async fn each_rule_answers_with_its_code_and_what_the_key_holds_and_admins_pass() {
    let server = Server::start().await;
    let api = &server.api;
    let vote = ruled(api, vote()).await;
    let mut alice = Socket::login(api.address, "alice").await;
    assert_eq!(item(api, "bob", &set(&vote, &[("bob_0", "1", 0)])).await["ErrorCode"], 0);
    assert_eq!(alice.event().await["Seq"], 1);
    for (user, request, code, value, seq) in [
        ("alice", set(&vote, &[("bob_0", "2", 1)]), 23102, "1", 1),
        ("alice", delete(&vote, "bob_0", 1), 23102, "1", 1),
        ("bob", set(&vote, &[("bob_0", "2", 1)]), 23103, "1", 1),
        ("bob", delete(&vote, "bob_0", 1), 23103, "1", 1),
        ("alice", set(&vote, &[("alice_0", "3", 0)]), 23106, "", 0),
    ] {
        let answer = item(api, user, &request).await;
        assert_eq!(answer["ErrorCode"], code, "{request}");
        assert_eq!(
            (&answer["Extension"]["Value"], &answer["Extension"]["Seq"]),
            (&json!(value), &json!(seq))
        );
    }
    for user in ["alice", "bob"] {
        assert_eq!(api.refused(user, SET, &clear(&vote)).await, 23107);
    }
    alice.has_nothing().await;
    assert_eq!(item(api, ADMIN, &set(&vote, &[("closed", "yes", 0)])).await["ErrorCode"], 0);
    assert_eq!(item(api, ADMIN, &delete(&vote, "bob_0", 0)).await["ErrorCode"], 0);
    assert_eq!(api.ok(ADMIN, SET, &clear(&vote)).await["Seq"], 4);
}

#[tokio::test]
async fn a_message_closes_at_its_time() {
    let server = Server::start().await;
    let api = &server.api;
    let past = ruled(api, json!({"ClosesAt": 1})).await;
    let future = ruled(api, json!({"ClosesAt": 4_102_444_800_000_u64})).await;
    assert_eq!(item(api, "bob", &set(&past, &[("k", "v", 0)])).await["ErrorCode"], 23104);
    assert_eq!(item(api, "bob", &delete(&past, "k", 0)).await["ErrorCode"], 23104);
    assert_eq!(api.refused("alice", SET, &clear(&past)).await, 23107);
    assert_eq!(item(api, "bob", &set(&future, &[("k", "v", 0)])).await["ErrorCode"], 0);
    assert_eq!(api.ok("bob", SET, &clear(&future)).await["Seq"], 2);
}

#[tokio::test]
async fn rules_are_shown_wherever_the_message_is() {
    let server = Server::start().await;
    let api = &server.api;
    let mut bob = Socket::login(api.address, "bob").await;
    ruled(api, vote()).await;
    assert_eq!(bob.event().await["ExtensionRules"], vote());
    let list = json!({"Operator_Account": "bob", "Peer_Account": "alice"});
    assert_eq!(api.ok("bob", LIST, &list).await["MsgList"][0]["ExtensionRules"], vote());
    ruled(api, Value::Null).await;
    assert_eq!(bob.event().await.get("ExtensionRules"), None);
    let named = api.group_message("Public").await;
    let chain = json!({"MaxKeys": 2});
    api.ok("alice", GROUP_SEND, &message(json!({"GroupId": named["GroupId"], "ExtensionRules": chain})))
        .await;
    assert_eq!(bob.event().await.get("ExtensionRules"), None);
    assert_eq!(bob.event().await["ExtensionRules"], chain);
    let listed = api.ok("bob", GROUP_LIST, &json!({"GroupId": named["GroupId"]})).await;
    assert_eq!(listed["RspMsgList"][0]["ExtensionRules"], chain);
    assert_eq!(listed["RspMsgList"][1].get("ExtensionRules"), None);
}

#[tokio::test]
async fn rules_may_be_spelt_as_javascript_and_the_rest_of_the_protocol_would() {
    let server = Server::start().await;
    let mut bob = Socket::login(server.api.address, "bob").await;
    ruled(
        &server.api,
        json!({"KeyOwner": {"suffix": ""}, "WriteOnce": 1, "MaxKeys": null, "ClearBy": "any"}),
    )
    .await;
    let shown = json!({"KeyOwner": {"Suffix": ""}, "WriteOnce": true, "ClearBy": "any"});
    assert_eq!(bob.event().await["ExtensionRules"], shown);
}

#[tokio::test]
async fn rules_hold_after_a_restart_and_for_a_message_that_is_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = || Arc::new(SqliteStore::open(dir.path()).unwrap());
    let server = Server::on(config(), store()).await;
    let send = |rules: Value| {
        message(
            json!({"From_Account": "alice", "To_Account": "bob", "MessageID": "alice-1-1", "ExtensionRules": rules}),
        )
    };
    let key = server.api.ok("alice", SEND, &send(vote())).await["MsgKey"].clone();
    server.stop().await;
    let server = Server::on(config(), store()).await;
    assert_eq!(server.api.ok("alice", SEND, &send(json!({"ClearBy": "any"}))).await["MsgKey"], key);
    let vote = json!({"To_Account": "bob", "MsgKey": key});
    assert_eq!(item(&server.api, "alice", &set(&vote, &[("bob_0", "1", 0)])).await["ErrorCode"], 23102);
    assert_eq!(server.api.refused("alice", SET, &clear(&vote)).await, 23107);
    assert_eq!(item(&server.api, "bob", &set(&vote, &[("bob_0", "1", 0)])).await["ErrorCode"], 0);
    server.stop().await;
}

#[tokio::test]
async fn a_message_of_another_chat_is_adopted_with_its_rules_for_good() {
    let server = Server::start().await;
    let api = &server.api;
    let named = json!({"GroupId": "lunch", "MsgSeq": 7});
    let members: Value = ["alice", "bob"].iter().map(|user| json!({"Member_Account": user})).collect();
    let given = json!({"From_Account": "alice", "MemberList": members, "ExtensionRules": {"MaxKeys": 1}});
    let register = with(&named, given);
    for _ in 0..2 {
        api.ok(ADMIN, REGISTER, &register).await;
    }
    for other in [json!({"MaxKeys": 2}), Value::Null] {
        assert_eq!(
            api.refused(ADMIN, REGISTER, &with(&register, json!({"ExtensionRules": other}))).await,
            10004
        );
    }
    let both = api.ok("bob", GROUP_SET, &set(&named, &[("a", "1", 0), ("b", "1", 0)])).await;
    let codes: Vec<_> =
        both["ExtensionList"].as_array().unwrap().iter().map(|i| i["ErrorCode"].clone()).collect();
    assert_eq!(codes, [0, 23105]);
    assert_eq!(api.ok("alice", GROUP_GET, &named).await["ExtensionList"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn rules_that_are_none_are_refused_by_name_and_nothing_is_sent() {
    let server = Server::with(config()).await;
    let api = &server.api;
    api.group_message("Public").await;
    let group_id = json!("lunch");
    let members = json!([{"Member_Account": "alice"}]);
    let c2c = message(json!({"From_Account": "alice", "To_Account": "bob"}));
    let group = message(json!({"GroupId": group_id, "From_Account": "alice"}));
    let adopted = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": "1_2_3"});
    api.ok(
        ADMIN,
        REGISTER,
        &with(
            &json!({"From_Account": "alice", "GroupId": group_id, "MsgSeq": 1}),
            json!({"MemberList": members}),
        ),
    )
    .await;
    let commands = [(SEND, c2c), (GROUP_SEND, group), (REGISTER, adopted)];
    let long = "人".repeat(334);
    let many: Vec<String> = (0..101).map(|i| i.to_string()).collect();
    let cases = [
        (json!([]), "ExtensionRules"),
        (json!(["", true]), "ExtensionRules"),
        (json!("KeyOwner"), "ExtensionRules"),
        (json!(5), "ExtensionRules"),
        (json!({"Rule": 1}), "Rule"),
        (json!({"keyOwner": {"Suffix": "_0"}}), "keyOwner"),
        (json!({"KeyOwner": true}), "ExtensionRules.KeyOwner"),
        (json!({"KeyOwner": "_0"}), "ExtensionRules.KeyOwner"),
        (json!({"KeyOwner": ["_0"]}), "ExtensionRules.KeyOwner"),
        (json!({"KeyOwner": {"Suffix": 5}}), "Suffix"),
        (json!({"KeyOwner": {"Suffix": null}}), "Suffix"),
        (json!({"KeyOwner": {"Prefix": "x"}}), "Prefix"),
        (json!({"KeyOwner": {"Suffix": "x".repeat(100)}}), "ExtensionRules.KeyOwner.Suffix"),
        (json!({"WriteOnce": "true"}), "ExtensionRules.WriteOnce"),
        (json!({"WriteOnce": 2}), "ExtensionRules.WriteOnce"),
        (json!({"WriteOnce": -1}), "ExtensionRules.WriteOnce"),
        (json!({"WriteOnce": null}), "ExtensionRules.WriteOnce"),
        (json!({"ClosesAt": 0}), "ExtensionRules.ClosesAt"),
        (json!({"ClosesAt": -1}), "ExtensionRules.ClosesAt"),
        (json!({"ClosesAt": 1.5}), "ExtensionRules.ClosesAt"),
        (json!({"ClosesAt": "2026-11-21"}), "ExtensionRules.ClosesAt"),
        (json!({"MaxKeys": 0}), "ExtensionRules.MaxKeys"),
        (json!({"MaxKeys": 301}), "ExtensionRules.MaxKeys"),
        (json!({"MaxKeys": -1}), "ExtensionRules.MaxKeys"),
        (json!({"MaxKeys": "50"}), "ExtensionRules.MaxKeys"),
        (json!({"MaxKeys": 2.5}), "ExtensionRules.MaxKeys"),
        (json!({"Values": []}), "ExtensionRules.Values"),
        (json!({"Values": "yes"}), "ExtensionRules.Values"),
        (json!({"Values": {"yes": 1}}), "ExtensionRules.Values"),
        (json!({"Values": ["a", 5]}), "ExtensionRules.Values[1]"),
        (json!({"Values": ["a", ""]}), "ExtensionRules.Values[1]"),
        (json!({"Values": ["a", "a"]}), "ExtensionRules.Values[1]"),
        (json!({"Values": [long]}), "ExtensionRules.Values[0]"),
        (json!({"Values": many}), "ExtensionRules.Values"),
        (json!({"ClearBy": "owner"}), "ExtensionRules.ClearBy"),
        (json!({"ClearBy": "Author"}), "ExtensionRules.ClearBy"),
        (json!({"ClearBy": 1}), "ExtensionRules.ClearBy"),
    ];
    for (path, request) in commands {
        for (rules, names) in &cases {
            let request = with(&request, json!({"ExtensionRules": rules}));
            let reply = api.call(ADMIN, path, &request).await;
            assert_eq!(reply["ErrorCode"], 10004, "{path} {rules}: {reply}");
            let text = reply["ErrorInfo"].as_str().unwrap();
            assert!(text.contains(names) && text.len() <= 500, "{path} {rules}: {text}");
        }
        let off = with(&request, json!({"SupportMessageExtension": 0, "ExtensionRules": {}}));
        let reply = api.call(ADMIN, path, &off).await;
        assert_eq!(reply["ErrorCode"], 10004, "{reply}");
        assert!(reply["ErrorInfo"].as_str().unwrap().contains("SupportMessageExtension"), "{reply}");
    }
    let list = json!({"Operator_Account": "bob", "Peer_Account": "alice"});
    assert_eq!(api.ok("bob", LIST, &list).await["MsgCnt"], 0);
    let listed = api.ok("alice", GROUP_LIST, &json!({"GroupId": group_id})).await;
    assert_eq!(listed["RspMsgList"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn many_at_once_get_exactly_the_seats_that_there_are() {
    let server = Server::on(config(), Arc::new(MemoryStore::new())).await;
    let chain = ruled(&server.api, json!({"MaxKeys": 5})).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (api, chain) = (server.api.clone(), chain.clone());
        tasks.spawn(async move {
            let user = ["alice", "bob"][n % 2];
            item(&api, user, &set(&chain, &[(&format!("seat {n}"), user, 0)])).await["ErrorCode"].clone()
        });
    }
    let codes = tasks.join_all().await;
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 5);
    assert_eq!(codes.iter().filter(|code| **code == 23105).count(), 15);
    let held = server.api.ok("bob", GET, &chain).await;
    assert_eq!(held["ExtensionList"].as_array().unwrap().len(), 5);
}
