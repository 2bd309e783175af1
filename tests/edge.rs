//! The wasm edge in a real browser: what crosses between JavaScript and the machine. `fetch` and `WebSocket` are the
//! page's own except where a test stands in for the server; the whole against a real server is tested in JavaScript.

#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

use js_sys::{Array, Function, JSON, Object, Promise, Reflect};
use message_extensions::{Edge, What};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(inline_js = r#"
// A promise whose ends are handed to `call`; what it settled with, as JSON.
export function settled(call) {
  return new Promise((resolve) => call(
    (data) => resolve(JSON.stringify({ data })),
    ({ code, message }) => resolve(JSON.stringify({ code, message })),
  ));
}
const calls = [];
// The number by which the machine will name a call.
export function named(resolve, reject) {
  return calls.push({ done: resolve, failed: reject }) - 1;
}
// Stands in for the server's sockets, which the test then plays.
export function playServer() {
  const real = { WebSocket: globalThis.WebSocket, fetch: globalThis.fetch };
  const server = {
    sockets: [], requests: [], replies: [],
    restore() { Object.assign(globalThis, real); },
    open() { this.sockets.at(-1).onopen(); },
    frame(text) { this.sockets.at(-1).onmessage(new MessageEvent('message', { data: text })); },
    close(code) { this.sockets.at(-1).onclose(new CloseEvent('close', { code })); },
    sent() { return this.sockets.at(-1).sent; },
  };
  globalThis.WebSocket = class {
    constructor(url) { this.url = url; this.sent = []; server.sockets.push(this); }
    send(text) { this.sent.push(text); }
    close() { this.closed = true; }
  };
  globalThis.fetch = async (request, init) => {
    const r = new Request(request, init);
    server.requests.push({ url: r.url, type: r.headers.get('content-type'), body: r.method === 'POST' ? await r.text() : '' });
    const reply = server.replies.shift();
    if (reply === undefined) throw new TypeError('no network');
    return new Response(reply);
  };
  return server;
}
export function throwing() {
  return { get conversationType() { throw new Error('boom'); } };
}
export function recorder(list) {
  // What the machine asks of its owner is not for listeners.
  return (name, a, b) => {
    if (name === 'done' || name === 'failed') calls[a][name](b);
    else if (name !== 'begin') list.push(JSON.stringify([name, a]));
  };
}
"#)]
extern "C" {
    fn named(resolve: &Function, reject: &Function) -> u32;
    fn settled(call: &Closure<dyn FnMut(Function, Function)>) -> Promise;
    #[derive(Clone)]
    type Server;
    #[wasm_bindgen(js_name = playServer)]
    fn play_server() -> Server;
    #[wasm_bindgen(method)]
    fn restore(this: &Server);
    #[wasm_bindgen(method)]
    fn open(this: &Server);
    #[wasm_bindgen(method)]
    fn frame(this: &Server, text: &str);
    #[wasm_bindgen(method)]
    fn close(this: &Server, code: u16);
    #[wasm_bindgen(method)]
    fn sent(this: &Server) -> Array;
    #[wasm_bindgen(method, getter)]
    fn sockets(this: &Server) -> Array;
    #[wasm_bindgen(method, getter)]
    fn requests(this: &Server) -> Array;
    #[wasm_bindgen(method, getter)]
    fn replies(this: &Server) -> Array;
    fn throwing() -> JsValue;
    fn recorder(list: &Array) -> Function;
}

const NOTHING: JsValue = JsValue::UNDEFINED;
const APP: f64 = 1_400_000_000.0;

/// A client that outlives its test, as one on a page does.
fn edge(events: &Array) -> &'static Edge {
    let random = "0123456789abcdef".repeat(3);
    let options = format!(r#"{{"SDKAppID":{APP},"endpoint":"https://chat.example","random":"{random}"}}"#);
    Box::leak(Box::new(Edge::new(json(&options).unchecked_ref(), recorder(events))))
}

/// One of a client's calls.
fn call(edge: &Edge, method: &str, a: &JsValue, b: &JsValue, resolve: Function, reject: Function) {
    let method = What::from_js_value(&method.into()).unwrap();
    edge.tell(method, named(&resolve, &reject), a.unchecked_ref(), b, &NOTHING);
}

/// What a call settled with.
async fn outcome(call: impl FnOnce(Function, Function) + 'static) -> String {
    let call = Closure::once(call);
    JsFuture::from(settled(&call)).await.unwrap().as_string().unwrap()
}

fn json(text: &str) -> JsValue {
    JSON::parse(text).unwrap()
}

fn message() -> JsValue {
    json(
        r#"{"ID":"a-9-8","conversationType":"C2C","from":"a","to":"b","status":"success","isSupportExtension":true,
            "clientSequence":7,"random":8,"time":10}"#,
    )
}

