//! What a client that comes back is told (`docs/protocol.md`, "Resuming").

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use message_extensions_core::law::{Change, ChangeKind};
use message_extensions_core::wire::{RESUMED_BYTES, RESUMED_MESSAGES};
use message_extensions_server::store::{
    Commit, Conversation, MemoryStore, NewMessage, SqliteStore, Store, StoredMessage,
};
use serde_json::{Value, json};

use crate::client::{
    ADD, ADMIN, APP, Api, CREATE, DELETE, DESTROY, GET, GROUP_GET, GROUP_SEND, GROUP_SET, SEND, SET, Server,
    config, message, set, signature, with,
};
use crate::membership::LEFT;
use crate::socket::Socket;

/// `message` as a client names it that knows everything up to `latest_seq`.
pub(crate) fn known(message: &Value, latest_seq: u64) -> Value {
    with(message, json!({"LatestSeq": latest_seq}))
}

fn refused(message: &Value) -> Value {
    with(message, json!({"ErrorCode": 23004}))
}

/// A message from alice to bob that nobody has used since the store was opened, with so many keys of 1,000 bytes, each
/// set by an operation of its own.
pub(crate) async fn stored(store: &dyn Store, n: u32, keys: u64) -> Value {
    let new = NewMessage {
        sender: "alice".into(),
        conversation: Conversation::C2c { to: "bob".into() },
        sequence: n,
        random: 7,
        time: 1_665_388_280,
        extensible: true,
        message_id: format!("alice-1-{n}"),
        body: r#"[{"MsgType":"T","MsgContent":{}}]"#.into(),
        rules: None,
    };
    let StoredMessage { no, message, .. } = store.insert_message(new).await.unwrap().unwrap().stored;
    let change = |seq| {
        let kind = ChangeKind::Set(vec![(format!("k{seq}"), "v".repeat(1000))]);
        Change { seq, kind, author: "bob".into(), time: 1_665_388_290_123 }
    };
    let changes = (1..=keys).map(change).collect();
    let (answers, webhooks) = (Vec::new(), Vec::new());
    store.commit(Commit { message_no: no, changes, answers, webhooks, ..Commit::default() }).await.unwrap();
    json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": message.msg_key()})
}

/// So many of them, in this order.
async fn all_stored(store: &dyn Store, messages: u32, keys: u64) -> Vec<Value> {
    futures_util::future::join_all((0..messages).map(|n| stored(store, n, keys))).await
}

#[tokio::test]
async fn when_nothing_has_changed_one_frame_says_so() {
    let server = Server::start().await;
    let c2c = server.api.c2c_message().await;
    let group = server.api.group_message("Public").await;
    server.api.ok("bob", SET, &set(&c2c, &[("k", "v", 0)])).await;
    let mut socket = Socket::login(server.api.address, "bob").await;
    for named in [vec![], vec![known(&c2c, 1), known(&group, 0)]] {
        socket.resume(&named).await;
        assert_eq!(socket.frame().await, json!({"Type": "resumed", "Messages": [], "Complete": 1}));
    }
    socket.has_nothing().await;
}

#[tokio::test]
async fn a_client_that_knows_more_than_the_server_is_told_the_servers_counter() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    server.api.ok("bob", SET, &set(&message, &[("k", "v", 0)])).await;
    let mut socket = Socket::login(server.api.address, "bob").await;
    for latest_seq in [2, 9, u64::MAX] {
        let parts = socket.resumed(&[known(&message, latest_seq)]).await;
        assert_eq!((parts.len(), &parts[0]["LatestSeq"]), (1, &json!(1)));
        assert_eq!(parts[0]["ExtensionList"], json!([]));
    }
}

