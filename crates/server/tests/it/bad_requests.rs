//! Requests that are wrong in one respect, each with its code and what its text names; after each, nothing has changed.

mod parts;

use std::collections::HashSet;

use serde_json::{Value, json};

use self::parts::{
    C2C_ADDRESSES, GROUP_ADDRESSES, PULLS, SETS, Url, bad_bodies, bad_deletes, bad_lists, bad_paths,
    bad_urls, with_value, without,
};
use crate::client::{ADMIN, Api, GET, GROUP_GET, GROUP_SET, SET, Server, query, set, with};

/// A wrong request: what it is, its code, and what its text must name.
struct Case {
    is: String,
    method: &'static str,
    path: String,
    query: String,
    body: Vec<u8>,
    code: u64,
    names: &'static str,
}

/// One of the four commands.
struct Command {
    path: &'static str,
    is_set: bool,
    is_group: bool,
    /// The fields that name the message, as JSON without braces.
    address: String,
}

impl Command {
    /// The other fields. A set or pull with them would be accepted, and the set would write.
    fn rest(&self) -> &'static str {
        if self.is_set {
            r#""OperateType":1,"ExtensionList":[{"Key":"k","Value":"w","Seq":1}]"#
        } else {
            r#""StartSeq":1"#
        }
    }

    /// `<A>` in the template becomes the address, `<R>` the rest; in bytes, since a body may not be text.
    fn body(&self, template: impl Into<Vec<u8>>) -> Vec<u8> {
        let mut body = template.into();
        for (token, text) in [(b"<A>", self.address.as_str()), (b"<R>", self.rest())] {
            while let Some(at) = body.windows(3).position(|window| window == token) {
                body.splice(at..at + 3, text.bytes());
            }
        }
        body
    }

    fn case(&self, is: &str, body: impl Into<Vec<u8>>, code: u64, names: &'static str) -> Case {
        let (path, query) = (self.path.into(), Url::good().text());
        Case { is: is.into(), method: "POST", path, query, body: body.into(), code, names }
    }

    fn cases(&self) -> Vec<Case> {
        let good = || self.body("{<A>,<R>}");
        let mut cases: Vec<_> = bad_urls()
            .into_iter()
            .map(|(query, code, names)| Case { query, ..self.case("in the URL", good(), code, names) })
            .collect();
        for method in ["GET", "PUT", "DELETE", "PATCH"] {
            cases.push(Case { method, ..self.case("the method", good(), 60002, "POST") });
        }
        for path in bad_paths(self.path) {
            cases.push(Case { path, ..self.case("the path", good(), 60009, "/v4/{service}/{command}") });
        }
        for (is, body, code, names) in bad_bodies() {
            cases.push(self.case(is, self.body(body), code, names));
        }
        let addresses = if self.is_group { GROUP_ADDRESSES } else { C2C_ADDRESSES };
        for (address, code, names) in addresses {
            let address = address.replace("<256>", &"x".repeat(256)).replace("<49>", &"x".repeat(49));
            let body = format!("{{{address},{}}}", self.rest()).replace("<A>", &self.address);
            cases.push(self.case("the address", body, *code, names));
        }
        for (fields, names) in if self.is_set { SETS } else { PULLS } {
            cases.push(self.case("the fields", self.body(format!("{{<A>,{fields}}}")), 10004, names));
        }
        if self.is_set {
            let sets = bad_lists().into_iter().map(|(list, names)| (1, list, names));
            let deletes = bad_deletes().into_iter().map(|(list, names)| (2, list, names));
            for (kind, list, names) in sets.chain(deletes) {
                let body = self.body(format!(r#"{{<A>,"OperateType":{kind},"ExtensionList":{list}}}"#));
                cases.push(self.case("the list", body, 10004, names));
            }
        }
        cases
    }
}

/// Everything that there is to see of the two messages.
async fn state(api: &Api, commands: &[Command]) -> Vec<Value> {
    let mut state = Vec::new();
    for command in commands.iter().filter(|command| !command.is_set) {
        let body = format!(r#"{{{},"StartSeq":1,"WithAuthor":1}}"#, command.address);
        state.push(api.post(command.path, &query(ADMIN), &body).await);
    }
    state
}

#[tokio::test]
async fn each_bad_request_gets_its_code_names_what_is_wrong_and_changes_nothing() {
    let server = Server::start().await;
    let api = &server.api;
    let (c2c, group) = (api.c2c_message().await, api.group_message("Public").await);
    let mut commands = Vec::new();
    for (message, is_group, paths) in
        [(&c2c, false, [(SET, true), (GET, false)]), (&group, true, [(GROUP_SET, true), (GROUP_GET, false)])]
    {
        api.ok("bob", paths[0].0, &set(message, &[("k", "v", 0), ("gone", "v", 0)])).await;
        let delete = json!({"OperateType": 2, "ExtensionList": [{"Key": "gone", "Seq": 1}]});
        api.ok("alice", paths[0].0, &with(message, delete)).await;
        let address = message.to_string();
        let address = address.trim_matches(['{', '}']).to_owned();
        commands.extend(paths.map(|(path, is_set)| Command {
            path,
            is_set,
            is_group,
            address: address.clone(),
        }));
    }
    let before = state(api, &commands).await;
    let (mut seen, mut wrong) = (HashSet::new(), Vec::new());
    for case in commands.iter().flat_map(Command::cases) {
        let what = format!(
            "{} {}?{} ({}): {}",
            case.method,
            case.path,
            case.query.chars().take(400).collect::<String>(),
            case.is,
            String::from_utf8_lossy(&case.body).chars().take(200).collect::<String>()
        );
        assert!(
            seen.insert((case.method, case.path.clone(), case.query.clone(), case.body.clone())),
            "twice: {what}"
        );
        let url = format!("/v4/{}?{}", case.path, case.query);
        let answer = api.http(case.method, &url, &[], &case.body).await.unwrap();
        assert_eq!(
            (answer.status, &answer.headers["content-type"]),
            (200, &"application/json".parse().unwrap())
        );
        let reply = answer.json();
        let text = reply["ErrorInfo"].as_str().unwrap();
        if reply["ActionStatus"] != "FAIL" || reply["ErrorCode"] != case.code || !text.contains(case.names) {
            wrong.push(format!("{what}\n    not {} {:?}: {reply}", case.code, case.names));
        }
        assert!(text.len() <= 500, "{what}: {text}");
        assert_eq!(state(api, &commands).await, before, "{what}");
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), seen.len(), wrong.join("\n"));
    assert!(seen.len() >= 120, "only {} cases", seen.len());
    // None of them was refused for another reason than the one that it is about.
    for command in &commands {
        let good = String::from_utf8(command.body("{<A>,<R>}")).unwrap();
        let reply = api.post(command.path, &Url::good().text(), &good).await;
        assert_eq!(reply["ErrorCode"], 0, "{reply}");
    }
    assert_ne!(state(api, &commands).await, before);
}

#[tokio::test]
async fn at_the_bounds_and_with_what_is_not_in_the_protocol_a_request_is_accepted() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    let address = message.to_string();
    let address = address.trim_matches(['{', '}']);
    let nested = format!("{}{}", "[".repeat(63), "]".repeat(63));
    let mut full = format!(r#"{{{address},"OperateType":3}}"#);
    full += &" ".repeat((1 << 20) - full.len());
    let bodies = [
        format!(
            r#"{{{address},"OperateType":3,"x":{nested},"[":"[[{{","ClientInfo":{{"Value":-1.5e3}},"x":null}}"#
        ),
        format!(r#" {{"\u004fperateType":3,{address},"GroupId":"lunch","MsgSeq":1,"ExtensionList":null}}"#),
        format!(
            r#"{{{address},"OperateType":1,"ExtensionList":[{{"Key":"\u0000","Value":"\u0000🗳","Seq":0,"x":[]}}]}}"#
        ),
        full,
    ];
    let urls = [query("bob"), without("random"), without("contenttype"), with_value("random", "4294967295")];
    for (body, url) in bodies.iter().zip(urls) {
        let reply = server.api.post(SET, &url, body).await;
        assert_eq!(reply["ErrorCode"], 0, "{reply}");
    }
}
