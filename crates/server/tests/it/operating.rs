//! What an operator's machines look at: health, metrics, the log.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{APP, Api, SECRET, SEND, SET, Server, config, message, query, set, with};
use crate::process::{binary, serve, start, terminate};
use crate::redis_servers::single;
use crate::socket::Socket;

const TIME: Duration = Duration::from_secs(20);

fn in_memory(more: &[&str]) -> tokio::process::Command {
    let app = APP.to_string();
    let mut command = binary(&["--listen", "127.0.0.1:0", "--store", "memory", "--sdk-app-id", &app]);
    command.args(more).env("MESSAGE_EXTENSIONS_SECRET_KEY", SECRET).stderr(Stdio::null());
    command
}

pub(crate) async fn get(api: &Api, path: &str) -> (u16, String) {
    let answer = api.http("GET", path, &[], "").await.unwrap();
    (answer.status, answer.body)
}

/// The value of a sample, by its name with labels.
pub(crate) async fn sample(api: &Api, name: &str) -> f64 {
    let (status, page) = get(api, "/metrics").await;
    assert_eq!(status, 200);
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_is_not_ready_and_still_answers_for_the_delay() {
    let (mut child, api, _) = start(&mut in_memory(&["--stop-delay", "2"])).await;
    assert_eq!(get(&api, "/readyz").await, (200, "ready".into()));
    let message = api.c2c_message().await;
    let told = Instant::now();
    terminate(&child);
    while get(&api, "/readyz").await.0 != 503 {
        assert!(told.elapsed() < Duration::from_secs(1));
    }
    assert_eq!(get(&api, "/healthz").await.0, 200);
    api.ok("bob", SET, &set(&message, &[("k", "v", 0)])).await;
    let status = tokio::time::timeout(TIME, child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(told.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn metrics_count_what_was_done() {
    let dir = tempfile::tempdir().unwrap();
    let (_child, api) = serve(dir.path()).await;
    let message = api.c2c_message().await;
    let mut bob = Socket::login(api.address, "bob").await;
    api.ok("bob", SET, &set(&message, &[("k", "v", 0)])).await;
    api.refused("carol", SET, &set(&message, &[("k", "v", 0)])).await;
    // Decided by the law, so the refusal is an answer that is remembered, not an error.
    let refused = with(&message, json!({"OperateType": 1, "ExtensionList": [{"Key": "k", "Value": ""}]}));
    api.refused("bob", SET, &refused).await;
    bob.event().await;
    bob.send("no frame").await;
    assert_eq!(bob.closed().await, 4002);
    let _alice = Socket::login(api.address, "alice").await;
    let counted = [
        (r#"message_extensions_calls_total{command="sendmsg",code="0"}"#, 1.0),
        (r#"message_extensions_calls_total{command="set_key_values",code="0"}"#, 1.0),
        (r#"message_extensions_calls_total{command="set_key_values",code="10004"}"#, 1.0),
        (r#"message_extensions_calls_total{command="set_key_values",code="23004"}"#, 1.0),
        (r#"message_extensions_call_seconds_count{command="set_key_values"}"#, 3.0),
        ("message_extensions_commit_operations_sum", 1.0),
        ("message_extensions_commit_seconds_count", 1.0),
        // The message and the change.
        ("message_extensions_sqlite_commit_writes_sum", 2.0),
        ("message_extensions_push_events_total", 1.0),
        ("message_extensions_push_connections", 1.0),
        (r#"message_extensions_push_closed_total{code="4002"}"#, 1.0),
        ("message_extensions_hot_messages", 1.0),
        ("message_extensions_counted_messages", 1.0),
        ("message_extensions_operations_waiting", 0.0),
    ];
    for (name, value) in counted {
        assert_eq!(sample(&api, name).await, value, "{name}");
    }
    assert!(sample(&api, "message_extensions_sqlite_commit_seconds_sum").await > 0.0);
    assert!(sample(&api, "process_resident_memory_bytes").await > 1e6);
}

#[tokio::test]
async fn nothing_that_a_caller_says_becomes_a_label() {
    let (_child, api, _) = start(&mut in_memory(&[])).await;
    for path in ["openim/marked-1", "marked-2/sendmsg", "marked-3", "openim/sendmsg/marked-4"] {
        assert_ne!(api.post(path, &query("marked-5"), "{}").await["ErrorCode"], 0);
    }
    api.http("MARKED", &format!("/v4/{SEND}"), &[], "").await.unwrap();
    api.refused("bob", SEND, &message(json!({"From_Account": "marked-6", "To_Account": "marked-7"}))).await;
    let (_, page) = get(&api, "/metrics").await;
    assert!(!page.to_lowercase().contains("marked"), "{page}");
    assert!(page.contains(r#"{command="unknown",code="60009"} 4"#), "{page}");
}

#[tokio::test]
async fn metrics_with_a_listener_of_their_own_are_not_beside_the_api() {
    let mut command = in_memory(&["--metrics-listen", "127.0.0.1:0"]);
    let (_child, api, mut lines) = start(&mut command).await;
    let line = lines.next_line().await.unwrap().unwrap();
    let address = line.strip_prefix("metrics on http://").unwrap().strip_suffix("/metrics").unwrap();
    let own = Api::new(address.parse().unwrap());
    assert_eq!(get(&api, "/metrics").await.0, 404);
    assert!(get(&own, "/metrics").await.1.ends_with("# EOF\n"));
    for api in [&api, &own] {
        assert_eq!((get(api, "/healthz").await.0, get(api, "/readyz").await.0), (200, 200));
    }
    assert_eq!(own.http("POST", &format!("/v4/{SEND}"), &[], "").await.unwrap().status, 404);
}

#[tokio::test]
async fn the_log_says_once_with_which_settings_it_began_and_once_that_it_has_stopped() {
    let mut command = in_memory(&["--log-format", "json", "--items", "7"]);
    let (child, _, _) = start(command.stderr(Stdio::piped())).await;
    terminate(&child);
    let log = String::from_utf8(child.wait_with_output().await.unwrap().stderr).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said = |text: &str| lines.iter().filter(|line| line["message"] == text).collect::<Vec<_>>();
    let [started] = said("started")[..] else { panic!("{log}") };
    let settings = started["settings"].as_str().unwrap();
    assert!(settings.contains("items=7") && settings.contains("store=\"memory\""), "{settings}");
    assert!(settings.contains("secret-key=\"(set)\""), "{settings}");
    assert_eq!(said("stopped").len(), 1, "{log}");
}

#[tokio::test]
async fn a_log_that_goes_into_a_file_has_no_colours() {
    let mut command = in_memory(&["--log-format", "text"]);
    let (child, _, _) = start(command.stderr(Stdio::piped())).await;
    terminate(&child);
    let log = String::from_utf8(child.wait_with_output().await.unwrap().stderr).unwrap();
    assert!(log.contains("started") && !log.contains('\u{1b}'), "{log:?}");
}

#[tokio::test]
async fn the_operators_guide_has_the_metrics_that_there_are() {
    let guide = include_str!("../../../../docs/operating.md");
    let (_, table) = guide.split_once("<!-- metrics -->\n").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut described: Vec<_> = rows
        .map(|row| {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            format!("{} {}", cells[1].trim_matches('`'), cells[2])
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let (_child, api) = serve(dir.path()).await;
    // What has labels is there once something was counted.
    api.refused("bob", SET, &json!({})).await;
    let mut socket = Socket::login(api.address, "bob").await;
    socket.send("no frame").await;
    assert_eq!(socket.closed().await, 4002);
    let on_redis = Server::on(config(), Arc::new(single().store().await)).await;
    let mut there = Vec::new();
    for api in [&api, &on_redis.api] {
        let (_, page) = get(api, "/metrics").await;
        there.extend(page.lines().filter_map(|line| line.strip_prefix("# TYPE ").map(str::to_owned)));
    }
    described.sort_unstable();
    there.sort_unstable();
    there.dedup();
    assert_eq!(described, there);
}
