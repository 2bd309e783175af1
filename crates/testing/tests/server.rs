//! The in-page server, called as its page calls it. That it says what the real one says is held by
//! `tests/testing-parity.test.js`; here is what only a test can ask of it, and what a browser's client never sends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

use message_extensions_testing::{ADMIN, Call, Input, Output, Server};
use serde_json::{Value, json};

const T: u64 = 1_700_000_000_000;

struct Page {
    server: Server,
    now: u64,
    requests: u64,
}

impl Page {
    fn new(settings: Value) -> Self {
        Self { server: Server::new(&settings.to_string()).unwrap(), now: T, requests: 0 }
    }

    fn input(&mut self, input: Value) -> Output {
        let input: Input = serde_json::from_value(input).unwrap();
        self.server.handle(input, self.now).unwrap()
    }

    fn call_with(
        &mut self,
        user: &str,
        path: &str,
        body: Value,
        id: Option<&str>,
        is_test: bool,
    ) -> (Value, Output) {
        let (service, command) = path.split_once('/').unwrap();
        let call = Call {
            service: service.into(),
            command: command.into(),
            identifier: user.into(),
            usersig: "any".into(),
            request_id: id.map(Into::into),
            body: body.to_string(),
            is_test,
        };
        let output = self.server.handle(Input::Call(call), self.now).unwrap();
        (serde_json::from_str(output.answer.as_ref().unwrap()).unwrap(), output)
    }

    fn call(&mut self, user: &str, path: &str, body: Value) -> Value {
        self.requests += 1;
        let id = format!("{:032x}", self.requests);
        self.call_with(user, path, body, Some(&id), user == ADMIN).0
    }

    fn group(&mut self, members: &[&str]) {
        let list: Vec<_> = members.iter().map(|user| json!({"Member_Account": user})).collect();
        let body = json!({"Type": "Public", "Name": "Lunch", "GroupId": "lunch", "MemberList": list});
        assert_eq!(self.call(ADMIN, "group_open_http_svc/create_group", body)["ErrorCode"], 0);
    }

    /// A message of alice in the group: its MsgSeq.
    fn message(&mut self, more: Value) -> u64 {
        let mut body = json!({"From_Account": "alice", "GroupId": "lunch", "SupportMessageExtension": 1,
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "?"}}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call(ADMIN, "group_open_http_svc/send_group_msg", body)["MsgSeq"].as_u64().unwrap()
    }

    fn set(&mut self, user: &str, n: u64, key: &str, value: &str, seq: u64) -> Value {
        let body = json!({"GroupId": "lunch", "MsgSeq": n, "OperateType": 1,
            "ExtensionList": [{"Key": key, "Value": value, "Seq": seq}]});
        self.call(user, "openim_msg_ext_http_svc/group_set_key_values", body)
    }

    fn values(&mut self, n: u64) -> Vec<(String, String, String)> {
        let body = json!({"GroupId": "lunch", "MsgSeq": n, "WithAuthor": 1});
        let reply = self.call(ADMIN, "openim_msg_ext_http_svc/group_get_key_values", body);
        let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
        let list = reply["ExtensionList"].as_array().unwrap().iter();
        list.map(|item| (text(item, "Key"), text(item, "Value"), text(item, "Author"))).collect()
    }

    /// A connection on which the user has logged in.
    fn connect(&mut self, connection: u32, user: &str) -> Vec<Value> {
        self.input(json!({"what": "open", "connection": connection}));
        let login = json!({"Type": "login", "SDKAppID": 1, "Identifier": user, "UserSig": "any"});
        self.frame(connection, login)
    }

    fn frame(&mut self, connection: u32, frame: Value) -> Vec<Value> {
        frames(&self.input(json!({"what": "frame", "connection": connection, "text": frame.to_string()})))
    }
}

fn frames(output: &Output) -> Vec<Value> {
    output.frames.iter().map(|(_, text)| serde_json::from_str(text).unwrap()).collect()
}

fn item_code(reply: &Value) -> &Value {
    &reply["ExtensionList"][0]["ErrorCode"]
}

#[test]
fn everybody_in_the_group_is_told_of_a_write_in_one_frame_and_nobody_else() {
    let mut page = Page::new(json!({}));
    page.group(&["alice", "bob"]);
    let n = page.message(json!({}));
    for (connection, user) in [(1, "alice"), (2, "bob"), (3, "carol")] {
        assert_eq!(page.connect(connection, user), [json!({"Type": "ready"})]);
    }
    let body = json!({"GroupId": "lunch", "MsgSeq": n, "OperateType": 1,
        "ExtensionList": [{"Key": "a", "Value": "1", "Seq": 0}, {"Key": "b", "Value": "2", "Seq": 0}]});
    let (reply, output) =
        page.call_with("bob", "openim_msg_ext_http_svc/group_set_key_values", body, None, false);
    assert_eq!(reply["Seq"], 1);
    assert_eq!(output.frames.iter().map(|(connection, _)| *connection).collect::<Vec<_>>(), [1, 2]);
    let told = frames(&output);
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0]["Events"].as_array().unwrap().len(), 1);
    assert_eq!(told[0]["Events"][0]["Author"], "bob");
}

