//! Who may do what: each caller, on each kind of message, by each way.

use serde_json::{Value, json};

use crate::client::{ADMIN, Api, DELETE, GET, GROUP_GET, GROUP_SET, SET, Server, query, set, with};
use crate::socket::Socket;

/// `done`: the write counts. `read`: the pull gives what there is; `empty`: it gives nothing. `told`: the change is pushed;
/// `-`: nothing is. `state`: the resume brings the message; `same`: it says nothing of it, so nothing has changed. A
/// number: refused with this code.
const TABLE: &str = "
    caller       way     c2c    Private  Public  ChatRoom  AVChatRoom  Community

    stranger     set     23004  23004    23004   23004     23004       23004
    stranger     delete  23004  23004    23004   23004     23004       23004
    stranger     clear   23004  23004    23004   23004     23004       23004
    stranger     pull    23004  23004    23004   23004     23004       23004
    stranger     push    -      -        -       -         -           -
    stranger     resume  23004  23004    23004   23004     23004       23004

    past-member  set     23004  23004    23004   23004     23004       23004
    past-member  delete  23004  23004    23004   23004     23004       23004
    past-member  clear   23004  23004    23004   23004     23004       23004
    past-member  pull    23004  23004    23004   23004     23004       23004
    past-member  push    -      -        -       -         -           -
    past-member  resume  23004  23004    23004   23004     23004       23004

    member       set     done   done     done    done      23002       23002
    member       delete  done   done     done    done      23002       23002
    member       clear   done   done     done    done      23002       23002
    member       pull    read   read     read    read      empty       empty
    member       push    told   told     told    told      -           -
    member       resume  state  state    state   state     same        same

    sender       set     done   done     done    done      23002       23002
    sender       delete  done   done     done    done      23002       23002
    sender       clear   done   done     done    done      23002       23002
    sender       pull    read   read     read    read      empty       empty
    sender       push    told   told     told    told      -           -
    sender       resume  state  state    state   state     same        same

    admin        set     done   done     done    done      23002       23002
    admin        delete  done   done     done    done      23002       23002
    admin        clear   done   done     done    done      23002       23002
    admin        pull    read   read     read    read      empty       empty
    admin        push    -      -        -       -         -           -
    admin        resume  state  state    state   state     same        same
";

/// Carol is the past member of a group; on a one-to-one message she is a stranger who shares a group with both.
fn user(caller: &str) -> &'static str {
    match caller {
        "stranger" => "mallory",
        "past-member" => "carol",
        "member" => "bob",
        "sender" => "alice",
        "admin" => ADMIN,
        other => panic!("{other}"),
    }
}

/// A message with the key `k`, if its kind can have one.
struct Target {
    api: Api,
    named: Value,
    is_c2c: bool,
}

impl Target {
    async fn new(api: &Api, kind: &str) -> Self {
        let is_c2c = kind == "c2c";
        let named = if is_c2c { api.c2c_message().await } else { api.group_message(kind).await };
        let target = Self { api: api.clone(), named, is_c2c };
        if !is_c2c {
            let gone = json!({"GroupId": target.named["GroupId"], "MemberToDel_Account": ["carol"]});
            api.ok(ADMIN, DELETE, &gone).await;
        }
        target.write("k").await;
        target
    }

