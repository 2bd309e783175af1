//! Set, delete, clear and pull over REST (seeds 002 to 004).

use std::collections::HashSet;
use std::sync::Arc;

use message_extensions_server::store::{MemoryStore, SqliteStore};
use serde_json::{Value, json};

use crate::client::{
    ADD, ADMIN, CREATE, DELETE, DESTROY, GET, GROUP_GET, GROUP_SEND, GROUP_SET, REGISTER, SEND, SET, Server,
    config, message, query, set, with,
};
use crate::socket::Socket;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The codes of a set's items.
fn codes(reply: &Value) -> Vec<u64> {
    let items = reply["ExtensionList"].as_array().unwrap();
    items.iter().map(|item| item["ErrorCode"].as_u64().unwrap()).collect()
}

fn items(n: usize) -> Value {
    (0..n).map(|i| json!({"Key": format!("k{i}"), "Value": "v", "Seq": 0})).collect()
}

#[tokio::test]
async fn the_samples_of_seed_002_are_answered_in_the_shape_of_its_response() {
    let server = Server::start().await;
    let sent =
        server.api.ok(ADMIN, SEND, &message(json!({"From_Account": "62768", "To_Account": "116400"}))).await;
    let key = sent["MsgKey"].as_str().unwrap();
    let sample = |body: &str| body.replace("44739199_12_1665388280", key);
    let first = sample(
        r#"{"From_Account": "62768","To_Account": "116400","MsgKey": "44739199_12_1665388280","OperateType": 1,
        "ExtensionList": [{"Key": "k1", "Value": "v1", "Seq": 0},{"Key": "k2", "Value": "v2", "Seq": 0},{"Key": "k3", "Value": "v3", "Seq": 0}]}"#,
    );
    let reply = server.api.post(SET, &query(ADMIN), &first).await;
    let item = |n: u32| json!({"ErrorCode": 0, "Extension": {"Key": format!("k{n}"), "Value": format!("v{n}"), "Seq": 1}});
    let expected = json!({"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "ExtensionList": [item(1), item(2), item(3)], "Seq": 1});
    assert_eq!(reply, expected);
    assert_eq!(server.api.post(SET, &query("116400"), &first).await["ExtensionList"][0]["ErrorCode"], 23001);

    let delete = sample(
        r#"{"From_Account": "62768","To_Account": "116400","MsgKey": "44739199_12_1665388280","OperateType": 2,"ExtensionList": [{"Key": "k1", "Value": "", "Seq": 1}]}"#,
    );
    let reply = server.api.post(SET, &query("116400"), &delete).await;
    assert_eq!(
        reply["ExtensionList"],
        json!([{"ErrorCode": 0, "Extension": {"Key": "k1", "Value": "", "Seq": 2}}])
    );

    let clear = sample(
        r#"{"From_Account": "62768","To_Account": "116400","MsgKey": "44739199_12_1665388280","OperateType": 3}"#,
    );
    let reply = server.api.post(SET, &query("62768"), &clear).await;
    assert_eq!(
        reply,
        json!({"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "ExtensionList": [], "Seq": 3})
    );
}

#[tokio::test]
async fn pulls_answer_in_the_shape_of_seeds_003_and_004() {
    let server = Server::start().await;
    for (message, set_path, get_path) in [
        (server.api.c2c_message().await, SET, GET),
        (server.api.group_message("Public").await, GROUP_SET, GROUP_GET),
    ] {
        server.api.ok(ADMIN, set_path, &set(&message, &[("k1", "v1", 0), ("k2", "v2", 0)])).await;
        server.api.ok(ADMIN, set_path, &set(&message, &[("k3", "v3", 0)])).await;
        let reply = server.api.ok("bob", get_path, &message).await;
        let expected = json!({"ErrorCode": 0,"ErrorInfo": "","ActionStatus": "OK","CompleteFlag": 1,"LatestSeq": 2,"ClearSeq": 0,"Digest": reply["Digest"].as_u64().unwrap(),
            "ExtensionList": [{"Key": "k1","Value": "v1","Seq": 1},{"Key": "k2","Value": "v2","Seq": 1},{"Key": "k3","Value": "v3","Seq": 2}]});
        assert_eq!(reply, expected);
        for start_seq in ["StartSeq", "startSeq"] {
            let reply = server.api.ok("bob", get_path, &with(&message, json!({start_seq: 2}))).await;
            assert_eq!(reply["ExtensionList"], json!([{"Key": "k3","Value": "v3","Seq": 2}]));
        }
        let reply = server.api.ok("bob", get_path, &with(&message, json!({"WithAuthor": 1}))).await;
        assert_eq!(reply["ExtensionList"][0]["Author"], ADMIN);
        assert!(reply["ExtensionList"][0]["Time"].as_u64().unwrap() > 1_600_000_000_000);
    }
}

#[tokio::test]
async fn a_conflict_answers_23001_with_the_current_item_and_the_others_count() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    server.api.ok("alice", SET, &set(&message, &[("taken", "alice's", 0)])).await;
    let reply =
        server.api.ok("bob", SET, &set(&message, &[("taken", "bob's", 0), ("free", "bob's", 0)])).await;
    assert_eq!(
        reply["ExtensionList"],
        json!([{"ErrorCode": 23001, "Extension": {"Key": "taken", "Value": "alice's", "Seq": 1}},
            {"ErrorCode": 0, "Extension": {"Key": "free", "Value": "bob's", "Seq": 2}}])
    );
    assert_eq!(reply["Seq"], 2);
}

#[tokio::test]
async fn to_those_who_may_not_see_a_message_it_does_not_exist() {
    let server = Server::start().await;
    let c2c = server.api.c2c_message().await;
    let group = server.api.group_message("Public").await;
    let missing_c2c = with(&c2c, json!({"MsgKey": "1_2_3"}));
    let missing_group = with(&group, json!({"GroupId": "nowhere"}));
    let missing_seq = with(&group, json!({"MsgSeq": 99}));
    // Not even what is malformed about the rest of the request is told apart.
    let malformed = json!({"OperateType": 9});
    for (path, existing, missing) in [
        (SET, &c2c, vec![&missing_c2c]),
        (GET, &c2c, vec![&missing_c2c]),
        (GROUP_SET, &group, vec![&missing_group, &missing_seq]),
        (GROUP_GET, &group, vec![&missing_group, &missing_seq]),
    ] {
        let url = format!("/v4/{path}?{}&requestid=x", query("mallory"));
        let body = with(existing, malformed.clone()).to_string();
        let unseen = server.api.http("POST", &url, &[], &body).await.unwrap().body;
        assert!(unseen.contains("23004"), "{unseen}");
        for missing in missing {
            let body = with(missing, malformed.clone()).to_string();
            assert_eq!(server.api.http("POST", &url, &[], &body).await.unwrap().body, unseen);
        }
    }
}

#[tokio::test]
async fn both_parties_members_and_admins_see_a_message_and_past_members_do_not() {
    let server = Server::start().await;
    let c2c = server.api.c2c_message().await;
    for user in ["alice", "bob", ADMIN] {
        server.api.ok(user, SET, &set(&c2c, &[(user, "here", 0)])).await;
    }
    let group = server.api.group_message("Public").await;
    for user in ["alice", "bob", "carol", ADMIN] {
        server.api.ok(user, GROUP_SET, &set(&group, &[(user, "here", 0)])).await;
    }
    let gone = json!({"GroupId": group["GroupId"], "MemberToDel_Account": ["carol"]});
    server.api.ok(ADMIN, DELETE, &gone).await;
    assert_eq!(
        server.api.refused("carol", GROUP_SET, &set(&group, &[("carol", "still here", 4)])).await,
        23004
    );
    assert_eq!(server.api.refused("carol", GROUP_GET, &group).await, 23004);
    let back = json!({"GroupId": group["GroupId"], "MemberList": [{"Member_Account": "carol"}]});
    server.api.ok(ADMIN, ADD, &back).await;
    server.api.ok("carol", GROUP_GET, &group).await;
}

#[tokio::test]
async fn a_destroyed_group_takes_its_messages_along_also_when_made_anew() {
    let server = Server::start().await;
    let group = json!({"Type": "Public", "Name": "Lunch", "GroupId": "lunch", "Owner_Account": "alice"});
    let named = json!({"GroupId": "lunch", "MsgSeq": 1});
    server.api.ok(ADMIN, CREATE, &group).await;
    server.api.ok("alice", GROUP_SEND, &message(json!({"GroupId": "lunch"}))).await;
    server.api.ok("alice", GROUP_SET, &set(&named, &[("k", "old", 0)])).await;
    server.api.ok(ADMIN, DESTROY, &json!({"GroupId": "lunch"})).await;
    assert_eq!(server.api.refused(ADMIN, GROUP_GET, &named).await, 23004);
    server.api.ok(ADMIN, CREATE, &group).await;
    assert_eq!(server.api.refused("alice", GROUP_GET, &named).await, 23004);
    server.api.ok("alice", GROUP_SEND, &message(json!({"GroupId": "lunch"}))).await;
    assert_eq!(server.api.ok("alice", GROUP_GET, &named).await["ExtensionList"], json!([]));
}

#[tokio::test]
async fn from_account_may_be_omitted_by_whoever_sees_the_message() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    let unsigned = json!({"To_Account": "bob", "MsgKey": message["MsgKey"]});
    for user in ["alice", "bob", ADMIN] {
        server.api.ok(user, SET, &set(&unsigned, &[(user, "here", 0)])).await;
    }
    assert_eq!(server.api.refused("mallory", GET, &unsigned).await, 23004);
    assert_eq!(server.api.ok("bob", GET, &message).await["LatestSeq"], 3);
    // The other way round it is another message.
    let reversed = json!({"From_Account": "bob", "To_Account": "alice", "MsgKey": message["MsgKey"]});
    assert_eq!(server.api.refused("bob", GET, &reversed).await, 23004);
}

#[tokio::test]
async fn a_message_without_support_refuses_writes_and_pulls_empty() {
    let server = Server::start().await;
    let plain = with(&message(json!({"To_Account": "bob"})), json!({"SupportMessageExtension": 0}));
    let key = server.api.ok("alice", SEND, &plain).await["MsgKey"].clone();
    let plain = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": key});
    let mut refusing = vec![(plain, SET, GET)];
    for group_type in ["AVChatRoom", "Community"] {
        refusing.push((server.api.group_message(group_type).await, GROUP_SET, GROUP_GET));
    }
    for (message, set_path, get_path) in refusing {
        let delete = json!({"OperateType": 2, "ExtensionList": [{"Key": "k", "Value": "", "Seq": 0}]});
        for operation in [set(&json!({}), &[("k", "v", 0)]), delete, json!({"OperateType": 3})] {
            assert_eq!(server.api.refused("bob", set_path, &with(&message, operation)).await, 23002);
        }
        let reply = server.api.ok("bob", get_path, &message).await;
        assert_eq!(
            (&reply["LatestSeq"], &reply["ExtensionList"], &reply["CompleteFlag"]),
            (&json!(0), &json!([]), &json!(1))
        );
    }
}

#[tokio::test]
async fn what_is_over_a_limit_is_refused_whole_and_at_the_limit_accepted() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    let set_of = |list: Value| with(&message, json!({"OperateType": 1, "ExtensionList": list}));
    let one = |key: &str, value: &str| json!([{"Key": key, "Value": value, "Seq": 0}]);
    let refused = [
        items(21),
        json!([]),
        one(&format!("{}ab", "人".repeat(33)), "v"),
        one("", "v"),
        one("k", &"v".repeat(1001)),
        one("k", ""),
        json!([{"Key": "k", "Value": "v", "Seq": 0}, {"Key": "k", "Value": "w", "Seq": 0}]),
        json!([{"Key": "k", "Value": "v"}]),
    ];
    for list in refused {
        assert_eq!(server.api.refused("bob", SET, &set_of(list)).await, 10004);
    }
    assert_eq!(server.api.refused("bob", SET, &with(&message, json!({"OperateType": 4}))).await, 10004);
    assert_eq!(server.api.ok("bob", GET, &message).await["LatestSeq"], 0);
    for list in [items(20), one(&format!("{}a", "人".repeat(33)), "v"), one("long", &"v".repeat(1000))] {
        server.api.ok("bob", SET, &set_of(list)).await;
    }
}