/// Logs in over the played socket.
fn log_in(edge: &Edge, server: &Server) {
    let ignore = Function::new_no_args("");
    call(edge, "login", &json(r#"{"userID":"b","userSig":"s*-_"}"#), &NOTHING, ignore.clone(), ignore);
    server.open();
    server.frame(r#"{"Type":"ready"}"#);
}

fn texts(list: &Array) -> Vec<String> {
    list.iter().map(|text| text.as_string().unwrap()).collect()
}

#[wasm_bindgen_test]
async fn a_call_before_login_rejects_with_2024() {
    let edge = edge(&Array::new());
    let got = outcome(move |resolve, reject| call(edge, "get", &message(), &NOTHING, resolve, reject)).await;
    assert!(got.starts_with(r#"{"code":2024,"#), "{got}");
}

#[wasm_bindgen_test]
async fn arguments_of_every_wrong_kind_reject_by_name_and_nothing_is_sent() {
    let server = play_server();
    let wrong: [(JsValue, JsValue, &str); 8] = [
        (JsValue::NULL, json("[]"), "message must be"),
        (JsValue::from_str("m"), json("[]"), "message must be"),
        (throwing(), json("[]"), "message.conversationType"),
        (message(), JsValue::UNDEFINED, "extensions must be an array"),
        (message(), json("[]"), "1 to 20"),
        (message(), json("[null]"), "extensions[0]: the key"),
        (message(), json(r#"[{"key":"a","value":1}]"#), "extensions[0].value"),
        (message(), json(r#"[{"key":"a","value":"1"},{"key":"a","value":"2"}]"#), "twice"),
    ];
    for (message, extensions, named) in wrong {
        let edge = edge(&Array::new());
        log_in(edge, &server);
        let got =
            outcome(move |resolve, reject| call(edge, "set", &message, &extensions, resolve, reject)).await;
        assert!(got.starts_with(r#"{"code":9001,"#) && got.contains(named), "{named}: {got}");
    }
    assert_eq!(server.requests().length(), 0);
    server.restore();
}

#[wasm_bindgen_test]
async fn a_login_opens_the_socket_and_says_who() {
    let server = play_server();
    let events = Array::new();
    let edge = edge(&events);
    log_in(edge, &server);
    let url = Reflect::get(&server.sockets().get(0), &"url".into()).unwrap();
    assert_eq!(url, "wss://chat.example/v4/push");
    assert_eq!(
        texts(&server.sent()),
        [r#"{"Type":"login","SDKAppID":1400000000,"Identifier":"b","UserSig":"s*-_"}"#]
    );
    assert_eq!(texts(&events), [r#"["sdkStateReady",null]"#]);
    server.restore();
}

#[wasm_bindgen_test]
async fn a_set_is_posted_as_the_seeds_say_without_a_preflight_and_resolves_with_its_items() {
    let server = play_server();
    server.replies().push(&JsValue::from_str(
        r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"Seq":4,"ExtensionList":[
            {"ErrorCode":0,"Extension":{"Key":"k1","Value":"é","Seq":4}},
            {"ErrorCode":23001,"Extension":{"Key":"k2","Value":"v1234","Seq":2}}]}"#,
    ));
    let edge = edge(&Array::new());
    log_in(edge, &server);
    let items = json(r#"[{"key":"k1","value":"é"},{"key":"k2","value":"2"}]"#);
    let got = outcome(move |resolve, reject| call(edge, "set", &message(), &items, resolve, reject)).await;
    assert_eq!(
        got,
        r#"{"data":{"extensions":[{"key":"k1","value":"é","code":0},{"key":"k2","value":"v1234","code":23001}]}}"#
    );
    let request: Object = server.requests().get(0).into();
    let field = |name: &str| Reflect::get(&request, &name.into()).unwrap().as_string().unwrap();
    assert_eq!(
        field("body"),
        r#"{"From_Account":"a","To_Account":"b","MsgKey":"7_8_10","OperateType":1,"ExtensionList":[{"Key":"k1","Value":"é","Seq":0},{"Key":"k2","Value":"2","Seq":0}]}"#
    );
    assert!(field("type").starts_with("text/plain"), "{}", field("type"));
    let url = field("url");
    let (before, after) = (
        "https://chat.example/v4/openim_msg_ext_http_svc/set_key_values?sdkappid=1400000000&identifier=b&usersig=s*-_&random=",
        "&contenttype=json&requestid=0123456789abcdef0123456700000001",
    );
    assert!(url.starts_with(before) && url.ends_with(after), "{url}");
    server.restore();
}

#[wasm_bindgen_test]
async fn pushes_reach_listeners_as_the_mirrored_api_names_them() {
    let server = play_server();
    let events = Array::new();
    let edge = edge(&events);
    log_in(edge, &server);
    server.frame(
        r#"{"Type":"push","Events":[
            {"CallbackCommand":"C2C.CallbackAfterSendMsg","From_Account":"a","To_Account":"b","MsgKey":"7_8_10","MsgSeq":7,"MsgRandom":8,"MsgTime":10,"SupportMessageExtension":1,"MessageID":"a-9-8","MsgBody":[{"MsgType":"TIMCustomElem","MsgContent":{"Data":"d"}}]},
            {"CallbackCommand":"C2C.CallbackAfterC2CMsgExtension","From_Account":"a","To_Account":"b","MsgKey":"7_8_10","OperateType":1,"ExtensionList":[{"Key":"k","Value":"v","Seq":1}],"Seq":1,"MessageID":"a-9-8"},
            {"CallbackCommand":"C2C.CallbackAfterC2CMsgExtension","From_Account":"a","To_Account":"b","MsgKey":"7_8_10","OperateType":2,"ExtensionList":[{"Key":"k","Value":"","Seq":2}],"Seq":2,"MessageID":"a-9-8"}]}"#,
    );
    assert_eq!(
        texts(&events)[1..],
        [
            r#"["onMessageReceived",[{"ID":"a-9-8","conversationID":"C2Ca","conversationType":"C2C","from":"a","to":"b","flow":"in","time":10,"clientTime":10,"status":"success","sequence":7,"clientSequence":7,"random":8,"isSupportExtension":true,"type":"TIMCustomElem","payload":{"data":"d","description":"","extension":""}}]]"#,
            r#"["onMessageExtensionsUpdated",{"messageID":"a-9-8","extensions":[{"key":"k","value":"v"}]}]"#,
            r#"["onMessageExtensionsDeleted",{"messageID":"a-9-8","keyList":["k"]}]"#,
        ]
    );
    server.restore();
}

#[wasm_bindgen_test]
async fn user_code_may_call_back_in_and_hears_of_things_in_one_order() {
    let server = play_server();
    let events = Array::new();
    let edge = edge(&events);
    let got = outcome(move |resolve, reject| {
        // It follows the login at once, while SDK_READY is still to be told.
        let log_out = Closure::once_into_js(move |_: JsValue| {
            call(edge, "logout", &NOTHING, &NOTHING, resolve, reject)
        });
        call(
            edge,
            "login",
            &json(r#"{"userID":"b","userSig":"s"}"#),
            &NOTHING,
            log_out.unchecked_into(),
            Function::new_no_args(""),
        );
        server.open();
        server.frame(r#"{"Type":"ready"}"#);
        server.restore();
    })
    .await;
    assert_eq!(got, "{}", "it resolved, with nothing");
    assert_eq!(texts(&events), [r#"["sdkStateReady",null]"#, r#"["sdkStateNotReady",null]"#]);
}

#[wasm_bindgen_test]
async fn an_endpoint_that_cannot_be_reached_rejects_the_login_with_2800() {
    let server = play_server();
    let edge = edge(&Array::new());
    let socket = server.clone();
    let got = outcome(move |resolve, reject| {
        call(edge, "login", &json(r#"{"userID":"b","userSig":"s"}"#), &NOTHING, resolve, reject);
        socket.close(1006);
    })
    .await;
    server.restore();
    assert!(got.starts_with(r#"{"code":2800,"#), "{got}");
}

#[wasm_bindgen_test]
async fn a_refused_login_rejects_with_the_servers_code_and_text() {
    let server = play_server();
    let edge = edge(&Array::new());
    let got = outcome(move |resolve, reject| {
        call(edge, "login", &json(r#"{"userID":"b","userSig":"s"}"#), &NOTHING, resolve, reject);
        server.open();
        server.frame(r#"{"Type":"refused","ErrorCode":70001,"ErrorInfo":"usersig expired 60 seconds ago"}"#);
        server.restore();
    })
    .await;
    assert_eq!(got, r#"{"code":70001,"message":"usersig expired 60 seconds ago"}"#);
}

#[wasm_bindgen_test]
async fn a_reply_that_is_not_of_the_protocol_rejects_with_2903() {
    for reply in
        ["", "<html>", "[]", "{}", r#"{"ActionStatus":"OK","ErrorCode":0,"ExtensionList":[{"ErrorCode":0}]}"#]
    {
        let server = play_server();
        server.replies().push(&reply.into());
        let edge = edge(&Array::new());
        log_in(edge, &server);
        let items = json(r#"[{"key":"k","value":"v"}]"#);
        let got =
            outcome(move |resolve, reject| call(edge, "set", &message(), &items, resolve, reject)).await;
        assert!(got.starts_with(r#"{"code":2903,"#), "{reply}: {got}");
        server.restore();
    }
}
