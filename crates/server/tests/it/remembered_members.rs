//! A node remembers who is in a group, and does not ask before each set: what is kept and said is as if it had.

use message_extensions_core::limits::Limits;
use message_extensions_server::config::Config;
use serde_json::{Value, json};

use crate::client::{
    ADMIN, CREATE, DELETE, DESTROY, GROUP_GET, GROUP_SEND, GROUP_SET, config, message, query, set,
};
use crate::nodes::{Two, two, two_with};

fn limited(writes_per_minute: usize) -> Config {
    let limits = config().limits;
    Config { limits: Limits { writes_per_minute, ..limits }, ..config() }
}

/// Key, value, Seq.
type Item = (&'static str, &'static str, u64);

#[tokio::test]
async fn who_was_removed_through_one_writes_and_learns_nothing_through_another_that_remembers_them() {
    const FIRST: &str = "&requestid=00000000000000000000000000000001";
    const OTHER: &str = "&requestid=00000000000000000000000000000002";
    // The last: past the limit on how often, if there is one.
    for limit in [0, 1000, 1] {
        let Two { a, b } = two_with(limited(limit)).await;
        let tried: [(&str, &[Item]); 7] = [
            (FIRST, &[("k", "v", 0)]),
            (OTHER, &[("k", "w", 0)]),
            ("", &[("k", "w", 0)]),
            (OTHER, &[("k", "w", 1)]),
            ("", &[("new", "w", 0)]),
            ("&requestid=none", &[("k", "w", 0)]),
            ("", &[]),
        ];
        for (request_id, items) in tried {
            let group = a.api.group_message("Public").await;
            let first = format!("{}{FIRST}", query("bob"));
            let written = b.api.post(GROUP_SET, &first, &set(&group, &[("k", "v", 0)]).to_string()).await;
            assert_eq!(written["Seq"], 1, "{written}");
            let remove = json!({"GroupId": group["GroupId"], "MemberToDel_Account": ["bob"]});
            a.api.ok(ADMIN, DELETE, &remove).await;
            let request = set(&group, items).to_string();
            let answer = b.api.post(GROUP_SET, &format!("{}{request_id}", query("bob")), &request).await;
            assert_eq!(answer["ErrorCode"], 23004, "{limit} {request_id} {request}: {answer}");
            assert_eq!(answer.get("ExtensionList"), None, "{answer}");
            let held = json!([{"Key": "k", "Value": "v", "Seq": 1}]);
            assert_eq!(a.api.ok("alice", GROUP_GET, &group).await["ExtensionList"], held);
        }
    }
}

#[tokio::test]
async fn who_stayed_writes_on_through_a_node_that_does_not_know_yet_who_has_left() {
    let Two { a, b } = two().await;
    let group = a.api.group_message("Public").await;
    for (seq, leaver) in [(0, "carol"), (2, "dave"), (4, "bob")] {
        let remove = json!({"GroupId": group["GroupId"], "MemberToDel_Account": [leaver]});
        a.api.ok(ADMIN, DELETE, &remove).await;
        let key = format!("k{seq}");
        let (alices, bobs) = (set(&group, &[(&key, "alice", 0)]), set(&group, &[("bob", "bob", 0)]));
        let (alices, bobs) =
            tokio::join!(b.api.call("alice", GROUP_SET, &alices), b.api.call("bob", GROUP_SET, &bobs));
        assert_eq!(alices["ExtensionList"][0]["Extension"]["Key"], key, "{alices}");
        assert_eq!(bobs["ErrorCode"], if leaver == "bob" { 23004 } else { 0 }, "{bobs}");
    }
}

#[tokio::test]
async fn a_group_that_is_made_anew_is_the_new_one_for_a_node_that_remembers_the_old_one() {
    let Two { a, b } = two().await;
    let id = format!("lunch-{}", fastrand::u64(..));
    let made = async |members: &[&str]| -> Value {
        let members: Vec<_> = members.iter().map(|user| json!({"Member_Account": user})).collect();
        let group = json!({"GroupId": id, "Type": "Public", "Name": "Lunch", "MemberList": members});
        a.api.ok(ADMIN, CREATE, &group).await;
        let sent = a.api.ok(ADMIN, GROUP_SEND, &message(json!({"GroupId": id}))).await;
        json!({"GroupId": id, "MsgSeq": sent["MsgSeq"]})
    };
    let group = made(&["alice", "bob"]).await;
    b.api.ok("bob", GROUP_SET, &set(&group, &[("k", "old", 0)])).await;
    a.api.ok(ADMIN, DESTROY, &json!({"GroupId": id})).await;
    assert_eq!(made(&["alice"]).await, group);
    let write = set(&group, &[("k", "new", 0)]);
    let (alices, bobs) =
        tokio::join!(b.api.call("alice", GROUP_SET, &write), b.api.call("bob", GROUP_SET, &write));
    assert_eq!(alices["Seq"], 1, "{alices}");
    assert_eq!(bobs["ErrorCode"], 23004, "{bobs}");
    let held = json!([{"Key": "k", "Value": "new", "Seq": 1}]);
    assert_eq!(a.api.ok("alice", GROUP_GET, &group).await["ExtensionList"], held);
}