#[tokio::test]
async fn three_hundred_keys_fit_a_message_and_one_more_does_not_and_pages_join_up() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    for round in 0..15 {
        let list: Value =
            (0..20).map(|i| json!({"Key": format!("k{}", round * 20 + i), "Value": "v", "Seq": 0})).collect();
        server.api.ok("bob", SET, &with(&message, json!({"OperateType": 1, "ExtensionList": list}))).await;
    }
    assert_eq!(server.api.refused("bob", SET, &set(&message, &[("k300", "v", 0)])).await, 10004);
    let first = server.api.ok("bob", GET, &message).await;
    assert_eq!((&first["CompleteFlag"], first["ExtensionList"].as_array().unwrap().len()), (&json!(0), 200));
    let next = first["ExtensionList"][199]["Seq"].as_u64().unwrap() + 1;
    let second = server.api.ok("bob", GET, &with(&message, json!({"StartSeq": next}))).await;
    assert_eq!(
        (&second["CompleteFlag"], second["ExtensionList"].as_array().unwrap().len()),
        (&json!(1), 100)
    );
}

#[tokio::test]
async fn deleted_keys_show_in_later_pulls_and_a_clear_drops_everything() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    server.api.ok("bob", SET, &set(&message, &[("a", "1", 0), ("b", "1", 0)])).await;
    let delete = json!({"OperateType": 2, "ExtensionList": [{"Key": "a", "Value": "", "Seq": 1}]});
    server.api.ok("bob", SET, &with(&message, delete)).await;
    let b = json!({"Key": "b", "Value": "1", "Seq": 1});
    let a = json!({"Key": "a", "Value": "", "Seq": 2});
    assert_eq!(server.api.ok("bob", GET, &message).await["ExtensionList"], json!([b]));
    let later = with(&message, json!({"StartSeq": 1}));
    assert_eq!(server.api.ok("bob", GET, &later).await["ExtensionList"], json!([b, a]));
    server.api.ok("bob", SET, &with(&message, json!({"OperateType": 3, "ExtensionList": []}))).await;
    let reply = server.api.ok("bob", GET, &later).await;
    assert_eq!(
        (&reply["ExtensionList"], &reply["LatestSeq"], &reply["ClearSeq"]),
        (&json!([]), &json!(3), &json!(3))
    );
}

