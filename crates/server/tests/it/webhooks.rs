//! Webhooks of a server in this process, whose patience is short.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use message_extensions_server::store::{MemoryStore, RedisStore, Store};
use message_extensions_server::webhook::{self, Backoff, Pace, Secret, Url};
use serde_json::{Value, json};

use crate::client::{ADMIN, APP, Api, DESTROY, GROUP_SET, SET, Server, config, now, set, with};
use crate::faulty::{FAIL, FaultyStore, PANIC, WORK};
use crate::redis_servers::cluster;
use crate::socket::Socket;
use crate::webhook_receiver::{Got, PATIENCE, Receiver, eventually};

const KEY: &str = "a key for webhooks";

fn receiver(url: &str) -> webhook::Receiver {
    let mut receiver = webhook::Receiver::new(
        Url::parse(url).unwrap(),
        Secret::parse(KEY).unwrap_or_else(|e| panic!("{e}")),
    );
    let backoff = Backoff { first: Duration::from_millis(5), most: Duration::from_millis(40) };
    let trim = Duration::from_millis(20);
    receiver.pace = Pace { ill: backoff, refused: backoff, trim, ..Pace::default() };
    receiver
}

async fn server_on(store: Arc<dyn Store>, to: webhook::Receiver) -> Server {
    let mut config = config();
    config.webhook = Some(to);
    Server::on(config, store).await
}

async fn server(to: webhook::Receiver) -> Server {
    server_on(Arc::new(MemoryStore::new()), to).await
}

/// Sets on the message until its Seq is `up_to`.
async fn write(api: &Api, message: &Value, from: u64, up_to: u64) {
    for seq in from..=up_to {
        let key = format!("k{}", seq % 100);
        let write = with(message, json!({"OperateType": 1, "ExtensionList": [{"Key": key, "Value": "v"}]}));
        assert_eq!(api.ok(ADMIN, SET, &write).await["Seq"], seq);
    }
}

async fn metric(api: &Api, name: &str) -> f64 {
    let page = api.http("GET", "/metrics", &[], "").await.unwrap().body;
    let name = format!("message_extensions_{name} ");
    let line = page.lines().find_map(|line| line.strip_prefix(&name).map(str::to_owned));
    line.unwrap_or_else(|| panic!("{name} is not in {page}")).parse().unwrap()
}

fn all(up_to: u64) -> Vec<u64> {
    (1..=up_to).collect()
}