#[test]
fn a_closed_connection_is_told_nothing() {
    let mut page = Page::new(json!({}));
    page.group(&["alice"]);
    let n = page.message(json!({}));
    page.connect(1, "alice");
    page.input(json!({"what": "close", "connection": 1}));
    let body = json!({"GroupId": "lunch", "MsgSeq": n, "OperateType": 3});
    let (_, output) =
        page.call_with("alice", "openim_msg_ext_http_svc/group_set_key_values", body, None, false);
    assert_eq!(output.frames, []);
}

#[test]
fn a_write_that_comes_again_with_its_request_id_gets_the_first_answer_of_the_last_eight() {
    let mut page = Page::new(json!({}));
    page.group(&["alice"]);
    let n = page.message(json!({}));
    let set = |page: &mut Page, value: &str, id: &str| {
        let body = json!({"GroupId": "lunch", "MsgSeq": n, "OperateType": 1,
            "ExtensionList": [{"Key": value, "Value": value, "Seq": 0}]});
        page.call_with("alice", "openim_msg_ext_http_svc/group_set_key_values", body, Some(id), false).0
    };
    let first = set(&mut page, "0", "id-0");
    for i in 1..8 {
        set(&mut page, &i.to_string(), &format!("id-{i}"));
    }
    assert_eq!(set(&mut page, "0", "id-0"), first);
    set(&mut page, "8", "id-8");
    assert_eq!(*item_code(&set(&mut page, "0", "id-0")), 23001);
}

#[test]
fn a_user_has_their_share_of_writes_a_minute_and_the_test_as_many_as_it_likes() {
    let mut page = Page::new(json!({"userWritesPerMinute": 2}));
    page.group(&["alice"]);
    let n = page.message(json!({}));
    for code in [0, 0, 23003] {
        let seq = page.values(n).len() as u64;
        let reply = page.set("alice", n, &format!("k{seq}"), "v", 0);
        assert_eq!(reply["ErrorCode"], code);
    }
    for i in 0..250 {
        assert_eq!(page.set(ADMIN, n, "a", &format!("v{i}"), 0)["ErrorCode"], 0);
    }
    page.now += 60_000;
    assert_eq!(page.set("alice", n, "late", "v", 0)["ErrorCode"], 0);
}

#[test]
fn faults_strike_the_requests_that_they_are_meant_for_as_often_as_they_should() {
    let mut page = Page::new(json!({}));
    page.group(&["alice", "bob"]);
    let n = page.message(json!({}));
    page.input(json!({"what": "fault", "code": 10002, "kind": "write", "user": "bob", "times": 2}));
    let codes = |page: &mut Page, user: &str| {
        let seqs: Vec<_> = page.values(n).into_iter().collect();
        page.set(user, n, &format!("{user}{}", seqs.len()), "v", 0)["ErrorCode"].clone()
    };
    assert_eq!(codes(&mut page, "alice"), 0);
    assert_eq!(
        [codes(&mut page, "bob"), codes(&mut page, "bob"), codes(&mut page, "bob")],
        [10002, 10002, 0]
    );
    page.input(json!({"what": "fault", "code": 10008}));
    assert_eq!(codes(&mut page, "alice"), 10008);
    assert_eq!(codes(&mut page, "alice"), 10008);
    page.input(json!({"what": "heal"}));
    assert_eq!(codes(&mut page, "alice"), 0);
}

#[test]
fn an_answer_that_is_lost_was_given_and_everybody_is_told() {
    let mut page = Page::new(json!({}));
    page.group(&["alice"]);
    let n = page.message(json!({}));
    page.connect(1, "alice");
    page.input(json!({"what": "fault", "kind": "write", "times": 1}));
    let body = json!({"GroupId": "lunch", "MsgSeq": n, "OperateType": 1,
        "ExtensionList": [{"Key": "a", "Value": "1", "Seq": 0}]});
    let path = "openim_msg_ext_http_svc/group_set_key_values";
    let (first, output) = page.call_with("alice", path, body.clone(), Some("id"), false);
    assert!(output.is_lost && output.frames.len() == 1);
    let (again, output) = page.call_with("alice", path, body, Some("id"), false);
    assert!(!output.is_lost && output.frames.is_empty());
    assert_eq!(first, again);
}

#[test]
fn a_code_that_refuses_no_request_is_no_fault() {
    let mut page = Page::new(json!({}));
    for (code, said) in [(23001, "23001"), (9001, "9001"), (0, "0")] {
        let input: Input = serde_json::from_value(json!({"what": "fault", "code": code})).unwrap();
        let error = page.server.handle(input, T).unwrap_err();
        assert!(error.message.contains(said), "{error}");
    }
    // One of a server that is not ours.
    page.input(json!({"what": "fault", "code": 80001, "times": 1}));
    page.group(&["alice"]);
    let n = page.message(json!({}));
    assert_eq!(page.set("alice", n, "a", "1", 0)["ErrorCode"], 80001);
}

