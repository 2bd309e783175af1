//! Messages of another chat that are adopted.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use message_extensions_server::store::{MemoryStore, SqliteStore, Store};
use serde_json::{Value, json};

use crate::client::{
    ADD, ADMIN, CREATE, DELETE, GET, GROUP_GET, GROUP_LIST, GROUP_SEND, GROUP_SET, LIST, REGISTER, SEND, SET,
    Server, config, message, set, with,
};
use crate::faulty::FaultyStore;
use crate::socket::Socket;

fn c2c() -> Value {
    json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": "44739199_12_1665388280"})
}

fn members(users: &[&str]) -> Value {
    users.iter().map(|user| json!({"Member_Account": user})).collect()
}

fn in_group() -> Value {
    json!({"From_Account": "alice", "GroupId": "lunch", "MsgSeq": 158, "MemberList": members(&["alice", "bob"])})
}

#[tokio::test]
async fn a_one_to_one_message_is_adopted_and_extended_by_both_and_nobody_else() {
    let server = Server::start().await;
    let mut bob = Socket::login(server.api.address, "bob").await;
    for user in ["alice", "bob", ADMIN] {
        assert_eq!(server.api.refused(user, GET, &c2c()).await, 23004);
    }
    let reply = server.api.ok(ADMIN, REGISTER, &c2c()).await;
    let expected = json!({"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "MsgTime": 1_665_388_280,
        "MsgKey": "44739199_12_1665388280", "MessageID": "alice-1665388280-12"});
    assert_eq!(reply, expected);
    bob.has_nothing().await;
    server.api.ok("alice", SET, &set(&c2c(), &[("k", "v", 0)])).await;
    assert_eq!(bob.event().await["MessageID"], "alice-1665388280-12");
    assert_eq!(server.api.ok("bob", GET, &c2c()).await["LatestSeq"], 1);
    assert_eq!(server.api.refused("mallory", GET, &c2c()).await, 23004);
    let list = json!({"Operator_Account": "bob", "Peer_Account": "alice"});
    let listed = server.api.ok("bob", LIST, &list).await["MsgList"][0].clone();
    assert_eq!((&listed["MsgBody"], &listed["SupportMessageExtension"]), (&json!([]), &json!(1)));
}