    fn set_path(&self) -> &'static str {
        if self.is_c2c { SET } else { GROUP_SET }
    }

    fn get_path(&self) -> &'static str {
        if self.is_c2c { GET } else { GROUP_GET }
    }

    /// What the admin sets, should the message support it.
    async fn write(&self, key: &str) {
        self.api.call(ADMIN, self.set_path(), &set(&self.named, &[(key, "v", 0)])).await;
    }

    async fn state(&self) -> Value {
        let pull = with(&self.named, json!({"StartSeq": 1, "WithAuthor": 1}));
        self.api.ok(ADMIN, self.get_path(), &pull).await
    }

    /// What names no message of the kind.
    fn missing(&self) -> Vec<Value> {
        if self.is_c2c {
            let reversed = json!({"From_Account": "bob", "To_Account": "alice"});
            return vec![with(&self.named, json!({"MsgKey": "1_2_3"})), with(&self.named, reversed)];
        }
        vec![with(&self.named, json!({"MsgSeq": 99})), with(&self.named, json!({"GroupId": "nowhere"}))]
    }

    async fn cell(&self, user: &str, way: &str) -> String {
        match way {
            "set" => self.try_to_write(user, set(&json!({}), &[("new", "v", 0)])).await,
            "delete" => {
                let items = json!([{"Key": "k", "Value": "", "Seq": 1}]);
                self.try_to_write(user, json!({"OperateType": 2, "ExtensionList": items})).await
            }
            "clear" => self.try_to_write(user, json!({"OperateType": 3})).await,
            "pull" => self.pull(user).await,
            "push" => self.listen(user).await,
            "resume" => self.resume(user).await,
            other => panic!("{other}"),
        }
    }

    async fn try_to_write(&self, user: &str, operation: Value) -> String {
        let before = self.state().await;
        let reply = self.post(user, self.set_path(), operation).await;
        let after = self.state().await;
        if reply["ErrorCode"] != 0 {
            assert_eq!(after, before);
            return reply["ErrorCode"].to_string();
        }
        assert_eq!(after["LatestSeq"], 2);
        assert_ne!(after, before);
        "done".into()
    }

    async fn pull(&self, user: &str) -> String {
        let reply = self.post(user, self.get_path(), json!({})).await;
        if reply["ErrorCode"] != 0 {
            return reply["ErrorCode"].to_string();
        }
        let none = json!([]);
        if reply["ExtensionList"] == none && reply["LatestSeq"] == 0 {
            return "empty".into();
        }
        assert_eq!(reply["ExtensionList"], json!([{"Key": "k", "Value": "v", "Seq": 1}]));
        "read".into()
    }

    async fn listen(&self, user: &str) -> String {
        let mut socket = Socket::login(self.api.address, user).await;
        self.write("pushed").await;
        socket.send(r#"{"Type":"ping"}"#).await;
        let frame = socket.frame().await;
        if frame["Type"] == "pong" {
            return "-".into();
        }
        let event = &frame["Events"][0];
        for (field, value) in self.named.as_object().unwrap() {
            assert_eq!(event[field], *value);
        }
        assert_eq!(event["ExtensionList"][0]["Key"], "pushed");
        "told".into()
    }

    async fn resume(&self, user: &str) -> String {
        let mut socket = Socket::login(self.api.address, user).await;
        let name = |named: &Value| with(named, json!({"LatestSeq": 0}));
        let states = socket.resumed(&[name(&self.named)]).await;
        let Some(state) = states.first() else { return "same".into() };
        if let Some(code) = state.get("ErrorCode") {
            let refused = |named: &Value| vec![with(named, json!({"ErrorCode": code}))];
            assert_eq!(states, refused(&self.named));
            for missing in self.missing() {
                assert_eq!(socket.resumed(&[name(&missing)]).await, refused(&missing));
            }
            return code.to_string();
        }
        assert_eq!((&state["LatestSeq"], &state["ExtensionList"][0]["Key"]), (&json!(1), &json!("k")));
        "state".into()
    }

    /// If the answer is 23004, it is letter by letter, headers too, that for a message which does not exist.
    async fn post(&self, user: &str, path: &str, operation: Value) -> Value {
        let url = format!("/v4/{path}?{}", query(user));
        let answer = async |named: &Value| {
            let body = with(named, operation.clone()).to_string();
            let mut answer = self.api.http("POST", &url, &[], &body).await.unwrap();
            answer.headers.remove("date").unwrap();
            answer
        };
        let given = answer(&self.named).await;
        if given.json()["ErrorCode"] == 23004 {
            for missing in self.missing() {
                let other = answer(&missing).await;
                assert_eq!(
                    (other.status, &other.headers, &other.body),
                    (given.status, &given.headers, &given.body)
                );
            }
        }
        given.json()
    }
}

#[tokio::test]
async fn every_caller_may_do_to_every_kind_of_message_what_the_table_says() {
    let server = Server::start().await;
    let mut rows = TABLE.lines().filter(|line| !line.trim().is_empty()).map(str::split_whitespace);
    let kinds: Vec<_> = rows.next().unwrap().skip(2).collect();
    let (mut cells, mut wrong) = (0, Vec::new());
    for mut row in rows {
        let (caller, way) = (row.next().unwrap(), row.next().unwrap());
        for (kind, expected) in kinds.iter().zip(row) {
            let target = Target::new(&server.api, kind).await;
            let got = target.cell(user(caller), way).await;
            cells += 1;
            if got != expected {
                wrong.push(format!("{caller} {way} {kind}: {got}, not {expected}"));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(cells, 5 * 6 * 6);
}
