//! The push connection (`docs/protocol.md`).

use std::time::Duration;

use message_extensions_core::usersig;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::client::{
    ADMIN, APP, GROUP_SEND, SECRET, SEND, SET, Server, config, message, now, query, set, with,
};
use crate::socket::Socket;

#[tokio::test]
async fn without_an_upgrade_it_says_that_push_exists() {
    let server = Server::start().await;
    let answer = server.api.http("GET", "/v4/push", &[], "").await.unwrap();
    assert_eq!(answer.body, r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#);
}

#[tokio::test]
async fn a_login_in_a_frame_or_in_the_url_gets_ready() {
    let server = Server::start().await;
    Socket::login(server.api.address, "alice").await;
    let mut socket = Socket::open(server.api.address, &format!("?{}", query("alice"))).await;
    assert_eq!(socket.frame().await, json!({"Type": "ready"}));
    socket.has_nothing().await;
}

#[tokio::test]
async fn a_bad_login_is_refused_in_a_frame_and_closed_with_4001() {
    let server = Server::start().await;
    let expired = usersig::sign(APP, SECRET.as_bytes(), "alice", now() - 100, 40);
    let login = |sig: &str| {
        json!({"Type": "login", "SDKAppID": APP, "Identifier": "alice", "UserSig": sig}).to_string()
    };
    for (frame, code) in [
        (login(&expired), 70001),
        (login("eJw"), 70003),
        (json!({"Type": "login"}).to_string(), 60012),
        (json!({"Type": "login", "SDKAppID": APP, "Identifier": "alice"}).to_string(), 60004),
    ] {
        let mut socket = Socket::open(server.api.address, "").await;
        socket.send(&frame).await;
        let refused = socket.frame().await;
        assert_eq!((&refused["Type"], &refused["ErrorCode"]), (&json!("refused"), &json!(code)));
        assert_eq!(socket.closed().await, 4001);
    }
    let in_url = format!("?sdkappid={APP}&identifier=alice&usersig={expired}");
    let mut socket = Socket::open(server.api.address, &in_url).await;
    assert_eq!(socket.frame().await["ErrorCode"], 70001);
    assert_eq!(socket.closed().await, 4001);
}

#[tokio::test]
async fn what_is_no_frame_of_the_protocol_is_closed_with_4002() {
    let server = Server::start().await;
    for frame in ["{", "[]", r#"{"Type":"ping"}"#] {
        let mut socket = Socket::open(server.api.address, "").await;
        socket.send(frame).await;
        assert_eq!(socket.closed().await, 4002, "{frame}");
    }
    let mut socket = Socket::login(server.api.address, "alice").await;
    socket.send(r#"{"Type":"dance"}"#).await;
    assert_eq!(socket.closed().await, 4002);
}

#[tokio::test]
async fn silence_is_closed_with_4003_before_and_after_the_login() {
    let mut config = config();
    config.push.login = Duration::from_millis(300);
    config.push.idle = Duration::from_millis(600);
    let server = Server::with(config).await;
    assert_eq!(Socket::open(server.api.address, "").await.closed().await, 4003);
    let mut socket = Socket::login(server.api.address, "alice").await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        socket.has_nothing().await;
    }
    assert_eq!(socket.closed().await, 4003);
}

#[tokio::test]
async fn one_connection_of_a_user_too_many_is_closed_with_4007_until_another_has_gone() {
    let mut config = config();
    config.push.user_connections = 2;
    let server = Server::with(config).await;
    let url = |user: &str| format!("?{}", query(user));
    let mut first = Socket::login(server.api.address, "alice").await;
    let mut second = Socket::login(server.api.address, "alice").await;
    for _ in 0..3 {
        assert_eq!(Socket::open(server.api.address, &url("alice")).await.closed().await, 4007);
    }
    Socket::login(server.api.address, "bob").await;
    server.api.c2c_message().await;
    assert_eq!(first.event().await["To_Account"], "bob");
    assert_eq!(second.event().await["To_Account"], "bob");
    drop(first);
    loop {
        let mut third = Socket::open(server.api.address, &url("alice")).await;
        // The server may not have noticed yet that the first is gone.
        if third.is_ready().await {
            break;
        }
    }
}

#[tokio::test]
async fn an_expired_signature_ends_the_connection_with_4005() {
    let server = Server::start().await;
    let sig = usersig::sign(APP, SECRET.as_bytes(), "alice", now(), 2);
    let url = format!("?sdkappid={APP}&identifier=alice&usersig={sig}");
    let mut socket = Socket::open(server.api.address, &url).await;
    assert_eq!(socket.frame().await["Type"], "ready");
    assert_eq!(socket.frame().await["ErrorCode"], 70001);
    assert_eq!(socket.closed().await, 4005);
}

#[tokio::test]
async fn a_stop_closes_connections_with_4006_and_ends() {
    let server = Server::start().await;
    let mut socket = Socket::login(server.api.address, "alice").await;
    let mut waiting = Socket::open(server.api.address, "").await;
    let stopped = tokio::spawn(server.stop());
    assert_eq!(socket.closed().await, 4006);
    assert_eq!(waiting.closed().await, 4006);
    drop((socket, waiting));
    tokio::time::timeout(Duration::from_secs(5), stopped).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_foreign_origin_is_not_upgraded_when_there_is_an_allow_list() {
    let mut config = config();
    config.allow_origins = vec!["https://chat.example".into()];
    let server = Server::with(config).await;
    for (origin, is_allowed) in [("https://chat.example", true), ("https://evil.example", false)] {
        let mut request = format!("ws://{}/v4/push", server.api.address).into_client_request().unwrap();
        request.headers_mut().insert("Origin", origin.parse().unwrap());
        assert_eq!(connect_async(request).await.is_ok(), is_allowed);
    }
}

#[tokio::test]
async fn a_change_reaches_every_connection_of_both_parties_and_nobody_else() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    let mut sockets = Vec::new();
    for user in ["alice", "bob", "bob"] {
        sockets.push(Socket::login(server.api.address, user).await);
    }
    let mut stranger = Socket::login(server.api.address, "mallory").await;
    let mut admin = Socket::login(server.api.address, ADMIN).await;
    server.api.ok("bob", SET, &set(&message, &[("k", "v", 0)])).await;
    for socket in &mut sockets {
        let event = socket.event().await;
        let expected = json!({"CallbackCommand": "C2C.CallbackAfterC2CMsgExtension", "From_Account": "alice", "To_Account": "bob",
            "MsgKey": message["MsgKey"], "OperateType": 1, "ExtensionList": [{"Key": "k", "Value": "v", "Seq": 1}], "Seq": 1,
            "EventTime": event["EventTime"], "Author": "bob", "MessageID": event["MessageID"]});
        assert_eq!(event, expected);
        assert!(event["MessageID"].as_str().unwrap().starts_with("alice-"));
    }
    stranger.has_nothing().await;
    admin.has_nothing().await;
}

#[tokio::test]
async fn refused_writes_and_retries_are_not_pushed() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    let mut socket = Socket::login(server.api.address, "alice").await;
    let url = format!("{}&requestid={}", query("bob"), "1".repeat(32));
    let write = set(&message, &[("k", "v", 0)]).to_string();
    server.api.post(SET, &url, &write).await;
    server.api.post(SET, &url, &write).await;
    server.api.post(SET, &query("bob"), &write).await;
    assert_eq!(socket.event().await["Seq"], 1);
    socket.has_nothing().await;
}