#[tokio::test]
async fn an_admin_may_omit_the_seq_and_overwrites() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    server.api.ok("bob", SET, &set(&message, &[("k", "bob's", 0)])).await;
    let overwrite = json!({"OperateType": 1, "ExtensionList": [{"Key": "k", "Value": "admin's"}]});
    let reply = server.api.ok(ADMIN, SET, &with(&message, overwrite)).await;
    assert_eq!(reply["ExtensionList"][0]["Extension"], json!({"Key": "k", "Value": "admin's", "Seq": 2}));
}

fn request_id(n: u32) -> String {
    format!("{n:032x}")
}

#[tokio::test]
async fn the_same_requestid_gets_the_first_answer_again_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::on(config(), Arc::new(SqliteStore::open(dir.path()).unwrap())).await;
    let message = server.api.c2c_message().await;
    let url = |user: &str, n: u32| format!("{}&requestid={}", query(user), request_id(n));
    let write = set(&message, &[("k", "bob's", 0)]).to_string();
    let first = server.api.post(SET, &url("bob", 1), &write).await;
    assert_eq!(codes(&first), [0]);
    let lost = server.api.post(SET, &url("alice", 1), &write).await;
    assert_eq!(codes(&lost), [23001]);
    // With "k" these are 300.
    let full: Vec<_> = (1..300).map(|i| format!("k{i}")).collect();
    for part in full.chunks(20) {
        let list: Vec<_> = part.iter().map(|key| (key.as_str(), "v", 0)).collect();
        server.api.ok(ADMIN, SET, &set(&message, &list)).await;
    }
    let refused = server.api.post(SET, &url("bob", 2), &set(&message, &[("full", "v", 0)]).to_string()).await;
    assert_eq!(refused["ErrorCode"], 10004);
    server.api.ok(ADMIN, SET, &with(&message, json!({"OperateType": 3}))).await;

    let again = async |server: &Server| {
        assert_eq!(server.api.post(SET, &url("bob", 1), &write).await, first);
        // Free now, but a retry of what was refused stays refused.
        assert_eq!(server.api.post(SET, &url("alice", 1), &write).await, lost);
        assert_eq!(server.api.post(SET, &url("bob", 2), &write).await, refused);
        let before = server.api.ok("bob", GET, &message).await["LatestSeq"].as_u64();
        assert_eq!(before, server.api.ok("bob", GET, &message).await["ClearSeq"].as_u64());
    };
    again(&server).await;
    server.stop().await;
    let server = Server::on(config(), Arc::new(SqliteStore::open(dir.path()).unwrap())).await;
    again(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn the_last_eight_requestids_of_each_caller_are_kept() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    let write = async |user: &str, n: u32| {
        let url = format!("{}&requestid={}", query(user), request_id(n));
        server.api.post(SET, &url, &set(&message, &[(&format!("{user}{n}"), "v", 0)]).to_string()).await
    };
    let first = write("bob", 0).await;
    write("alice", 0).await;
    for n in 1..=7 {
        write("bob", n).await;
    }
    assert_eq!(write("bob", 0).await, first);
    write("bob", 8).await;
    assert_eq!(codes(&write("bob", 0).await), [23001]);
    assert_eq!(codes(&write("alice", 0).await), [0]);
}

