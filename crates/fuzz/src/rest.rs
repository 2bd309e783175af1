//! Calls of a whole server, one after the other: each is answered in the protocol's envelope, what is refused changes nothing,
//! what is accepted takes one Seq, and a retry gets the first answer.

use serde_json::Value;

use crate::service::{World, block_on, user};

const CALLS: usize = 12;

/// A line a call: who, what, a hex digit for a request id or a space for none, then the body. What `u` is the URL itself.
pub fn check(input: &[u8]) {
    block_on(async {
        let world = World::new().await;
        let mut state = world.state().await;
        for line in input.split(|byte| *byte == b'\n').take(CALLS) {
            if let [who, what, id, body @ ..] = line {
                state = call(&world, state, user(*who), *what, *id, body).await;
            }
        }
    });
}

fn path(what: u8) -> Option<&'static str> {
    Some(match what {
        b's' => "openim_msg_ext_http_svc/set_key_values",
        b'S' => "openim_msg_ext_http_svc/group_set_key_values",
        b'g' => "openim_msg_ext_http_svc/get_key_values",
        b'G' => "openim_msg_ext_http_svc/group_get_key_values",
        b'r' => "openim_msg_ext_http_svc/register_message",
        b'm' => "openim/sendmsg",
        b'M' => "group_open_http_svc/send_group_msg",
        b'l' => "openim/admin_getroammsg",
        b'L' => "group_open_http_svc/group_msg_get_simple",
        b'c' => "group_open_http_svc/create_group",
        b'd' => "group_open_http_svc/destroy_group",
        b'+' => "group_open_http_svc/add_group_member",
        b'-' => "group_open_http_svc/delete_group_member",
        _ => return None,
    })
}

/// The state after it.
async fn call(world: &World, before: [Value; 2], user: &str, what: u8, id: u8, body: &[u8]) -> [Value; 2] {
    if what == b'u' {
        if let Ok(url) = std::str::from_utf8(body) {
            world.post(url, b"{}").await;
            assert_eq!(world.state().await, before);
        }
        return before;
    }
    let Some(path) = path(what) else { return before };
    let digit = if id.is_ascii_alphanumeric() { char::from(id) } else { 'z' };
    let request_id = (id != b' ').then(|| digit.to_string().repeat(32));
    let reply = world.call(user, path, request_id.as_deref(), body).await;
    let after = world.state().await;
    let is_set = matches!(what, b's' | b'S');
    if reply["ActionStatus"] == "FAIL" || matches!(what, b'g' | b'G' | b'l' | b'L' | b'm' | b'M') {
        assert_eq!(after, before, "{reply}");
    } else if is_set {
        accepted(&reply, &before, &after);
    }
    // Strangers can become members of the group, but not one of the two.
    assert!(user != "mallory" || after[0] == before[0], "{reply}");
    if is_set && request_id.is_some() {
        assert_eq!(world.call(user, path, request_id.as_deref(), body).await, reply);
        assert_eq!(world.state().await, after, "a retry was written");
    }
    after
}

/// One message has changed at most, by one Seq, and just as the reply says.
fn accepted(reply: &Value, before: &[Value; 2], after: &[Value; 2]) {
    let changed: Vec<_> = before.iter().zip(after).filter(|(before, after)| before != after).collect();
    let Some((before, after)) = changed.first() else { return };
    assert_eq!(changed.len(), 1);
    let seq = after["LatestSeq"].as_u64().unwrap();
    assert_eq!(before["LatestSeq"].as_u64().unwrap() + 1, seq);
    assert_eq!(reply["Seq"], seq);
    let items = reply["ExtensionList"].as_array().unwrap();
    if items.is_empty() {
        assert_eq!((&after["ClearSeq"], &after["ExtensionList"]), (&reply["Seq"], &Value::Array(vec![])));
        return;
    }
    let entries = after["ExtensionList"].as_array().unwrap();
    for item in items {
        let told = &item["Extension"];
        let entry = entries.iter().find(|entry| entry["Key"] == told["Key"]);
        let (value, seq) =
            entry.map_or((&Value::Null, &Value::Null), |entry| (&entry["Value"], &entry["Seq"]));
        let is_told = (value, seq) == (&told["Value"], &told["Seq"]);
        assert!(is_told || (entry.is_none() && told["Seq"] == 0), "{reply}: {after}");
    }
}