#[tokio::test]
async fn a_changed_message_comes_as_a_pull_from_the_known_seq_plus_one_answers() {
    let server = Server::start().await;
    let delete = json!({"OperateType": 2, "ExtensionList": [{"Key": "a", "Value": "", "Seq": 1}]});
    for (message, set_path, get_path) in [
        (server.api.c2c_message().await, SET, GET),
        (server.api.group_message("Public").await, GROUP_SET, GROUP_GET),
    ] {
        let mut socket = Socket::login(server.api.address, "bob").await;
        let steps = [
            set(&message, &[("a", "1", 0), ("b", "1", 0)]),
            set(&message, &[("b", "2", 1)]),
            with(&message, delete.clone()),
            with(&message, json!({"OperateType": 3})),
            set(&message, &[("c", "1", 0)]),
        ];
        for (step, latest_seq) in steps.iter().zip(1..) {
            server.api.ok("bob", set_path, step).await;
            let id = socket.event().await["MessageID"].clone();
            for seq in 0..latest_seq {
                let pull = with(&message, json!({"StartSeq": seq + 1, "WithAuthor": 1}));
                let mut pulled = server.api.ok("bob", get_path, &pull).await;
                let fields = ["CompleteFlag", "LatestSeq", "ClearSeq", "Digest", "ExtensionList"];
                let state = fields.map(|name| (name.to_owned(), pulled[name].take()));
                let mut expected = with(&message, Value::Object(state.into_iter().collect()));
                expected["MessageID"] = id.clone();
                assert_eq!(expected["CompleteFlag"], 1);
                assert_eq!(socket.resumed(&[known(&message, seq)]).await, [expected], "from {seq}");
            }
        }
    }
}

#[tokio::test]
async fn a_message_with_many_changed_keys_comes_in_parts() {
    let store = Arc::new(MemoryStore::new());
    let message = stored(&*store, 1, 450).await;
    let server = Server::on(config(), store).await;
    let mut socket = Socket::login(server.api.address, "bob").await;
    for (from, parts) in [(0, vec![1..=200, 201..=400, 401..=450]), (250, vec![251..=450])] {
        let resumed = socket.resumed(&[known(&message, from)]).await;
        assert_eq!(resumed.len(), parts.len());
        for (i, (part, seqs)) in resumed.iter().zip(&parts).enumerate() {
            assert_eq!(part["CompleteFlag"], u8::from(i + 1 == parts.len()));
            assert_eq!((&part["LatestSeq"], &part["MsgKey"]), (&json!(450), &message["MsgKey"]));
            let list = part["ExtensionList"].as_array().unwrap();
            assert!(list.iter().map(|item| item["Seq"].as_u64().unwrap()).eq(seqs.clone()));
        }
    }
}

#[tokio::test]
async fn a_message_that_the_user_may_not_see_or_that_is_none_comes_with_23004() {
    let server = Server::start().await;
    let c2c = server.api.c2c_message().await;
    let group = server.api.group_message("Public").await;
    server.api.ok("bob", SET, &set(&c2c, &[("k", "v", 0)])).await;
    server.api.ok("bob", GROUP_SET, &set(&group, &[("k", "v", 0)])).await;
    let bad = [
        json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": "1_2_3"}),
        json!({"From_Account": "bob", "To_Account": "alice", "MsgKey": c2c["MsgKey"]}),
        json!({"GroupId": "nowhere", "MsgSeq": 1}),
        json!({"GroupId": group["GroupId"], "MsgSeq": 99}),
        json!({}),
        json!({"To_Account": "bob"}),
        json!({"MsgKey": c2c["MsgKey"]}),
        json!({"From_Account": "", "To_Account": "bob", "MsgKey": c2c["MsgKey"]}),
        json!({"GroupId": group["GroupId"]}),
        json!({"MsgSeq": 1}),
    ];
    let unseen = [vec![c2c.clone(), group.clone()], bad.to_vec()].concat();
    for (user, messages) in [("mallory", unseen), ("bob", bad.to_vec()), (ADMIN, bad.to_vec())] {
        let mut socket = Socket::login(server.api.address, user).await;
        // The same whether or not the client has ever known something.
        for seq in [0, 5] {
            let named: Vec<_> = messages.iter().map(|message| known(message, seq)).collect();
            let expected: Vec<_> = messages.iter().map(refused).collect();
            assert_eq!(socket.resumed(&named).await, expected, "{user}");
        }
    }
    for user in ["alice", ADMIN] {
        let mut socket = Socket::login(server.api.address, user).await;
        let resumed = socket.resumed(&[c2c.clone(), known(&bad[0], 1), group.clone()]).await;
        let codes: Vec<_> = resumed.iter().map(|part| part["ErrorCode"].as_u64()).collect();
        assert_eq!(codes, [None, Some(23004), None], "{user}");
    }
}