#[tokio::test]
async fn a_group_is_adopted_with_its_members_and_its_later_messages_follow() {
    let server = Server::start().await;
    let named = json!({"GroupId": "lunch", "MsgSeq": 158});
    let without = json!({"From_Account": "alice", "GroupId": "lunch", "MsgSeq": 158});
    assert_eq!(server.api.refused(ADMIN, REGISTER, &without).await, 10010);
    let reply = server.api.ok(ADMIN, REGISTER, &in_group()).await;
    assert_eq!((&reply["MsgSeq"], reply.get("MsgKey")), (&json!(158), None));
    for user in ["alice", "bob"] {
        server.api.ok(user, GROUP_SET, &set(&named, &[(user, "here", 0)])).await;
    }
    assert_eq!(server.api.refused("carol", GROUP_GET, &named).await, 23004);
    assert_eq!(server.api.refused("bob", GROUP_GET, &with(&named, json!({"MsgSeq": 157}))).await, 23004);
    server.api.ok(ADMIN, REGISTER, &with(&without, json!({"MsgSeq": 40}))).await;
    let sent = server.api.ok("bob", GROUP_SEND, &message(json!({"GroupId": "lunch"}))).await;
    assert_eq!(sent["MsgSeq"], 159);
    let list = server.api.ok("bob", GROUP_LIST, &json!({"GroupId": "lunch"})).await;
    let seqs: Vec<_> =
        list["RspMsgList"].as_array().unwrap().iter().map(|m| m["MsgSeq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [159, 158, 40]);
}

#[tokio::test]
async fn registering_again_does_not_bring_back_who_was_removed() {
    let server = Server::start().await;
    server.api.ok(ADMIN, REGISTER, &in_group()).await;
    let gone = json!({"GroupId": "lunch", "MemberToDel_Account": ["bob"]});
    server.api.ok(ADMIN, DELETE, &gone).await;
    server.api.ok(ADMIN, REGISTER, &in_group()).await;
    server.api.ok(ADMIN, REGISTER, &with(&in_group(), json!({"MsgSeq": 159}))).await;
    for msg_seq in [158, 159] {
        let named = json!({"GroupId": "lunch", "MsgSeq": msg_seq});
        assert_eq!(server.api.refused("bob", GROUP_GET, &named).await, 23004);
        server.api.ok("alice", GROUP_GET, &named).await;
    }
    let back = json!({"GroupId": "lunch", "MemberList": members(&["bob"])});
    server.api.ok(ADMIN, ADD, &back).await;
    server.api.ok("bob", GROUP_GET, &json!({"GroupId": "lunch", "MsgSeq": 158})).await;
}

/// In both stores: again is as once, what differs is a conflict, and what the messages hold stays.
#[tokio::test]
async fn again_answers_as_once_and_a_conflict_is_10004_and_neither_changes_anything() {
    let dir = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn Store>; 2] =
        [Arc::new(MemoryStore::new()), Arc::new(SqliteStore::open(dir.path()).unwrap())];
    for store in stores {
        let server = Server::on(config(), store).await;
        let api = &server.api;
        let sent = api.ok("alice", SEND, &message(json!({"To_Account": "bob", "MsgSeq": 7}))).await;
        let sent_key = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": sent["MsgKey"]});
        api.ok(ADMIN, REGISTER, &with(&in_group(), json!({"MsgSeq": 9, "MessageID": "nine"}))).await;
        let cases = [
            (c2c(), SET, GET, vec![json!({"SupportMessageExtension": 0})]),
            (
                with(&c2c(), json!({"MsgKey": "1_2_3", "MessageID": "x"})),
                SET,
                GET,
                vec![
                    json!({"MessageID": "y"}),
                    // Another message by its key, which would take this one's ID.
                    json!({"MsgKey": "1_2_4"}),
                    json!({"MessageID": sent["MessageID"]}),
                ],
            ),
            (sent_key, SET, GET, vec![json!({"MessageID": "x"}), json!({"SupportMessageExtension": 0})]),
            (
                in_group(),
                GROUP_SET,
                GROUP_GET,
                vec![
                    json!({"From_Account": "bob"}),
                    json!({"MessageID": "other"}),
                    json!({"MessageID": "nine"}),
                    json!({"SupportMessageExtension": 0}),
                ],
            ),
        ];
        for (request, set_path, get_path, conflicts) in cases {
            let first = api.ok(ADMIN, REGISTER, &request).await;
            let write =
                with(&set(&request, &[("k", "v", 0)]), json!({"MessageID": null, "MemberList": null}));
            api.ok("bob", set_path, &write).await;
            let pull = async || api.ok("bob", get_path, &with(&request, json!({"WithAuthor": 1}))).await;
            let before = pull().await;
            assert_eq!(before["LatestSeq"], 1);
            assert_eq!(api.ok(ADMIN, REGISTER, &request).await, first);
            let named =
                with(&request, json!({"MessageID": first["MessageID"], "SupportMessageExtension": 1}));
            assert_eq!(api.ok(ADMIN, REGISTER, &named).await, first);
            for conflict in conflicts {
                let conflicting = with(&request, conflict);
                assert_eq!(api.refused(ADMIN, REGISTER, &conflicting).await, 10004, "{conflicting}");
            }
            assert_eq!(api.ok(ADMIN, REGISTER, &request).await, first);
            assert_eq!(pull().await, before);
        }
        let kept = api.ok(ADMIN, LIST, &json!({"Operator_Account": "alice", "Peer_Account": "bob"})).await;
        assert_eq!(kept["MsgCnt"], 3);
        server.stop().await;
    }
}

#[tokio::test]
async fn a_made_id_that_is_taken_already_is_made_anew() {
    let server = Server::start().await;
    let other = with(&c2c(), json!({"MsgKey": "5_12_1665388280"}));
    let ids = [
        server.api.ok(ADMIN, REGISTER, &c2c()).await["MessageID"].clone(),
        server.api.ok(ADMIN, REGISTER, &other).await["MessageID"].clone(),
    ];
    assert_ne!(ids[0], ids[1]);
    assert_eq!(server.api.ok(ADMIN, REGISTER, &other).await["MessageID"], ids[1]);
}

#[tokio::test]
async fn many_registrations_at_once_make_one_group_and_one_message() {
    // So slow that all look for the group before there is one.
    let store = Arc::new(FaultyStore::default());
    store.group_delay.store(100, Ordering::SeqCst);
    let server = Server::on(config(), store).await;
    let request = in_group();
    let calls = (0..16).map(|_| server.api.ok(ADMIN, REGISTER, &request));
    let replies = futures_util::future::join_all(calls).await;
    assert!(replies.iter().all(|reply| reply["MessageID"] == replies[0]["MessageID"]), "{replies:?}");
    let list = server.api.ok("bob", GROUP_LIST, &json!({"GroupId": "lunch"})).await;
    assert_eq!(list["RspMsgList"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_registered_is_refused_and_makes_no_group() {
    let server = Server::start().await;
    for user in ["alice", "mallory"] {
        assert_eq!(server.api.refused(user, REGISTER, &c2c()).await, 60010);
    }
    for (group_type, group_id) in [("AVChatRoom", "room"), ("Community", "town")] {
        let group = json!({"Type": group_type, "Name": "Large", "GroupId": group_id});
        server.api.ok(ADMIN, CREATE, &group).await;
    }
    let long = "x".repeat(301);
    let cases = [
        (c2c(), json!({"From_Account": null}), 10004, "From_Account"),
        (c2c(), json!({"To_Account": ""}), 10004, "To_Account"),
        (c2c(), json!({"MsgKey": null}), 10004, "MsgKey"),
        (c2c(), json!({"MsgKey": "1_2"}), 10004, "MsgKey"),
        (c2c(), json!({"MsgKey": "1_2_3_4"}), 10004, "MsgKey"),
        (c2c(), json!({"MsgKey": "01_2_3"}), 10004, "MsgKey"),
        (c2c(), json!({"MsgKey": "+1_2_3"}), 10004, "MsgKey"),
        (c2c(), json!({"MsgKey": "4294967296_2_3"}), 10004, "MsgKey"),
        (c2c(), json!({"MsgKey": "1_2_9007199254740992"}), 10004, "MsgKey"),
        (c2c(), json!({"GroupId": "lunch"}), 10004, "GroupId"),
        (c2c(), json!({"MsgSeq": 1}), 10004, "MsgSeq"),
        (c2c(), json!({"SupportMessageExtension": 2}), 10004, "SupportMessageExtension"),
        (c2c(), json!({"MessageID": ""}), 10004, "MessageID"),
        (c2c(), json!({"MessageID": long}), 10004, "MessageID"),
        (in_group(), json!({"MsgSeq": null}), 10004, "MsgSeq"),
        (in_group(), json!({"MsgSeq": 0}), 10004, "MsgSeq"),
        (in_group(), json!({"MsgSeq": 1_u64 << 32}), 10004, "MsgSeq"),
        (in_group(), json!({"GroupId": ""}), 10004, "GroupId"),
        (in_group(), json!({"GroupId": "x".repeat(49)}), 10004, "GroupId"),
        (in_group(), json!({"MemberList": [["alice"]]}), 10004, "MemberList[0]"),
        (in_group(), json!({"MemberList": members(&["alice", ""])}), 10004, "MemberList[1]"),
        (in_group(), json!({"MemberList": []}), 10010, "MemberList"),
        (in_group(), json!({"Type": "Club"}), 10004, "Type"),
        (in_group(), json!({"Type": "Community"}), 23002, "Community"),
        (in_group(), json!({"GroupId": "@TGS#_lunch"}), 23002, "Community"),
        (in_group(), json!({"GroupId": "room"}), 23002, "AVChatRoom"),
        (in_group(), json!({"GroupId": "town"}), 23002, "Community"),
    ];
    for (good, bad, code, name) in cases {
        let reply = server.api.call(ADMIN, REGISTER, &with(&good, bad.clone())).await;
        assert_eq!(reply["ErrorCode"], code, "{bad}: {reply}");
        assert!(reply["ErrorInfo"].as_str().unwrap().contains(name), "{bad}: {reply}");
    }
    for group_id in ["lunch", "@TGS#_lunch"] {
        assert_eq!(server.api.refused(ADMIN, GROUP_LIST, &json!({"GroupId": group_id})).await, 10010);
    }
    assert_eq!(server.api.refused(ADMIN, GET, &c2c()).await, 23004);
}
