//! Messages as lines of JSON: out of one store and into another, by the library and by `export` and `import`.

use std::path::Path;
use std::process::{Output, Stdio};

use message_extensions_core::law::{Message, Operation, Terms, Writer};
use message_extensions_core::limits::Limits;
use message_extensions_core::wire::Item;
use message_extensions_server::store::archive::{Archive, Imported, import};
use message_extensions_server::store::{
    AnswerId, Commit, Conversation, MemoryStore, NewGroup, NewMessage, REMEMBERED_ANSWERS, SqliteStore, Store,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::client::{ADD, ADMIN, Api, GET, GROUP_GET, GROUP_SET, SET, query, set, with};
use crate::process::{binary, error_of, serve, terminate};

/// What somebody does: the user, keys with values (none: a delete), or no keys at all (a clear); whether the answer is
/// remembered.
type Step = (u8, Vec<(u8, Option<String>)>, bool);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let value = proptest::option::weighted(0.7, "[a-z🗳\"\\\\\n]{1,5}");
    let step = (0..4u8, proptest::collection::vec((0..9u8, value), 0..4), any::<bool>());
    proptest::collection::vec(step, 0..40)
}

fn lines(archive: &Archive) -> String {
    let mut lines = Vec::new();
    archive.write(&mut lines).unwrap();
    String::from_utf8(lines).unwrap()
}

fn new_message(conversation: Conversation) -> NewMessage {
    NewMessage {
        sender: "alice".into(),
        sequence: if matches!(conversation, Conversation::C2c { .. }) { 7 } else { 0 },
        conversation,
        random: 8,
        time: 1_665_388_280,
        extensible: true,
        message_id: "alice-1-8".into(),
        body: "[{\"MsgType\":\"T\",\n \"MsgContent\":{\"Text\":\"a\\nb\"}}]".into(),
        rules: serde_json::from_value(json!({"ClearBy": "any", "MaxKeys": 7})).unwrap(),
    }
}

/// Does the steps by the law, as the server would.
async fn history(store: &dyn Store, no: i64, steps: &[Step]) -> Message {
    let mut message = Message::default();
    let mut turns = [0u64; 4];
    for (n, (user, items, is_remembered)) in steps.iter().enumerate() {
        let item = |(key, value): &(u8, Option<String>)| Item {
            key: format!("key {key}"),
            value: value.clone().unwrap_or_default(),
            seq: None,
        };
        let mut seen = Vec::new();
        let items: Vec<_> = items
            .iter()
            .filter(|(key, _)| {
                !seen.contains(key) && {
                    seen.push(*key);
                    true
                }
            })
            .collect();
        let operation = match items.first() {
            None => Operation::Clear,
            Some((_, None)) => Operation::Delete(items.into_iter().map(item).collect()),
            Some(_) => {
                Operation::Set(items.into_iter().filter(|(_, value)| value.is_some()).map(item).collect())
            }
        };
        let name = format!("user {user}");
        let writer = Writer { is_admin: true, ..Writer::new(&name) };
        let terms = Terms::new(&Limits::DEFAULT, 1_700_000_000_000 + n as u64);
        let decision = message.decide(&operation, writer, terms).unwrap();
        let expected_seq = message.latest_seq;
        let changes: Vec<_> = decision.change.clone().into_iter().collect();
        changes.iter().for_each(|change| message.absorb(change));
        let mut answers = Vec::new();
        if *is_remembered {
            let turn = &mut turns[usize::from(*user)];
            *turn += 1;
            let id = AnswerId { caller: name.clone(), turn: *turn, request_id: (n as u128) << 60 };
            answers.push((id, serde_json::to_string(&decision.into_reply()).unwrap()));
        }
        store
            .commit(Commit { message_no: no, expected_seq, changes, answers, ..Commit::default() })
            .await
            .unwrap();
    }
    message
}

