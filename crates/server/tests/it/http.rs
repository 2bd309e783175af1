//! What holds for every request: the envelope, the URL, signatures, rates, CORS, files.

use message_extensions_core::usersig;
use serde_json::json;

use crate::client::{
    ADMIN, APP, GET, LIST, SECRET, SEND, SET, Server, config, message, now, query, set, signature,
};

#[tokio::test]
async fn whatever_is_wrong_with_a_request_is_answered_with_http_200_and_a_code() {
    let server = Server::start().await;
    let good = query(ADMIN);
    let sig = signature(ADMIN);
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(1 << 20));
    let expired = usersig::sign(APP, SECRET.as_bytes(), ADMIN, now() - 100, 50);
    let forged = usersig::sign(APP, b"another key", ADMIN, now(), 50);
    let query_of = |sig: &str| format!("sdkappid={APP}&identifier={ADMIN}&usersig={sig}");
    let cases = [
        ("openim/nothing", good.clone(), "{}", 60009),
        ("nothing/sendmsg", good.clone(), "{}", 60009),
        ("openim", good.clone(), "{}", 60009),
        ("openim/sendmsg/more", good.clone(), "{}", 60009),
        ("openim/%ff", good.clone(), "{}", 60009),
        ("", good.clone(), "{}", 60009),
        (SEND, format!("{good}&usersig=twice"), "{}", 60002),
        (SEND, good.clone(), "", 60003),
        (SEND, good.clone(), "[]", 60003),
        (SEND, good.clone(), r#"{"To_Account":"#, 60003),
        (SEND, good.clone(), r#"{"To_Account": 5, "#, 60003),
        (SEND, good.clone(), "{} {}", 60003),
        (SEND, good.clone(), r#"{"To_Account": 5}"#, 10004),
        (SEND, good.clone(), &large, 60002),
        (SEND, format!("identifier={ADMIN}&usersig={sig}"), "{}", 60012),
        (SEND, format!("sdkappid=x&identifier={ADMIN}&usersig={sig}"), "{}", 60012),
        (SEND, format!("sdkappid={APP}&usersig={sig}"), "{}", 60004),
        (SEND, format!("sdkappid={APP}&identifier={ADMIN}"), "{}", 60004),
        (SEND, format!("sdkappid=5&identifier={ADMIN}&usersig={sig}"), "{}", 70014),
        (SEND, format!("sdkappid={APP}&identifier=bob&usersig={sig}"), "{}", 70013),
        (SEND, query_of("eJw"), "{}", 70003),
        (SEND, query_of(&forged), "{}", 70009),
        (SEND, query_of(&expired), "{}", 70001),
    ];
    for (path, query, body, code) in cases {
        let reply = server.api.post(path, &query, body).await;
        assert_eq!(reply["ErrorCode"], code, "{path} {query}: {reply}");
        assert_eq!(reply["ActionStatus"], "FAIL");
    }
    let answer = server.api.http("GET", &format!("/v4/{SEND}?{good}"), &[], "").await.unwrap();
    assert_eq!((answer.status, answer.json()["ErrorCode"].as_u64()), (200, Some(60002)));
}

#[tokio::test]
async fn a_field_of_the_wrong_type_is_named_with_its_path_and_what_was_expected() {
    let server = Server::start().await;
    let body = r#"{"To_Account":"b","MsgKey":"k","OperateType":1,"ExtensionList":[{"Key":"k","Value":"v","Seq":0},{"Key":"k","Value":"v","Seq":"1"}]}"#;
    let reply = server.api.post(SET, &query("bob"), body).await;
    let text = reply["ErrorInfo"].as_str().unwrap();
    assert!(text.contains("ExtensionList[1].Seq") && text.contains("expected u64"), "{text}");
}

#[tokio::test]
async fn what_is_kept_as_it_came_is_an_object_of_bounded_depth() {
    let server = Server::start().await;
    let element = |levels: usize| {
        let nested = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"MsgType":"T","MsgContent":{{"x":{nested}}},"x":{nested}}}"#)
    };
    let list = json!({"Operator_Account": "bob", "Peer_Account": "alice"});
    for (element, code) in [
        (r#"["T",{}]"#.to_owned(), 10004),
        ("[[]]".to_owned(), 10004),
        (element(61), 60003),
        (element(5_000), 60003),
        (element(60), 0),
    ] {
        let before = server.api.ok("bob", LIST, &list).await;
        let body = format!(r#"{{"To_Account":"bob","MsgBody":[{element}]}}"#);
        let reply = server.api.post(SEND, &query("alice"), &body).await;
        assert_eq!(reply["ErrorCode"], code, "{reply}");
        // Read by a parser with the usual limits.
        let after = server.api.ok("bob", LIST, &list).await;
        assert_eq!(after == before, code != 0);
    }
}

#[tokio::test]
async fn a_signature_that_was_good_for_one_user_stays_bad_for_another() {
    let server = Server::start().await;
    let list = json!({"Peer_Account": "carol"});
    server.api.ok("alice", LIST, &list).await;
    let stolen = query("alice").replace("identifier=alice", "identifier=bob");
    assert_eq!(server.api.post(LIST, &stolen, &list.to_string()).await["ErrorCode"], 70013);
}

#[tokio::test]
async fn calls_are_counted_by_user_and_for_admins_by_command() {
    let mut config = config();
    config.limits.user_calls_per_second = 3;
    config.limits.admin_calls_per_second = 3;
    let server = Server::with(config).await;
    let calls = async |user: &str, path: &str| {
        let body = message(json!({"To_Account": "b", "MsgKey": "k", "Peer_Account": "b"}));
        let calls = (0..9).map(|_| server.api.call(user, path, &body));
        let replies = futures_util::future::join_all(calls).await;
        replies.iter().filter(|reply| reply["ErrorCode"] == 60007).count()
    };
    // A second may end on the way, so between one and two seconds' worth are let in.
    assert!(calls("alice", GET).await >= 3);
    assert!(calls(ADMIN, GET).await >= 3);
    let list = json!({"Peer_Account": "b"});
    assert_ne!(server.api.call(ADMIN, LIST, &list).await["ErrorCode"], 60007);
    assert_ne!(server.api.call("bob", LIST, &list).await["ErrorCode"], 60007);
}

#[tokio::test]
async fn any_origin_may_call_by_default_and_options_needs_no_signature() {
    let server = Server::start().await;
    let origin = [("Origin", "https://chat.example")];
    let answer = server.api.http("OPTIONS", &format!("/v4/{SET}"), &origin, "").await.unwrap();
    assert_eq!((answer.status, &answer.headers["access-control-allow-origin"]), (200, &"*".parse().unwrap()));
    let answer = server.api.http("POST", &format!("/v4/{SET}"), &origin, "{}").await.unwrap();
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn with_an_allow_list_only_its_origins_and_the_own_host_are_answered() {
    let mut config = config();
    config.allow_origins = vec!["https://chat.example".into()];
    let server = Server::with(config).await;
    let own = format!("http://{}", server.api.address);
    for (origin, is_allowed) in
        [("https://chat.example", true), (own.as_str(), true), ("https://evil.example", false)]
    {
        let answer =
            server.api.http("OPTIONS", &format!("/v4/{SET}"), &[("Origin", origin)], "").await.unwrap();
        let allowed = answer.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        assert_eq!(allowed, is_allowed.then_some(origin));
    }
}

#[tokio::test]
async fn the_content_type_of_a_request_does_not_matter() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    for content_type in ["text/plain", "application/json", "image/png"] {
        let url = format!("/v4/{SET}?{}", query("bob"));
        let body = set(&message, &[(content_type, "v", 0)]).to_string();
        let answer = server.api.http("POST", &url, &[("Content-Type", content_type)], &body).await.unwrap();
        assert_eq!(answer.json()["ErrorCode"], 0);
    }
}

#[tokio::test]
async fn files_are_served_with_their_types_and_checked_each_time() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["index.html", "sdk.wasm", "sdk.js"] {
        std::fs::write(dir.path().join(name), name).unwrap();
    }
    let mut config = config();
    config.static_dir = Some(dir.path().to_owned());
    let server = Server::with(config).await;
    for (path, content_type) in
        [("/", "text/html"), ("/sdk.wasm", "application/wasm"), ("/sdk.js", "text/javascript")]
    {
        let answer = server.api.http("GET", path, &[], "").await.unwrap();
        assert_eq!((answer.status, &answer.headers["content-type"]), (200, &content_type.parse().unwrap()));
        assert_eq!(answer.headers["cache-control"], "no-cache");
    }
    assert_eq!(server.api.http("GET", "/../Cargo.toml", &[], "").await.unwrap().status, 404);
    assert_eq!(server.api.http("GET", "/healthz", &[], "").await.unwrap().body, "ok");
}