#[tokio::test]
async fn both_commands_come_with_the_body_that_is_pushed_and_the_address_of_the_mirrored_service() {
    let (taker, url) = Receiver::start().await;
    let server = server(receiver(&format!("{url}?key=of%20ours"))).await;
    let api = &server.api;
    let message = api.c2c_message().await;
    let group = api.group_message("Public").await;
    let mut bob = Socket::login(api.address, "bob").await;
    let delete = json!({"OperateType": 2, "ExtensionList": [{"Key": "人", "Seq": 1}]});
    api.ok("bob", SET, &set(&message, &[("人", "\"🗳\"\n", 0), ("l", "w", 0)])).await;
    api.ok("bob", SET, &with(&message, delete)).await;
    api.ok("alice", SET, &with(&message, json!({"OperateType": 3}))).await;
    api.ok("carol", GROUP_SET, &set(&group, &[("k", "v", 0)])).await;
    taker.until("four changes", |got| got.len() == 4).await;
    let mut pushed = Vec::new();
    for _ in 0..4 {
        pushed.push(bob.event().await);
    }
    let key = message["MsgKey"].as_str().unwrap();
    let place = format!(
        r#""CallbackCommand":"C2C.CallbackAfterC2CMsgExtension","From_Account":"alice","To_Account":"bob","MsgKey":"{key}""#
    );
    let group_place = format!(
        r#""CallbackCommand":"Group.CallbackAfterGroupMsgExtension","GroupId":{},"MsgSeq":1"#,
        group["GroupId"]
    );
    let expected = [
        (
            &place,
            r#""OperateType":1,"ExtensionList":[{"Key":"人","Value":"\"🗳\"\n","Seq":1},{"Key":"l","Value":"w","Seq":1}],"Seq":1"#,
            "bob",
        ),
        (&place, r#""OperateType":2,"ExtensionList":[{"Key":"人","Value":"","Seq":2}],"Seq":2"#, "bob"),
        (&place, r#""OperateType":3,"ExtensionList":[],"Seq":3"#, "alice"),
        (
            &group_place,
            r#""OperateType":1,"ExtensionList":[{"Key":"k","Value":"v","Seq":1}],"Seq":1"#,
            "carol",
        ),
    ];
    let got = taker.got();
    for (place, what, author) in expected {
        let at = pushed.iter().position(|event| {
            let place = format!("{{{place},{what}");
            serde_json::from_str::<Value>(&format!("{place}}}"))
                .unwrap()
                .as_object()
                .unwrap()
                .iter()
                .all(|(name, value)| event[name] == *value)
        });
        let event = pushed.remove(at.unwrap_or_else(|| panic!("{what} was not pushed: {pushed:?}")));
        let (time, id) = (&event["EventTime"], &event["MessageID"]);
        let body = format!(r#"{{{place},{what},"EventTime":{time},"Author":"{author}","MessageID":{id}}}"#);
        let got = got.iter().find(|got| got.body == body).unwrap_or_else(|| panic!("{body} did not come"));
        let command = event["CallbackCommand"].as_str().unwrap();
        let query = format!("key=of%20ours&SdkAppid={APP}&CallbackCommand={command}&contenttype=json");
        assert_eq!(got.target, format!("/hook?{query}"));
        assert_eq!(got.header("content-type"), "application/json");
        assert_eq!(got.header("content-length"), body.len().to_string());
    }
    eventually("all are removed", async || metric(api, "webhooks_waiting").await == 0.0).await;
    assert_eq!(metric(api, "webhooks_sent_total").await, 4.0);
}

#[tokio::test]
async fn each_message_comes_in_the_order_of_seq_also_when_the_receiver_fails_now_and_then() {
    const MESSAGES: usize = 12;
    const CHANGES: u64 = 20;
    let (taker, url) = Receiver::start().await;
    let mut count = 0;
    taker.answer(move |_| {
        count += 1;
        match count {
            n if n % 41 == 0 => 503,
            n if n % 17 == 0 => 400,
            n if n % 29 == 0 => 302,
            _ => 200,
        }
    });
    let server = server(receiver(&url)).await;
    let mut messages = Vec::new();
    for _ in 0..MESSAGES {
        messages.push(server.api.c2c_message().await);
    }
    futures_util::future::join_all(messages.iter().map(|message| write(&server.api, message, 1, CHANGES)))
        .await;
    for message in &messages {
        taker.until_taken(message, usize::try_from(CHANGES).unwrap()).await;
    }
    for message in &messages {
        assert_eq!(taker.taken(message), all(CHANGES), "each once, in order");
        // Nothing was even tried before what comes before it was taken.
        let mut next = 1;
        for got in taker.got().iter().filter(|got| got.is_of(message)) {
            assert_eq!(got.seq(), next);
            next += u64::from(got.status == 200);
        }
    }
    assert!(!taker.overlapped(), "two of one message at a time");
    assert!((2..=8).contains(&taker.most_at_once()), "{} at a time", taker.most_at_once());
    let failed = async |reason: &str| {
        metric(&server.api, &format!("webhooks_failed_total{{reason=\"{reason}\"}}")).await
    };
    let by_status = |first: u16, last: u16| {
        taker.got().iter().filter(|got| (first..=last).contains(&got.status)).count() as f64
    };
    assert_eq!(failed("5xx").await, by_status(500, 599));
    assert_eq!(failed("4xx").await, by_status(400, 499));
    assert_eq!(failed("3xx").await, by_status(300, 399));
}

#[tokio::test]
async fn writes_go_on_while_the_receiver_does_not_answer_and_everything_comes_when_it_does() {
    let (taker, url) = Receiver::start().await;
    taker.open(false);
    let mut to = receiver(&url);
    // Whoever waited for it would wait for the whole test.
    to.pace.timeout = Duration::from_secs(3600);
    let server = server(to).await;
    let mut messages = Vec::new();
    for _ in 0..20 {
        messages.push(server.api.c2c_message().await);
    }
    let writes = async {
        for message in &messages {
            write(&server.api, message, 1, 5).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, writes).await.is_ok(), "writes wait for the receiver");
    eventually("eight requests wait", async || taker.held() == 8).await;
    assert_eq!((taker.got().len(), metric(&server.api, "webhooks_waiting").await), (0, 100.0));
    assert_eq!(server.api.http("GET", "/readyz", &[], "").await.unwrap().status, 200);
    taker.open(true);
    for message in &messages {
        taker.until_taken(message, 5).await;
        assert_eq!(taker.taken(message), all(5));
    }
}

#[tokio::test]
async fn a_receiver_that_answers_too_late_is_asked_again() {
    let (taker, url) = Receiver::start().await;
    taker.open(false);
    let mut to = receiver(&url);
    to.pace.timeout = Duration::from_millis(50);
    let server = server(to).await;
    let message = server.api.c2c_message().await;
    write(&server.api, &message, 1, 2).await;
    let timeouts = r#"webhooks_failed_total{reason="timeout"}"#;
    eventually("two attempts", async || metric(&server.api, timeouts).await >= 2.0).await;
    taker.open(true);
    taker.until_taken(&message, 2).await;
    let mut taken = taker.taken(&message);
    taken.dedup();
    assert_eq!(taken, [1, 2]);
}

#[tokio::test]
async fn what_came_while_nobody_listened_comes_when_somebody_does() {
    let (socket, address) = Receiver::port();
    let server = server(receiver(&format!("http://{address}/"))).await;
    let message = server.api.c2c_message().await;
    write(&server.api, &message, 1, 20).await;
    let refused = r#"webhooks_failed_total{reason="connect"}"#;
    eventually("it was tried", async || metric(&server.api, refused).await > 2.0).await;
    let taker = Receiver::new(|_| 200);
    taker.serve(socket.listen(64).unwrap());
    taker.until_taken(&message, 20).await;
    assert_eq!(taker.taken(&message), all(20));
}

#[tokio::test]
async fn a_message_that_is_refused_does_not_stop_the_others() {
    let (taker, url) = Receiver::start().await;
    let server = server(receiver(&url)).await;
    let bad = server.api.c2c_message().await;
    let good = server.api.c2c_message().await;
    let of_bad = bad.clone();
    taker.answer(move |got| if got.is_of(&of_bad) { 400 } else { 200 });
    write(&server.api, &bad, 1, 3).await;
    write(&server.api, &good, 1, 50).await;
    taker.until_taken(&good, 50).await;
    assert_eq!(taker.taken(&good), all(50));
    taker.until("three attempts", |got| got.iter().filter(|got| got.status == 400).count() >= 3).await;
    assert!(taker.got().iter().all(|got| !got.is_of(&bad) || got.seq() == 1), "one was passed over");
    eventually("it is counted", async || metric(&server.api, "webhooks_blocked").await == 1.0).await;
    taker.answer(|_| 200);
    taker.until_taken(&bad, 3).await;
    assert_eq!(taker.taken(&bad), [1, 2, 3]);
}

#[tokio::test]
async fn more_than_may_wait_are_dropped_the_oldest_first_and_counted() {
    let (taker, url) = Receiver::start().await;
    taker.answer(|_| 503);
    let server = server(webhook::Receiver { queue: 10, ..receiver(&url) }).await;
    let message = server.api.c2c_message().await;
    write(&server.api, &message, 1, 50).await;
    let dropped = r#"webhooks_dropped_total{reason="queue"}"#;
    eventually("40 are dropped", async || metric(&server.api, dropped).await == 40.0).await;
    assert_eq!(metric(&server.api, "webhooks_waiting").await, 10.0);
    // Not one that was read before it was dropped.
    taker.until("the first that is left", |got| got.last().is_some_and(|got| got.seq() == 41)).await;
    taker.answer(|_| 200);
    taker.until_taken(&message, 10).await;
    assert_eq!(taker.taken(&message), (41..=50).collect::<Vec<_>>());
    assert_eq!(metric(&server.api, dropped).await, 40.0);
}

#[tokio::test]
async fn what_waits_for_too_long_is_dropped_and_counted() {
    let (taker, url) = Receiver::start().await;
    taker.answer(|_| 503);
    let server = server(webhook::Receiver { max_age: Duration::from_millis(1), ..receiver(&url) }).await;
    let message = server.api.c2c_message().await;
    write(&server.api, &message, 1, 5).await;
    let dropped = r#"webhooks_dropped_total{reason="age"}"#;
    eventually("all are dropped", async || metric(&server.api, dropped).await == 5.0).await;
    assert_eq!(metric(&server.api, "webhooks_waiting").await, 0.0);
    assert_eq!(metric(&server.api, "webhooks_oldest_seconds").await, 0.0);
}

#[tokio::test]
async fn each_attempt_is_signed_and_names_its_change() {
    let (taker, url) = Receiver::start().await;
    let mut left = 3;
    taker.answer(move |_| {
        left -= 1;
        if left >= 0 { 500 } else { 200 }
    });
    let url = url.replace("http://", "http://hook:pass%20word@");
    let server = server(receiver(&url)).await;
    let message = server.api.c2c_message().await;
    let begun = now();
    write(&server.api, &message, 1, 2).await;
    taker.until_taken(&message, 2).await;
    let got = taker.got();
    let ids: HashMap<u64, &str> = got.iter().map(|got| (got.seq(), got.header("webhook-id"))).collect();
    assert_ne!(ids[&1], ids[&2]);
    for got in &got {
        assert_eq!(got.header("webhook-id"), ids[&got.seq()], "another id for the same change");
        let timestamp = got.header("webhook-timestamp").parse::<u64>().unwrap();
        assert!((begun..=now()).contains(&timestamp));
        assert_eq!(got.signed_with(KEY.as_bytes()), [true]);
        assert_eq!(got.signed_with(b"another key"), [false]);
        assert_eq!(got.header("authorization"), "Basic aG9vazpwYXNzIHdvcmQ=");
        let mut forged = got.clone();
        forged.body = forged.body.replace("\"v\"", "\"w\"");
        assert_eq!(forged.signed_with(KEY.as_bytes()), [false]);
    }
}

#[tokio::test]
async fn during_a_rotation_it_is_signed_with_both_secrets() {
    let (taker, url) = Receiver::start().await;
    let mut to = receiver(&url);
    to.secret = Secret::parse("whsec_bmV3IGtleQ==").unwrap_or_else(|e| panic!("{e}"));
    to.previous_secret = Secret::parse(KEY).ok();
    let server = server(to).await;
    let message = server.api.c2c_message().await;
    write(&server.api, &message, 1, 1).await;
    taker.until_taken(&message, 1).await;
    let got = &taker.got()[0];
    assert_eq!(got.signed_with(b"new key"), [true, false]);
    assert_eq!(got.signed_with(KEY.as_bytes()), [false, true]);
}

#[tokio::test]
async fn without_a_webhook_nothing_is_queued() {
    let store = Arc::new(MemoryStore::new());
    let server = Server::on(config(), Arc::clone(&store) as Arc<dyn Store>).await;
    let message = server.api.c2c_message().await;
    write(&server.api, &message, 1, 3).await;
    assert_eq!(store.webhook_messages(i64::MIN, 9).await.unwrap(), [0; 0]);
}

#[tokio::test]
async fn a_stop_finishes_what_was_begun_and_the_next_start_sends_the_rest() {
    let store = Arc::new(MemoryStore::new());
    let server = async |url: &str| server_on(Arc::clone(&store) as Arc<dyn Store>, receiver(url)).await;
    let (_nobody_listens, address) = Receiver::port();
    let first = server(&format!("http://{address}/")).await;
    let message = first.api.c2c_message().await;
    write(&first.api, &message, 1, 3).await;
    first.stop().await;
    let no = store.webhook_messages(i64::MIN, 9).await.unwrap()[0];

    let (taker, url) = Receiver::start().await;
    taker.open(false);
    let second = server(&url).await;
    eventually("one waits for its answer", async || taker.held() == 1).await;
    let api = second.api.clone();
    let stopping = tokio::spawn(second.stop());
    let is_gone = async || api.http("GET", "/healthz", &[("connection", "close")], "").await.is_err();
    eventually("it takes no calls", is_gone).await;
    taker.open(true);
    stopping.await.unwrap();
    assert_eq!(taker.taken(&message), [1]);
    let left: Vec<_> = store.webhooks(no, 9).await.unwrap().iter().map(|webhook| webhook.seq).collect();
    assert_eq!(left, [2, 3]);

    let _third = server(&url).await;
    taker.until_taken(&message, 3).await;
    assert_eq!(taker.taken(&message), [1, 2, 3]);
}

#[tokio::test]
async fn changes_of_a_group_that_is_gone_are_told() {
    let (taker, url) = Receiver::start().await;
    taker.answer(|_| 503);
    let server = server(receiver(&url)).await;
    let group = server.api.group_message("Public").await;
    server.api.ok("bob", GROUP_SET, &set(&group, &[("k", "v", 0)])).await;
    server.api.ok(ADMIN, DESTROY, &json!({"GroupId": group["GroupId"]})).await;
    taker.answer(|_| 200);
    taker.until_taken(&group, 1).await;
}

#[tokio::test]
async fn a_store_that_cannot_remove_what_was_taken_does_not_make_it_come_again() {
    for fault in [FAIL, PANIC] {
        let store = Arc::new(FaultyStore::default());
        store.removals.store(fault, Ordering::SeqCst);
        let (taker, url) = Receiver::start().await;
        let server = server_on(Arc::clone(&store) as Arc<dyn Store>, receiver(&url)).await;
        let messages = [server.api.c2c_message().await, server.api.c2c_message().await];
        for message in &messages {
            write(&server.api, message, 1, 1).await;
            taker.until_taken(message, 1).await;
            write(&server.api, message, 2, 3).await;
        }
        store.removals.store(WORK, Ordering::SeqCst);
        for message in &messages {
            taker.until_taken(message, 3).await;
            assert_eq!(taker.taken(message), [1, 2, 3]);
        }
        eventually("all are removed", async || metric(&server.api, "webhooks_waiting").await == 0.0).await;
        assert_eq!(store.webhook_messages(i64::MIN, 9).await.unwrap(), [0; 0]);
    }
}

#[tokio::test]
async fn a_change_of_which_the_receiver_falls_ill_does_not_hold_up_the_others() {
    let (taker, url) = Receiver::start().await;
    let server = server(receiver(&url)).await;
    let bad = server.api.c2c_message().await;
    let good = server.api.c2c_message().await;
    let of_bad = bad.clone();
    taker.answer(move |got: &Got| if got.is_of(&of_bad) { 500 } else { 200 });
    write(&server.api, &bad, 1, 1).await;
    write(&server.api, &good, 1, 30).await;
    taker.until_taken(&good, 30).await;
    assert_eq!((taker.taken(&good), taker.taken(&bad)), (all(30), vec![]));
}

#[tokio::test]
async fn of_two_servers_on_one_store_one_sends_in_order_and_once_and_when_it_stops_the_other_does() {
    let (taker, url) = Receiver::start().await;
    let servers = cluster().servers();
    let node = async || {
        server_on(Arc::new(RedisStore::connect(servers.clone()).await.unwrap()), receiver(&url)).await
    };
    let (a, b) = (node().await, node().await);
    let message = a.api.c2c_message().await;
    for seq in (1..=20).step_by(2) {
        write(&a.api, &message, seq, seq).await;
        write(&b.api, &message, seq + 1, seq + 1).await;
    }
    taker.until_taken(&message, 20).await;
    // Whichever sends, the other one goes on.
    a.stop().await;
    write(&b.api, &message, 21, 25).await;
    taker.until_taken(&message, 25).await;
    let c = node().await;
    b.stop().await;
    write(&c.api, &message, 26, 30).await;
    taker.until_taken(&message, 30).await;
    assert_eq!(taker.taken(&message), all(30), "each once, in order");
    assert!(!taker.overlapped());
}