#[tokio::test]
async fn the_same_requestid_many_times_at_once_is_written_once() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    let url = format!("{}&requestid={}", query("bob"), request_id(7));
    let write = set(&message, &[("k", "v", 0)]).to_string();
    let calls = (0..16).map(|_| server.api.post(SET, &url, &write));
    for reply in futures_util::future::join_all(calls).await {
        assert_eq!((codes(&reply), &reply["Seq"]), (vec![0], &json!(1)));
    }
}

#[tokio::test]
async fn a_requestid_that_is_not_32_hex_digits_is_refused() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    for id in ["1", &format!("%2B{}", "1".repeat(31)), &"g".repeat(32), &"1".repeat(33)] {
        let url = format!("{}&requestid={id}", query("bob"));
        let reply = server.api.post(SET, &url, &set(&message, &[("k", "v", 0)]).to_string()).await;
        assert_eq!(reply["ErrorCode"], 10004, "{id}");
    }
}

#[tokio::test]
async fn too_many_attempts_on_a_message_are_refused_but_not_the_retry_of_an_answered_one() {
    let mut config = config();
    config.limits.writes_per_minute = 5;
    config.limits.user_writes_per_minute = 3;
    let server = Server::with(config).await;
    let message = server.api.c2c_message().await;
    let url = format!("{}&requestid={}", query("bob"), request_id(1));
    let write = set(&message, &[("k", "v", 0)]);
    let first = server.api.post(SET, &url, &write.to_string()).await;
    assert_eq!(server.api.refused("mallory", SET, &write).await, 23004);
    for _ in 0..2 {
        assert_eq!(codes(&server.api.ok("bob", SET, &write).await), [23001]);
    }
    assert_eq!(server.api.refused("bob", SET, &write).await, 23003);
    for _ in 0..2 {
        server.api.ok("alice", SET, &write).await;
    }
    assert_eq!(server.api.refused(ADMIN, SET, &write).await, 23003);
    assert_eq!(server.api.post(SET, &url, &write.to_string()).await, first);
}