#[test]
fn a_rival_writes_before_the_next_write_of_the_same_key_by_another_user() {
    let mut page = Page::new(json!({}));
    page.group(&["alice", "bob"]);
    let n = page.message(json!({}));
    page.input(json!({"what": "rival", "message": {"GroupId": "lunch", "MsgSeq": n}, "by": "bob", "extensions": [["a", "bob's"]]}));
    assert_eq!(*item_code(&page.set("alice", n, "b", "1", 0)), 0);
    assert_eq!(*item_code(&page.set("bob", n, "c", "1", 0)), 0);
    let refused = page.set("alice", n, "a", "alice's", 0);
    assert_eq!(
        refused["ExtensionList"][0],
        json!({"ErrorCode": 23001, "Extension": {"Key": "a", "Value": "bob's", "Seq": 3}})
    );
    assert_eq!(*item_code(&page.set("alice", n, "a", "alice's", 3)), 0);
}

#[test]
fn a_resume_tells_what_was_missed_page_by_page_and_what_may_not_be_seen() {
    let mut page = Page::new(json!({"liveKeys": 0}));
    page.group(&["alice", "bob"]);
    let n = page.message(json!({}));
    let quiet = page.message(json!({}));
    for i in 0..450 {
        page.set(ADMIN, n, &format!("k{i}"), &"x".repeat(1000), 0);
    }
    page.connect(1, "alice");
    let resume = json!({"Type": "resume", "Messages": [
        {"GroupId": "lunch", "MsgSeq": n, "LatestSeq": 10}, {"GroupId": "lunch", "MsgSeq": quiet, "LatestSeq": 0},
        {"GroupId": "nowhere", "MsgSeq": 1, "LatestSeq": 0}]});
    let answer = page.frame(1, resume);
    assert!(answer.len() > 1);
    let parts: Vec<_> = answer.iter().flat_map(|frame| frame["Messages"].as_array().unwrap()).collect();
    assert_eq!(
        parts.iter().map(|part| &part["CompleteFlag"]).collect::<Vec<_>>(),
        [&json!(0), &json!(0), &json!(1), &Value::Null]
    );
    let told: usize = parts.iter().filter_map(|part| part["ExtensionList"].as_array()).map(Vec::len).sum();
    assert_eq!(told, 440);
    assert_eq!(parts[3]["ErrorCode"], 23004);
    assert_eq!(answer.iter().map(|frame| &frame["Complete"]).rev().collect::<Vec<_>>()[0], 1);
}

#[test]
fn what_is_no_frame_of_the_protocol_closes_the_connection() {
    let mut page = Page::new(json!({}));
    page.input(json!({"what": "open", "connection": 1}));
    let output = page.input(json!({"what": "frame", "connection": 1, "text": "[\"login\"]"}));
    assert_eq!(output.closed, [(1, 4002)]);
    page.input(json!({"what": "open", "connection": 2}));
    let output = page.input(json!({"what": "frame", "connection": 2, "text": "{\"Type\":\"ping\"}"}));
    assert_eq!(output.closed, [(2, 4002)]);
}

#[test]
fn a_login_that_is_refused_says_why_and_closes() {
    let mut page = Page::new(json!({}));
    page.input(json!({"what": "fault", "code": 70001, "kind": "login", "times": 1}));
    page.input(json!({"what": "open", "connection": 1}));
    let text = json!({"Type": "login", "Identifier": "alice", "UserSig": "any"}).to_string();
    let output = page.input(json!({"what": "frame", "connection": 1, "text": text}));
    assert_eq!(frames(&output)[0]["ErrorCode"], 70001);
    assert_eq!(output.closed, [(1, 4001)]);
    assert_eq!(page.connect(2, "alice"), [json!({"Type": "ready"})]);
}

#[test]
fn settings_that_are_not_known_are_refused_by_name() {
    let error = Server::new(r#"{"writesPerMinit":5}"#).unwrap_err();
    assert!(error.message.contains("writesPerMinit"), "{error}");
    let error = Server::new(r#"{"writesPerMinute":-1}"#).unwrap_err();
    assert!(error.message.contains("writesPerMinute"), "{error}");
}

#[test]
fn a_group_that_is_made_again_has_none_of_the_messages_of_the_first() {
    let mut page = Page::new(json!({}));
    page.group(&["alice"]);
    let n = page.message(json!({}));
    page.connect(1, "alice");
    let body = json!({"GroupId": "lunch"});
    let (_, output) = page.call_with(ADMIN, "group_open_http_svc/destroy_group", body, None, true);
    assert_eq!(frames(&output)[0]["Events"][0]["CallbackCommand"], "Group.CallbackAfterGroupDestroyed");
    page.group(&["alice"]);
    assert_eq!(page.set("alice", n, "a", "1", 0)["ErrorCode"], 23004);
    assert_eq!(page.message(json!({})), 1);
}