#[tokio::test]
async fn a_message_without_support_has_not_changed() {
    let server = Server::start().await;
    let plain = with(&message(json!({"To_Account": "bob"})), json!({"SupportMessageExtension": 0}));
    let key = server.api.ok("alice", SEND, &plain).await["MsgKey"].clone();
    let plain = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": key});
    let mut socket = Socket::login(server.api.address, "bob").await;
    assert!(socket.resumed(&[plain, server.api.group_message("Community").await]).await.is_empty());
}

#[tokio::test]
async fn more_than_fits_one_frame_comes_in_several_within_the_bound_in_the_order_of_the_names() {
    let store = Arc::new(MemoryStore::new());
    let messages = all_stored(&*store, 40, 60).await;
    let server = Server::on(config(), store).await;
    let mut socket = Socket::login(server.api.address, "bob").await;
    socket.resume(&messages).await;
    let frames = socket.resumed_frames().await;
    // Forty times some 63 kB.
    assert_eq!(frames.len(), 10);
    assert!(frames.iter().all(|(_, length)| *length <= RESUMED_BYTES));
    let keys: Vec<_> = frames
        .iter()
        .flat_map(|(frame, _)| frame["Messages"].as_array().unwrap())
        .map(|part| (&part["MsgKey"], part["ExtensionList"].as_array().unwrap().len()))
        .collect();
    assert_eq!(keys, messages.iter().map(|message| (&message["MsgKey"], 60)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_thousand_messages_are_named_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let messages = all_stored(&store, u32::try_from(RESUMED_MESSAGES).unwrap(), 1).await;
    let server = Server::on(config(), Arc::new(store)).await;
    let mut socket = Socket::login(server.api.address, "bob").await;
    let unchanged: Vec<_> = messages.iter().map(|message| known(message, 1)).collect();
    assert!(socket.resumed(&unchanged).await.is_empty());
    let changed = socket.resumed(&messages).await;
    assert!(changed.iter().map(|part| &part["MsgKey"]).eq(messages.iter().map(|named| &named["MsgKey"])));
    server.stop().await;
}

#[tokio::test]
async fn too_many_messages_and_frames_that_are_too_large_are_closed_with_4002() {
    let server = Server::start().await;
    let message = server.api.c2c_message().await;
    let mut socket = Socket::login(server.api.address, "bob").await;
    socket.resume(&vec![message; RESUMED_MESSAGES + 1]).await;
    assert_eq!(socket.closed().await, 4002);
    for frame in [json!({"Type": "resume"}), json!({"Type": "resume", "Messages": [{"MsgSeq": "1"}]})] {
        let mut socket = Socket::login(server.api.address, "bob").await;
        socket.send(&frame.to_string()).await;
        assert_eq!(socket.closed().await, 4002, "{frame}");
    }
    // Before the login, so that nobody is known to have sent it.
    for (padding, is_small) in [(60 << 10, true), (64 << 10, false)] {
        let login = json!({"Type": "login", "SDKAppID": APP, "Identifier": "bob", "UserSig": signature("bob"),
            "Padding": "x".repeat(padding)});
        let mut socket = Socket::open(server.api.address, "").await;
        socket.send(&login.to_string()).await;
        if is_small {
            assert_eq!(socket.frame().await["Type"], "ready");
        } else {
            assert_eq!(socket.closed().await, 4002);
        }
    }
    let mut socket = Socket::open(server.api.address, "").await;
    socket.resume(&[]).await;
    assert_eq!(socket.closed().await, 4002);
}

#[tokio::test]
async fn a_resume_over_the_call_rate_waits() {
    let mut config = config();
    config.limits.user_calls_per_second = 2;
    let server = Server::with(config).await;
    let mut socket = Socket::login(server.api.address, "bob").await;
    let started = Instant::now();
    for _ in 0..5 {
        assert!(socket.resumed(&[]).await.is_empty());
    }
    // Five calls begin in three seconds at least.
    assert!(started.elapsed() > Duration::from_secs(1), "{:?}", started.elapsed());
    socket.has_nothing().await;
}

#[tokio::test]
async fn who_reads_a_large_resume_slowly_is_not_closed_for_it_and_gets_pongs_and_events_on_the_way() {
    let store = Arc::new(MemoryStore::new());
    let messages = all_stored(&*store, 50, 300).await;
    let mut config = config();
    config.push.queued_bytes = 64 << 10;
    let server = Server::on(config, store).await;
    let mut socket = Socket::login(server.api.address, "bob").await;
    socket.resume(&messages).await;
    // Some 16 MB, more than the buffers of the sockets between hold.
    tokio::time::sleep(Duration::from_millis(500)).await;
    socket.send(r#"{"Type":"ping"}"#).await;
    server.api.ok(ADMIN, SET, &set(&messages[0], &[("k1", "late", 1)])).await;
    let mut seen = Vec::new();
    while seen.last() != Some(&"complete") {
        let frame = socket.frame().await;
        seen.push(match (frame["Type"].as_str().unwrap(), &frame["Complete"]) {
            ("resumed", Value::Null) => "resumed",
            ("resumed", _) => "complete",
            ("pong", _) => "pong",
            ("push", _) => "push",
            _ => panic!("{frame}"),
        });
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let place = |wanted| seen.iter().position(|kind| *kind == wanted).unwrap();
    assert!(place("pong") + 10 < seen.len() && place("push") + 10 < seen.len(), "{seen:?}");
    assert!(place("pong") > 0, "{seen:?}");
    socket.has_nothing().await;
}

/// A message as a client merges it: events in order of a dense Seq, those past a gap kept until the gap is closed.
#[derive(Default)]
struct Replica {
    latest_seq: u64,
    entries: BTreeMap<String, (String, u64)>,
    held: BTreeMap<u64, Value>,
}

impl Replica {
    fn merge(&mut self, list: &Value) {
        for item in list.as_array().unwrap() {
            let (key, seq) = (item["Key"].as_str().unwrap(), item["Seq"].as_u64().unwrap());
            let newer = self.entries.get(key).is_none_or(|(_, known)| *known < seq);
            if newer {
                self.entries.insert(key.into(), (item["Value"].as_str().unwrap().into(), seq));
            }
        }
    }

    fn take_event(&mut self, event: Value) {
        self.held.insert(event["Seq"].as_u64().unwrap(), event);
        self.close_gap();
    }

    fn take_part(&mut self, part: &Value) {
        let clear_seq = part["ClearSeq"].as_u64().unwrap();
        self.entries.retain(|_, (_, seq)| *seq > clear_seq);
        self.merge(&part["ExtensionList"]);
        if part["CompleteFlag"] == 1 {
            self.latest_seq = self.latest_seq.max(part["LatestSeq"].as_u64().unwrap());
        }
        self.close_gap();
    }

    fn close_gap(&mut self) {
        while let Some(first) = self.held.first_entry() {
            if *first.key() > self.latest_seq + 1 {
                return;
            }
            let (seq, event) = first.remove_entry();
            if seq == self.latest_seq + 1 {
                self.latest_seq = seq;
                if event["OperateType"] == 3 {
                    self.entries.clear();
                }
                self.merge(&event["ExtensionList"]);
            }
        }
    }
}

async fn pulled(api: &Api, message: &Value) -> (u64, BTreeMap<String, (String, u64)>) {
    let mut replica = Replica::default();
    loop {
        let last = replica.entries.values().map(|(_, seq)| *seq).max().unwrap_or(0);
        let page = api.ok("bob", GET, &with(message, json!({"StartSeq": last + 1}))).await;
        replica.take_part(&page);
        if page["CompleteFlag"] == 1 {
            return (replica.latest_seq, replica.entries);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_during_a_resume_are_pushed_and_with_both_a_client_has_what_the_server_has() {
    let store = Arc::new(MemoryStore::new());
    let messages = all_stored(&*store, 60, 250).await;
    let server = Server::on(config(), store).await;
    let mut socket = Socket::login(server.api.address, "bob").await;
    let mut replicas: BTreeMap<String, Replica> =
        messages.iter().map(|m| (m["MsgKey"].as_str().unwrap().to_owned(), Replica::default())).collect();
    let writes = async {
        for round in 0..12 {
            for (n, message) in messages.iter().enumerate() {
                let mut write = match (n + round) % 7 {
                    0 => with(message, json!({"OperateType": 3})),
                    1 => with(
                        message,
                        json!({"OperateType": 2, "ExtensionList": [{"Key": "k7"}, {"Key": "x"}]}),
                    ),
                    _ => set(message, &[("x", &round.to_string(), 0), (&format!("k{n}"), "w", 0)]),
                };
                // An admin overwrites without a Seq.
                for item in write["ExtensionList"].as_array_mut().into_iter().flatten() {
                    item.as_object_mut().unwrap().remove("Seq");
                }
                server.api.ok(ADMIN, SET, &write).await;
            }
        }
    };
    let (mut pushed_before_the_end, mut held) = (0, 0);
    let reads = async {
        let named: Vec<_> = messages.iter().map(|message| known(message, 0)).collect();
        socket.resume(&named).await;
        let mut is_complete = false;
        while !is_complete {
            let mut frame = socket.frame().await;
            for part in frame["Messages"].take().as_array().into_iter().flatten() {
                replicas.get_mut(part["MsgKey"].as_str().unwrap()).unwrap().take_part(part);
            }
            for event in frame["Events"].take().as_array().into_iter().flatten() {
                pushed_before_the_end += 1;
                let replica = replicas.get_mut(event["MsgKey"].as_str().unwrap()).unwrap();
                replica.take_event(event.clone());
                held += usize::from(!replica.held.is_empty());
            }
            is_complete = frame["Complete"] == 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::join!(writes, reads);
    assert!(pushed_before_the_end > 0 && held > 0, "{pushed_before_the_end} pushed, {held} held");
    for message in &messages {
        let key = message["MsgKey"].as_str().unwrap();
        let (latest_seq, entries) = pulled(&server.api, message).await;
        // A write is answered before it is pushed.
        while replicas[key].latest_seq < latest_seq {
            let event = socket.event().await;
            replicas.get_mut(event["MsgKey"].as_str().unwrap()).unwrap().take_event(event.clone());
        }
        let replica = &replicas[key];
        assert!(replica.held.is_empty());
        assert_eq!((replica.latest_seq, &replica.entries), (latest_seq, &entries));
    }
}

#[tokio::test]
async fn who_has_left_a_group_or_lost_it_is_told_23004_for_its_messages() {
    let server = Server::start().await;
    let group = server.api.group_message("Public").await;
    server.api.ok("bob", GROUP_SET, &set(&group, &[("k", "v", 0)])).await;
    let mut carol = Socket::login(server.api.address, "carol").await;
    assert_eq!(carol.resumed(&[known(&group, 0)]).await[0]["LatestSeq"], 1);
    let remove = json!({"GroupId": group["GroupId"], "MemberToDel_Account": ["carol"]});
    server.api.ok(ADMIN, DELETE, &remove).await;
    assert_eq!(carol.event().await["CallbackCommand"], LEFT);
    for seq in [0, 1] {
        assert_eq!(carol.resumed(&[known(&group, seq)]).await, [refused(&group)]);
    }
    let add = json!({"GroupId": group["GroupId"], "MemberList": [{"Member_Account": "carol"}]});
    server.api.ok(ADMIN, ADD, &add).await;
    assert!(carol.resumed(&[known(&group, 1)]).await.is_empty());
    server.api.ok(ADMIN, DESTROY, &json!({"GroupId": group["GroupId"]})).await;
    assert_eq!(carol.event().await["GroupId"], group["GroupId"]);
    assert_eq!(carol.resumed(&[known(&group, 1)]).await, [refused(&group)]);
    // Made anew it is another group, with another message of that number.
    let anew =
        json!({"Owner_Account": "carol", "Type": "Public", "Name": "Anew", "GroupId": group["GroupId"]});
    server.api.ok(ADMIN, CREATE, &anew).await;
    assert_eq!(carol.resumed(&[known(&group, 1)]).await, [refused(&group)]);
    server.api.ok("carol", GROUP_SEND, &message(json!({"GroupId": group["GroupId"]}))).await;
    assert!(carol.resumed(&[known(&group, 0)]).await.is_empty());
}