#[tokio::test]
async fn replies_carry_the_fields_of_the_seeds_and_seq() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    let reply = server.api.ok("bob", SET, &set(&message, &[("k", "v", 0)])).await;
    let mut names = keys(&reply);
    names.sort_unstable();
    assert_eq!(names, ["ActionStatus", "ErrorCode", "ErrorInfo", "ExtensionList", "Seq"]);
}

#[tokio::test]
async fn an_app_that_is_switched_off_answers_10008_to_everybody_and_finds_everything_when_it_is_on_again() {
    let store = Arc::new(MemoryStore::new());
    let on = Server::on(config(), store.clone()).await;
    let (c2c, group) = (on.api.c2c_message().await, on.api.group_message("Public").await);
    for (path, message) in [(SET, &c2c), (GROUP_SET, &group)] {
        on.api.ok("bob", path, &set(message, &[("k", "v", 0)])).await;
    }
    on.stop().await;

    let mut switched = config();
    switched.extensions_off = true;
    let off = Server::on(switched, store.clone()).await;
    for user in ["mallory", "bob", ADMIN] {
        let mut bodies = HashSet::new();
        for (path, message) in [(SET, &c2c), (GET, &c2c), (GROUP_SET, &group), (GROUP_GET, &group)] {
            for request in [set(message, &[("k", "w", 1)]), json!({"MsgKey": 5}), json!([])] {
                let url = format!("/v4/{path}?{}", query(user));
                bodies.insert(off.api.http("POST", &url, &[], &request.to_string()).await.unwrap().body);
            }
        }
        let text = r#"{"ActionStatus":"FAIL","ErrorInfo":"message extensions are switched off for this app","ErrorCode":10008}"#;
        assert_eq!(bodies, HashSet::from([text.to_owned()]), "{user}");
        let mut socket = Socket::login(off.api.address, user).await;
        let named = with(&c2c, json!({"LatestSeq": 0}));
        assert_eq!(socket.resumed(&[named]).await, [with(&c2c, json!({"ErrorCode": 10008}))]);
    }
    let later = off.api.c2c_message().await;
    let registered = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": "1_2_3"});
    off.api.ok(ADMIN, REGISTER, &registered).await;
    assert_eq!(off.api.post(GET, "sdkappid=1", "").await["ErrorCode"], 70014);
    off.stop().await;

    let on = Server::on(config(), store).await;
    for (path, message) in [(GET, &c2c), (GROUP_GET, &group)] {
        assert_eq!(on.api.ok("bob", path, message).await["ExtensionList"][0]["Value"], "v");
    }
    for message in [&later, &registered] {
        on.api.ok("bob", SET, &set(message, &[("k", "v", 0)])).await;
    }
}