async fn moves_through(steps: Vec<Step>, in_group: bool) {
    let first = MemoryStore::new();
    let mut conversation = Conversation::C2c { to: "bob".into() };
    if in_group {
        let members = vec!["bob".into(), "alice".into()];
        let group =
            NewGroup { group_id: "g".into(), group_type: "Public".into(), name: "人".into(), members };
        assert!(first.create_group(group).await.unwrap());
        let no = first.group("g").await.unwrap().unwrap().no;
        conversation = Conversation::Group { group_id: "g".into(), no };
    }
    let no = first.insert_message(new_message(conversation)).await.unwrap().unwrap().stored.no;
    let state = history(&first, no, &steps).await;
    let archive = first.archive(no).await.unwrap().unwrap();
    let exported = lines(&archive);
    let read = Archive::read(exported.as_bytes()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let stores: [Box<dyn Store>; 2] =
        [Box::new(SqliteStore::open(dir.path()).unwrap()), Box::new(MemoryStore::new())];
    for store in stores {
        assert_eq!(import(&*store, &read).await, Ok(Imported::New));
        assert_eq!(import(&*store, &read).await, Ok(Imported::WasThere));
        let there = store.restore(&read).await.unwrap().stored;
        let archive = store.archive(there.no).await.unwrap().unwrap();
        assert_eq!(lines(&archive), exported);
        let moved = store.load(there.no).await.unwrap().unwrap();
        for start_seq in 0..=state.latest_seq + 1 {
            assert_eq!(moved.message.pull(start_seq), state.pull(start_seq));
        }
        for (id, text) in &archive.answers {
            assert_eq!(store.answer(there.no, &id.caller, id.request_id).await.unwrap().as_ref(), Some(text));
        }
        // And it works on, with the answers that come next in their ring.
        let on = history_on(&*store, there.no, &moved.message).await;
        assert_eq!(store.load(there.no).await.unwrap().unwrap().message, on);
        assert!(import(&*store, &read).await.unwrap_err().contains("with another content"));
        store.close().await;
    }
}

async fn history_on(store: &dyn Store, no: i64, message: &Message) -> Message {
    let mut message = message.clone();
    let item = Item { key: "key on".into(), value: "v".into(), seq: Some(0) };
    let terms = Terms::new(&Limits::DEFAULT, 1_800_000_000_000);
    let decision = message.decide(&Operation::Set(vec![item]), Writer::new("bob"), terms).unwrap();
    let changes: Vec<_> = decision.change.into_iter().collect();
    let expected_seq = message.latest_seq;
    changes.iter().for_each(|change| message.absorb(change));
    store.commit(Commit { message_no: no, expected_seq, changes, ..Commit::default() }).await.unwrap();
    message
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_history_comes_out_as_it_went_in(steps in steps(), in_group: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(moves_through(steps, in_group));
    }
}

const LINES: [&str; 5] = [
    r#"{"FormatVersion":1,"From_Account":"alice","To_Account":"bob","MsgKey":"7_8_1665388280","MessageID":"alice-1-8","SupportMessageExtension":1,"MsgBody":[],"LatestSeq":4,"ClearSeq":1,"Entries":3,"Answers":1}"#,
    r#"{"Key":"a","Value":"v","Seq":2,"Author":"bob","Time":1700000000000}"#,
    r#"{"Key":"b","Value":"","Seq":4,"Author":"bob","Time":1700000000001}"#,
    r#"{"Key":"c","Value":"","Seq":4,"Author":"bob","Time":1700000000001}"#,
    r#"{"identifier":"bob","Turn":3,"requestid":"000102030405060708090a0b0c0d0e0f","Answer":{"Seq":4}}"#,
];

#[test]
fn what_is_wrong_in_the_lines_is_named_with_line_and_field() {
    let whole = LINES.join("\n") + "\n";
    assert_eq!(lines(&Archive::read(whole.as_bytes()).unwrap()), whole);
    let cases = [
        (
            r#""FormatVersion":1"#,
            r#""FormatVersion":2,"More":1"#,
            "line 1: FormatVersion is 2, and this program reads 1",
        ),
        (r#""FormatVersion":1,"#, "", "line 1: missing field `FormatVersion`"),
        (r#""LatestSeq":4"#, r#""LatestSeq":"4""#, "line 1: LatestSeq: invalid type: string \"4\""),
        (r#""LatestSeq":4"#, r#""LatestSeq":5"#, "line 1: LatestSeq is 5, and neither"),
        (r#""LatestSeq":4"#, r#""LatestSeq":3"#, "line 3: Seq is 4, and must be"),
        (r#""ClearSeq":1"#, r#""ClearSeq":2"#, "line 2: Seq is 2, and must be past the ClearSeq 2"),
        (r#""From_Account":"alice","#, "", "line 1: missing field `From_Account`"),
        (r#""To_Account":"bob","#, "", "line 1: either To_Account and MsgKey or GroupId and MsgSeq"),
        (r#""MsgKey":"7_8_1665388280","#, "", "line 1: MsgKey is missing"),
        ("7_8_1665388280", "7_8", "line 1: MsgKey must be"),
        (r#""To_Account":"bob","MsgKey":"7_8_1665388280""#, r#""GroupId":"g""#, "line 1: MsgSeq is missing"),
        (
            r#""SupportMessageExtension":1"#,
            r#""SupportMessageExtension":2"#,
            "line 1: SupportMessageExtension must be",
        ),
        (r#""MessageID":"alice-1-8""#, r#""MessageID":"""#, "line 1: MessageID is missing"),
        (
            r#""MsgBody":[]"#,
            r#""MsgBody":[],"ExtensionRules":{"MaxKey":1}"#,
            "line 1: ExtensionRules.MaxKey: unknown field",
        ),
        (r#""MsgBody":[]"#, r#""MsgBody":[}"#, "line 1: "),
        (r#""Entries":3"#, r#""Entries":2"#, "line 4: "),
        (r#""Entries":3"#, r#""Entries":4"#, "line 5: "),
        (r#""Answers":1"#, r#""Answers":2"#, "line 6: an answer is missing: the file was cut off"),
        (r#""Answers":1"#, r#""Answers":0"#, "line 5: the file goes on"),
        (r#""Key":"a","#, "", "line 2: missing field `Key`"),
        (r#""Key":"a""#, r#""Key":"""#, "line 2: Key is empty"),
        (r#""Key":"b""#, r#""Key":"a""#, "line 3: the Key \"a\" is there twice"),
        (r#""Seq":2,"#, r#""Seq":-2,"#, "line 2: Seq: invalid value"),
        (r#""Seq":2,"Author":"bob","#, r#""Seq":2,"#, "line 2: Author is missing"),
        (r#","Time":1700000000000"#, "", "line 2: Time is missing"),
        (r#""Key":"c","Value":"""#, r#""Key":"c","Value":"v""#, "line 4: Seq is 4 as before"),
        (r#""Key":"c","Value":"","Seq":4"#, r#""Key":"c","Value":"","Seq":3"#, "line 4: Seq is 3, after 4"),
        ("0d0e0f", "0d0e0", "line 5: requestid must be 32 hexadecimal digits"),
        (r#""Turn":3,"#, "", "line 5: missing field `Turn`"),
        (r#""Answer":{"Seq":4}}"#, r#""Answer":{"Seq":4}} more"#, "line 5: trailing characters"),
    ];
    for (from, to, said) in cases {
        assert_eq!(whole.matches(from).count(), 1, "{from}");
        let text = Archive::read(whole.replacen(from, to, 1).as_bytes()).unwrap_err();
        assert!(text.starts_with(said), "{to}: {text}");
        assert!(!text.contains("line 1 column"), "{text}");
    }
    assert!(Archive::read(&b""[..]).unwrap_err().starts_with("line 1: the message is missing"));
    assert!(Archive::read(&b"\xff\n"[..]).unwrap_err().starts_with("line 1: it cannot be read"));
}

async fn export(dir: &Path, named: &Value) -> Output {
    let flags = [
        ("From_Account", "--from"),
        ("To_Account", "--to"),
        ("MsgKey", "--msg-key"),
        ("GroupId", "--group"),
        ("MsgSeq", "--msg-seq"),
    ];
    let mut command = binary(&["export", "--data"]);
    command.arg(dir);
    for (field, flag) in flags {
        match &named[field] {
            Value::Null => {}
            Value::String(text) => drop(command.args([flag, text])),
            other => drop(command.args([flag, &other.to_string()])),
        }
    }
    command.output().await.unwrap()
}

async fn import_lines(dir: &Path, lines: &[u8]) -> (Option<i32>, String, String) {
    let mut command = binary(&["import", "--data"]);
    command.arg(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(lines).await;
    let output = child.wait_with_output().await.unwrap();
    let (code, text) = error_of(&output);
    (code, text, String::from_utf8(output.stdout).unwrap())
}

/// Sets under a request id.
async fn ask(api: &Api, command: &str, body: &Value) -> Value {
    let query = format!("{}&requestid={:032x}", query("bob"), 77);
    api.post(command, &query, &body.to_string()).await
}

#[tokio::test]
async fn a_message_moves_from_a_server_that_runs_to_another_and_a_retry_gets_its_first_answer_there() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_child, api) = serve(from.path()).await;
    let cases =
        [(api.c2c_message().await, SET, GET), (api.group_message("Public").await, GROUP_SET, GROUP_GET)];
    let mut moved = Vec::new();
    for (name, write, read) in &cases {
        let first = ask(&api, write, &set(name, &[("k", "v", 0)])).await;
        assert_eq!(first["Seq"], 1);
        api.ok("alice", write, &set(name, &[("l", "w", 0)])).await;
        api.ok(
            "alice",
            write,
            &with(name, json!({"OperateType": 2, "ExtensionList": [{"Key": "l", "Seq": 2}]})),
        )
        .await;
        let exported = export(from.path(), name).await;
        assert_eq!(error_of(&exported), (Some(0), String::new()));
        let all = with(name, json!({"StartSeq": 1, "WithAuthor": 1}));
        moved.push((first, api.ok("bob", read, &all).await, all, exported.stdout));
    }
    for (.., lines) in &moved {
        let (code, text, said) = import_lines(to.path(), lines).await;
        assert_eq!((code, text.as_str(), said.as_str()), (Some(0), "", "the message is kept\n"));
        let (code, text, said) = import_lines(to.path(), lines).await;
        assert_eq!((code, text.as_str()), (Some(0), ""));
        assert!(said.contains("was there with the same content"), "{said}");
    }
    let (child, api) = serve(to.path()).await;
    for ((name, write, read), (first, pulled, all, lines)) in cases.iter().zip(&moved) {
        assert_eq!(&api.ok("bob", read, all).await, pulled);
        assert_eq!(&ask(&api, write, &set(name, &[("k", "v", 0)])).await, first);
        assert_eq!(export(to.path(), name).await.stdout, *lines);
        assert_eq!(api.refused("dave", read, name).await, 23004);
    }
    // While it is served, nothing is imported.
    let (code, text, _) = import_lines(to.path(), &moved[0].3).await;
    assert!(code == Some(1) && text.contains("in use by another"), "{text}");
    // Members may have changed since; the content may not.
    let (name, write, _) = &cases[1];
    let carol = json!({"GroupId": name["GroupId"], "MemberList": [{"Member_Account": "dave"}]});
    api.ok(ADMIN, ADD, &carol).await;
    terminate(&child);
    drop(child);
    let import_again = async || {
        let mut outcome = import_lines(to.path(), &moved[1].3).await;
        while outcome.1.contains("in use") {
            outcome = import_lines(to.path(), &moved[1].3).await;
        }
        outcome
    };
    let (code, text, said) = import_again().await;
    assert!(code == Some(0) && said.contains("same content"), "{text}");
    let (child, api) = serve(to.path()).await;
    api.ok("bob", write, &set(name, &[("k", "other", 1)])).await;
    terminate(&child);
    drop(child);
    let (code, text, _) = import_again().await;
    assert!(code == Some(1) && text.contains("is there with another content"), "{text}");
}

#[tokio::test]
async fn what_cannot_be_exported_or_imported_is_said_and_nothing_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let c2c = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": "1_2_3"});
    let (code, text) = error_of(&export(dir.path(), &c2c).await);
    assert!(code == Some(1) && text.contains(data) && text.contains("no data"), "{text}");
    drop(SqliteStore::open(dir.path()).unwrap());
    for named in [c2c, json!({"GroupId": "g", "MsgSeq": 1})] {
        let (code, text) = error_of(&export(dir.path(), &named).await);
        assert!(code == Some(1) && text.contains("no such message"), "{text}");
    }
    for arguments in
        [&["export", "--data", data][..], &["export", "--data", data, "--group", "g"], &["import"]]
    {
        let (code, text) = error_of(&crate::process::run(arguments).await);
        assert_eq!(code, Some(2), "{arguments:?}: {text}");
    }
    let whole = LINES.join("\n");
    let cut = &whole.as_bytes()[..whole.len() - 60];
    let (code, text, _) = import_lines(dir.path(), cut).await;
    assert!(code == Some(1) && text.contains("stdin, line 5: "), "{text}");
    let store = SqliteStore::open(dir.path()).unwrap();
    let read = Archive::read(whole.as_bytes()).unwrap();
    assert_eq!(import(&store, &read).await, Ok(Imported::New));
    // Another message that has the MessageID already, and a group of another type.
    let other = Archive { message: NewMessage { sequence: 9, ..read.message.clone() }, ..read.clone() };
    assert!(import(&store, &other).await.unwrap_err().contains("alice-1-8"));
    let group = |group_type: &str| NewGroup {
        group_id: "g".into(),
        group_type: group_type.into(),
        ..NewGroup::default()
    };
    assert!(store.create_group(group("Private")).await.unwrap());
    let conversation = Conversation::Group { group_id: "g".into(), no: 0 };
    let message = NewMessage { conversation, ..read.message.clone() };
    let in_group = Archive { group: Some(group("Public")), message, ..read };
    let text = import(&store, &in_group).await.unwrap_err();
    assert!(text.contains("group g is there and of the Type Private"), "{text}");
}

#[tokio::test]
async fn an_import_that_fails_at_its_last_row_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let db = rusqlite::Connection::open(dir.path().join("messages.db")).unwrap();
    let trigger = "CREATE TRIGGER full BEFORE INSERT ON answers BEGIN SELECT raise(ABORT, 'no room'); END";
    db.execute_batch(trigger).unwrap();
    let members = vec!["alice".into()];
    let group = NewGroup { group_id: "g".into(), group_type: "Public".into(), name: String::new(), members };
    let read = Archive::read(LINES.join("\n").as_bytes()).unwrap();
    let conversation = Conversation::Group { group_id: "g".into(), no: 0 };
    let message = NewMessage { conversation, ..read.message.clone() };
    let archive = Archive { group: Some(group), message, ..read };
    let text = import(&store, &archive).await.unwrap_err();
    assert!(text.contains("nothing was done") && text.contains("no room"), "{text}");
    for table in ["groups", "members", "messages", "counters", "entries", "answers"] {
        let count: i64 =
            db.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).unwrap();
        assert_eq!(count, 0, "{table}");
    }
    db.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(import(&store, &archive).await, Ok(Imported::New));
}

#[tokio::test]
async fn a_reader_that_has_gone_is_an_error_and_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let read = Archive::read(LINES.join("\n").as_bytes()).unwrap();
    import(&store, &read).await.unwrap();
    let mut command =
        binary(&["export", "--from", "alice", "--to", "bob", "--msg-key", "7_8_1665388280", "--data"]);
    let mut child = command.arg(dir.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let (code, text) = error_of(&child.wait_with_output().await.unwrap());
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("cannot write to stdout") && text.lines().count() == 1, "{text}");
}

#[test]
fn a_ring_of_answers_has_as_many_as_are_remembered() {
    // The lines name turns, and a slot of the ring follows from the turn: another number would mix them up.
    assert_eq!(REMEMBERED_ANSWERS, 8);
}
