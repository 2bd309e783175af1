//! A server in this process that has one message between two users and one in a group, and who calls it.

use std::cell::OnceCell;
use std::sync::Arc;

use message_extensions_core::limits::Limits;
use message_extensions_core::usersig;
use message_extensions_server::config::Config;
use message_extensions_server::in_process::Service;
use message_extensions_server::store::MemoryStore;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::check_refusal;

const APP: u64 = 1_400_000_000;
const SECRET: &str = "a secret key for fuzzing";
const ADMIN: &str = "administrator";
const EXTENSIONS: &str = "openim_msg_ext_http_svc";

/// So small that the limits are reached. How often is not limited: that depends on the clock.
const LIMITS: Limits = Limits {
    key_bytes: 8,
    value_bytes: 16,
    items: 4,
    live_keys: 6,
    tombstones: 3,
    writes_per_minute: 0,
    user_writes_per_minute: 0,
    admin_calls_per_second: 0,
    user_calls_per_second: 0,
};

thread_local! {
    static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
    static SIGNATURES: OnceCell<[(&'static str, String); 4]> = const { OnceCell::new() };
}

/// Runs on the runtime that all inputs share.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let make = || Builder::new_current_thread().enable_time().build().unwrap();
    RUNTIME.with(|runtime| runtime.get_or_init(make).block_on(work))
}

/// Those who call, by the byte that stands for them.
pub(crate) fn user(byte: u8) -> &'static str {
    match byte {
        b'a' => "alice",
        b'b' => "bob",
        b'!' => ADMIN,
        _ => "mallory",
    }
}

/// The URL of a call.
fn url(user: &str, path: &str, request_id: Option<&str>) -> String {
    let signatures = || {
        ["alice", "bob", ADMIN, "mallory"]
            .map(|user| (user, usersig::sign(APP, SECRET.as_bytes(), user, 1_700_000_000, 10_000_000_000)))
    };
    let signature = SIGNATURES.with(|all| {
        let all = all.get_or_init(signatures);
        all.iter().find(|(of, _)| *of == user).unwrap().1.clone()
    });
    let more = request_id.map(|id| format!("&requestid={id}")).unwrap_or_default();
    format!("/v4/{path}?sdkappid={APP}&identifier={user}&usersig={signature}&random=1&contenttype=json{more}")
}

/// The server.
pub(crate) struct World {
    pub(crate) service: Service,
}

impl World {
    pub(crate) async fn new() -> Self {
        let mut config = Config::new(APP, SECRET);
        config.limits = LIMITS;
        let world = Self { service: Service::new(config, Arc::new(MemoryStore::new())) };
        let register = format!("{EXTENSIONS}/register_message");
        for message in [
            r#"{"From_Account":"alice","To_Account":"bob","MsgKey":"1_2_3"}"#,
            r#"{"From_Account":"alice","GroupId":"g","MsgSeq":1,"MemberList":[{"Member_Account":"alice"},{"Member_Account":"bob"}]}"#,
        ] {
            let reply = world.call(ADMIN, &register, None, message.as_bytes()).await;
            assert_eq!(reply["ActionStatus"], "OK", "{reply}");
        }
        world
    }

    /// Calls as a user.
    pub(crate) async fn call(&self, user: &str, path: &str, request_id: Option<&str>, body: &[u8]) -> Value {
        self.post(&url(user, path, request_id), body).await.expect("a good URL")
    }

    /// The answer, whose envelope is in order. `None`: that is no URL, so no request either.
    pub(crate) async fn post(&self, url: &str, body: &[u8]) -> Option<Value> {
        let (status, answer) = self.service.post(url, body).await?;
        if !url.starts_with("/v4/") {
            return None;
        }
        assert_eq!(status, 200, "{url}");
        let answer: Value = serde_json::from_slice(&answer).expect("an answer in JSON");
        let code = answer["ErrorCode"].as_u64().expect("a code");
        let text = answer["ErrorInfo"].as_str().expect("a text");
        match answer["ActionStatus"].as_str() {
            Some("OK") => assert_eq!((code, text), (0, "")),
            Some("FAIL") => {
                check_refusal(code, text);
                assert_ne!(code, 10002, "something went wrong inside");
            }
            _ => panic!("{answer}"),
        }
        Some(answer)
    }

    /// All that the two messages hold, and that it is in order.
    pub(crate) async fn state(&self) -> [Value; 2] {
        let pull = async |command: &str, named: &str| {
            let body = format!(r#"{{{named},"StartSeq":1,"WithAuthor":1}}"#);
            let state = self.call(ADMIN, &format!("{EXTENSIONS}/{command}"), None, body.as_bytes()).await;
            if state["ActionStatus"] == "OK" {
                check_state(&state);
            }
            state
        };
        let c2c = r#""From_Account":"alice","To_Account":"bob","MsgKey":"1_2_3""#;
        let group = r#""GroupId":"g","MsgSeq":1"#;
        [pull("get_key_values", c2c).await, pull("group_get_key_values", group).await]
    }
}

fn check_state(state: &Value) {
    let number = |of: &Value, name: &str| of[name].as_u64().unwrap();
    let (latest, clear) = (number(state, "LatestSeq"), number(state, "ClearSeq"));
    let entries = state["ExtensionList"].as_array().unwrap();
    assert!(entries.is_sorted_by_key(|entry| number(entry, "Seq")));
    let mut last = clear;
    for entry in entries {
        assert!((clear + 1..=latest).contains(&number(entry, "Seq")));
        last = last.max(number(entry, "Seq"));
    }
    let live = entries.iter().filter(|entry| entry["Value"] != "").count();
    assert!(live <= LIMITS.live_keys && entries.len() - live <= LIMITS.tombstones, "{state}");
    let mut keys: Vec<_> = entries.iter().map(|entry| entry["Key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), entries.len());
    // What wrote last is there still, or nothing was written since the clear.
    assert_eq!(last, latest);
}