#[tokio::test]
async fn a_new_message_is_pushed_with_its_body() {
    let server = Server::start().await;
    let group = server.api.group_message("Public").await;
    let mut socket = Socket::login(server.api.address, "bob").await;
    let new = message(json!({"GroupId": group["GroupId"], "Random": 5, "MessageID": "alice-1-5"}));
    let sent = server.api.ok("alice", GROUP_SEND, &new).await;
    let event = socket.event().await;
    let expected = json!({"CallbackCommand": "Group.CallbackAfterSendMsg", "From_Account": "alice", "GroupId": group["GroupId"],
        "MsgSeq": 2, "EventTime": event["EventTime"], "MessageID": "alice-1-5", "MsgRandom": 5, "MsgTime": sent["MsgTime"],
        "SupportMessageExtension": 1, "MsgBody": new["MsgBody"]});
    assert_eq!(event, expected);
    let sent = server.api.ok("alice", SEND, &message(json!({"To_Account": "bob", "MsgSeq": 7}))).await;
    let event = socket.event().await;
    assert_eq!(event["CallbackCommand"], "C2C.CallbackAfterSendMsg");
    assert_eq!((&event["MsgKey"], &event["MsgSeq"]), (&sent["MsgKey"], &json!(7)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_concurrent_writers_events_come_in_order_of_a_dense_seq_and_agree_with_the_answers() {
    const WRITERS: u64 = 8;
    const WRITES: u64 = 25;
    let dir = tempfile::tempdir().unwrap();
    let store = message_extensions_server::store::SqliteStore::open(dir.path()).unwrap();
    let server = Server::on(config(), std::sync::Arc::new(store)).await;
    let message = server.api.c2c_message().await;
    let mut sockets =
        [Socket::login(server.api.address, "alice").await, Socket::login(server.api.address, "bob").await];
    let writers = (0..WRITERS).map(|writer| {
        let (api, message) = (server.api.clone(), message.clone());
        tokio::spawn(async move {
            let (mut seqs, mut seq) = (Vec::new(), 0);
            for n in 0..WRITES {
                let key = format!("writer {writer}");
                let reply = api.ok("bob", SET, &set(&message, &[(&key, &n.to_string(), seq)])).await;
                assert_eq!(reply["ExtensionList"][0]["ErrorCode"], 0);
                seq = reply["Seq"].as_u64().unwrap();
                seqs.push((seq, key, n.to_string()));
            }
            seqs
        })
    });
    let mut answered: Vec<_> =
        futures_util::future::join_all(writers).await.into_iter().flat_map(Result::unwrap).collect();
    answered.sort();
    for socket in &mut sockets {
        for (i, (seq, key, value)) in answered.iter().enumerate() {
            let event = socket.event().await;
            assert_eq!((event["Seq"].as_u64().unwrap(), *seq), (i as u64 + 1, i as u64 + 1));
            assert_eq!(event["ExtensionList"], json!([{"Key": key, "Value": value, "Seq": seq}]));
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn what_waits_goes_out_in_one_frame() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    let mut socket = Socket::login(server.api.address, "alice").await;
    let keys: Vec<String> = (0..50).map(|n| format!("k{n}")).collect();
    let writes = keys.iter().map(|key| {
        let write = set(&message, &[(key, "v", 0)]);
        let api = &server.api;
        async move { api.ok("bob", SET, &write).await }
    });
    futures_util::future::join_all(writes).await;
    let (mut frames, mut events) = (0, 0);
    while events < 50 {
        let frame: Value = socket.frame().await;
        frames += 1;
        events += frame["Events"].as_array().unwrap().len();
    }
    assert!(frames < 25, "{frames} frames for 50 events that were there at once");
}

#[tokio::test]
async fn a_client_that_reads_too_slowly_is_closed_with_4004() {
    let mut config = config();
    config.push.queued_bytes = 64 << 10;
    let server = Server::with(config).await;
    let message = server.api.c2c_message().await;
    let mut socket = Socket::login(server.api.address, "alice").await;
    // More than the buffers of the sockets between hold, and nobody reads.
    let value = "v".repeat(1000);
    let keys: Vec<String> = (0..20).map(|n| format!("k{n}")).collect();
    let items: Vec<_> = keys.iter().map(|key| json!({"Key": key, "Value": value})).collect();
    let write = with(&message, json!({"OperateType": 1, "ExtensionList": items}));
    for _ in 0..600 {
        server.api.ok(ADMIN, SET, &write).await;
    }
    assert_eq!(socket.closed().await, 4004);
}
