//! The file of the data: brought up to date from version 1, refused in words when it is not as it should be.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use message_extensions_core::law::{Change, ChangeKind, Entry};
use message_extensions_server::store::{AnswerId, Commit, Head, MessageName, SqliteStore, Store};
use rusqlite::Connection;
use serde_json::json;

use crate::client::{ADMIN, GET, SET, Server, config, message, set};
use crate::process::{binary, error_of, serve};

const VERSION_1: &str = include_str!("version-1.sql");

/// A folder with a file of version 1, as a server that was stopped leaves it.
fn version_1() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let db = Connection::open(file(dir.path())).unwrap();
    db.pragma_update(None, "journal_mode", "WAL").unwrap();
    db.execute_batch(VERSION_1).unwrap();
    dir
}

fn file(dir: &Path) -> PathBuf {
    dir.join("messages.db")
}

fn version(dir: &Path) -> i64 {
    let db = Connection::open(file(dir)).unwrap();
    db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

fn times(dir: &Path) -> Vec<(i64, i64)> {
    let db = Connection::open(file(dir)).unwrap();
    let mut times = db.prepare("SELECT message_no, time FROM counters ORDER BY 1").unwrap();
    let rows = times.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// That everything of `version-1.sql` is there, and works.
async fn has_everything_and_works(dir: &Path) {
    let store = SqliteStore::open(dir).unwrap();
    let group = store.group("lunch").await.unwrap().unwrap();
    assert_eq!((group.no, group.group_type.as_str(), group.members.len()), (3, "Public", 2));
    let name = MessageName::C2c { from: None, to: "bob".into(), msg_key: "5_6_1600000000".into() };
    let [voted] = &store.find_messages(&name).await.unwrap()[..] else { panic!("it is not there") };
    assert_eq!((voted.no, &voted.message.rules), (7, &None));
    assert_eq!(voted.message.body, r#"[{"MsgType":"T","MsgContent":{}}]"#);
    let listed = store.list_group(3, None, 9).await.unwrap();
    assert_eq!((listed[0].no, listed[0].msg_seq), (9, 41));

    let loaded = store.load(7).await.unwrap().unwrap();
    let entry = |value: Option<&str>, seq, author: &str, time| Entry {
        value: value.map(Into::into),
        seq,
        author: author.into(),
        time,
    };
    let entries = BTreeMap::from([
        ("bob_0".to_owned(), entry(Some("1"), 4, "bob", 1_600_000_000_777)),
        ("gone".to_owned(), entry(None, 5, "alice", 1_600_000_000_999)),
        ("人".to_owned(), entry(Some("🗳"), 3, "alice", 1_600_000_000_555)),
    ]);
    assert_eq!((loaded.message.latest_seq, loaded.message.clear_seq), (5, 2));
    assert_eq!(loaded.message.entries, entries);
    let request_id = 0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f;
    assert_eq!(loaded.answers, [AnswerId { caller: "bob".into(), turn: 9, request_id }]);
    let answer = store.answer(7, "bob", request_id).await.unwrap().unwrap();
    assert!(answer.ends_with("\"Seq\":4}"), "{answer}");

    let change = Change {
        seq: 6,
        kind: ChangeKind::Set(vec![("bob_0".into(), "2".into())]),
        author: "bob".into(),
        time: 1_700_000_000_000,
    };
    assert_eq!(store.head(7).await.unwrap(), Some(Head { latest_seq: 5, digest: None }));
    let commit =
        Commit { message_no: 7, digest: 9, expected_seq: 5, changes: vec![change], ..Commit::default() };
    store.commit(commit).await.unwrap();
    assert_eq!(store.head(7).await.unwrap(), Some(Head { latest_seq: 6, digest: Some(9) }));
    store.close().await;
}

#[tokio::test]
async fn a_file_of_version_1_keeps_everything_and_knows_when_each_message_was_changed() {
    let dir = version_1();
    drop(SqliteStore::open(dir.path()).unwrap());
    // The last change, or when it was sent.
    assert_eq!(times(dir.path()), [(7, 1_600_000_000_999), (9, 1_600_000_100_000)]);
    assert_eq!(version(dir.path()), 3);
    has_everything_and_works(dir.path()).await;
    assert_eq!(times(dir.path())[0], (7, 1_700_000_000_000));
}

#[tokio::test]
async fn a_step_that_fails_in_the_middle_leaves_version_1_whole() {
    let dir = version_1();
    // The last statements of the step to version 2 stumble over it.
    let other = |sql| Connection::open(file(dir.path())).unwrap().execute_batch(sql).unwrap();
    other("CREATE TABLE webhooks (no INTEGER)");
    let before = fs::read(file(dir.path())).unwrap();
    let Err(text) = SqliteStore::open(dir.path()) else { panic!("it was opened") };
    assert!(text.contains("from version 1") && text.contains("webhooks"), "{text}");
    assert_eq!(fs::read(file(dir.path())).unwrap(), before);
    assert_eq!(version(dir.path()), 1);
    other("DROP TABLE webhooks");
    has_everything_and_works(dir.path()).await;
}

#[tokio::test]
async fn a_server_that_is_killed_while_it_migrates_leaves_one_version_or_the_other() {
    const MESSAGES: i64 = 4000;
    let original = version_1();
    {
        let mut db = Connection::open(file(original.path())).unwrap();
        let transaction = db.transaction().unwrap();
        for no in 100..100 + MESSAGES {
            let sql = "INSERT INTO messages VALUES (?1, 'a', 'b', ?1, NULL, 1, 1, 1600000000, 1, ?1, '[]')";
            transaction.execute(sql, [no]).unwrap();
            transaction.execute("INSERT INTO counters VALUES (?1, 1, 0)", [no]).unwrap();
            let sql = "INSERT INTO entries VALUES (?1, 'k', 'v', 1, 'a', 1600000000001)";
            transaction.execute(sql, [no]).unwrap();
        }
        transaction.commit().unwrap();
    }
    for wait in [0, 2, 5, 10, 15, 20, 30, 40, 60, 100] {
        let dir = tempfile::tempdir().unwrap();
        fs::copy(file(original.path()), file(dir.path())).unwrap();
        let mut command = binary(&["--listen", "127.0.0.1:0", "--sdk-app-id", "1", "--secret-key", "k"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.arg("--data").arg(dir.path()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(wait)).await;
        child.kill().await.unwrap();
        let columns = |table: &str| -> Vec<String> {
            let db = Connection::open(file(dir.path())).unwrap();
            let mut names = db.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).unwrap();
            let rows = names.query_map((), |row| row.get(0)).unwrap();
            rows.collect::<Result<_, _>>().unwrap()
        };
        let is_new = version(dir.path()) == 3;
        assert_eq!(columns("counters").contains(&"time".to_owned()), is_new);
        assert_eq!(!columns("webhooks").is_empty(), is_new);
        has_everything_and_works(dir.path()).await;
        let times = times(dir.path());
        assert_eq!(times.iter().filter(|(_, time)| *time == 1_600_000_000_001).count() as i64, MESSAGES);
    }
}

/// The files of a folder with their content, those that SQLite makes for readers aside.
fn content(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| !path.ends_with("lock") && !path.ends_with("messages.db-shm"));
    files
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .filter(|(_, bytes)| !bytes.is_empty())
        .collect()
}

/// A server on `dir` must refuse, with exit code 1 and a sentence that says all of `said`, and leave the files alone.
async fn is_refused(dir: &Path, said: &[&str]) {
    let before = content(dir);
    let mut command = binary(&["--listen", "127.0.0.1:0", "--sdk-app-id", "1", "--secret-key", "k"]);
    let output = command.arg("--data").arg(dir).output();
    let output = tokio::time::timeout(Duration::from_secs(30), output).await.expect("it serves").unwrap();
    let (code, text) = error_of(&output);
    assert_eq!(code, Some(1), "{said:?}: {text}");
    let sentence = text.lines().last().unwrap();
    for said in said.iter().chain(&["messages.db"]) {
        assert!(sentence.contains(said), "{said} is not in: {text}");
    }
    assert!(!text.contains("panicked"), "{text}");
    let after = content(dir);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert!(before == after, "{said:?}: what was refused was changed");
}

#[tokio::test]
async fn a_file_that_is_not_ours_or_newer_is_refused_with_words_and_left_as_it_is() {
    const NOT_OURS: &str = "another program";
    let ours = |sql: &'static str| {
        move |path: &Path| {
            drop(SqliteStore::open(path.parent().unwrap()).unwrap());
            Connection::open(path).unwrap().execute_batch(sql).unwrap();
        }
    };
    let sql =
        |sql: &'static str| move |path: &Path| Connection::open(path).unwrap().execute_batch(sql).unwrap();
    let bytes = |bytes: &'static [u8]| move |path: &Path| fs::write(path, bytes).unwrap();
    type Make = Box<dyn Fn(&Path)>;
    let cases: Vec<(Make, &[&str])> = vec![
        (Box::new(ours("PRAGMA user_version = 99")), &["version 99", "newer program"]),
        (Box::new(ours("PRAGMA application_id = 7")), &[NOT_OURS]),
        (Box::new(sql("CREATE TABLE messages (no INTEGER)")), &[NOT_OURS]),
        (Box::new(sql("CREATE TABLE messages (no INTEGER); PRAGMA user_version = 1")), &[NOT_OURS]),
        (Box::new(sql("CREATE TABLE moz_places (id INTEGER); PRAGMA user_version = 70")), &[NOT_OURS]),
        (Box::new(bytes(b"a letter to somebody\n")), &["is not the data", "restore the backup"]),
        (Box::new(bytes(&[0; 8192])), &["is not the data", "restore the backup"]),
        (Box::new(bytes(b"")), &["is empty", "restore the backup"]),
    ];
    for (make, said) in cases {
        let dir = tempfile::tempdir().unwrap();
        make(&file(dir.path()));
        is_refused(dir.path(), said).await;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("messages.db-wal"), "what was written last").unwrap();
    is_refused(dir.path(), &["is missing", "messages.db-wal"]).await;
}

/// A folder with some hundred pages of data; `with_wal`: as a kill leaves it, with the newest pages beside the file.
async fn much_data(with_wal: bool) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, api) = serve(dir.path()).await;
    let messages: Vec<_> = futures_util::future::join_all((0..60).map(|_| api.c2c_message())).await;
    let value = "v".repeat(900);
    let keys: Vec<String> = (0..10).map(|n| format!("key {n}")).collect();
    let items: Vec<_> = keys.iter().map(|key| (key.as_str(), value.as_str(), 0)).collect();
    let writes = messages.iter().map(|message| (message, set(message, &items)));
    futures_util::future::join_all(writes.map(async |(_, write)| api.ok("bob", SET, &write).await)).await;
    if !with_wal {
        crate::process::terminate(&child);
        child.wait().await.unwrap();
        assert!(!dir.path().join("messages.db-wal").exists());
        return dir;
    }
    // Brings all so far into the file; what follows is beside it.
    let db = Connection::open(file(dir.path())).unwrap();
    db.query_row("PRAGMA wal_checkpoint(RESTART)", (), |_| Ok(())).unwrap();
    drop(db);
    api.ok(ADMIN, SET, &set(&messages[0], &[("after", "v", 0)])).await;
    child.kill().await.unwrap();
    assert!(fs::metadata(dir.path().join("messages.db-wal")).unwrap().len() > 0);
    dir
}

/// Overwrites a page in the middle of the file, with bytes that follow from `seed`.
fn overwrite(path: &Path, page: usize, seed: u8) {
    let mut bytes = fs::read(path).unwrap();
    let noise = (0u8..=255).cycle().map(|n| n.wrapping_mul(167).wrapping_add(seed) | 1);
    for (byte, noise) in bytes[page * 4096..][..4096].iter_mut().zip(noise) {
        *byte = noise;
    }
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_damaged_file_is_refused_with_words_and_left_as_it_is() {
    for with_wal in [false, true] {
        let original = much_data(with_wal).await;
        let pages = usize::try_from(fs::metadata(file(original.path())).unwrap().len() / 4096).unwrap();
        assert!(pages > 100);
        let damaged = |damage: &dyn Fn(&Path)| {
            let dir = tempfile::tempdir().unwrap();
            for (path, bytes) in content(original.path()) {
                fs::write(dir.path().join(path.file_name().unwrap()), bytes).unwrap();
            }
            damage(&file(dir.path()));
            dir
        };
        for (page, seed) in [(pages / 3, 3), (pages / 2, 0), (pages / 2 + 1, 77), (pages - 2, 9)] {
            let dir = damaged(&|path| overwrite(path, page, seed));
            is_refused(dir.path(), &["is damaged", "restore the backup"]).await;
        }
        for bytes in [pages * 4096 / 2, 4096 * 40, pages * 4096 - 5000] {
            let cut = |path: &Path| {
                fs::File::options().write(true).open(path).unwrap().set_len(bytes as u64).unwrap();
            };
            is_refused(damaged(&cut).path(), &["is damaged", "restore the backup"]).await;
        }
    }
}

#[tokio::test]
async fn a_file_that_is_damaged_while_it_is_served_is_answered_10002_and_nothing_panics() {
    let dir = much_data(false).await;
    let store = std::sync::Arc::new(SqliteStore::open(dir.path()).unwrap());
    let server = Server::on(config(), store).await;
    let names = {
        let db = Connection::open(file(dir.path())).unwrap();
        let mut keys = db.prepare("SELECT msg_key FROM messages").unwrap();
        let rows = keys.query_map((), |row| row.get::<_, String>(0)).unwrap();
        rows.map(|key| json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": key.unwrap()}))
            .collect::<Vec<_>>()
    };
    let bytes = fs::read(file(dir.path())).unwrap();
    let pages = bytes.len() / 4096;
    // In place: another file under the name would not be the one that is open.
    let damaged: Vec<u8> =
        bytes.iter().enumerate().map(|(n, b)| if n / 4096 < 30 { *b } else { !b }).collect();
    fs::write(file(dir.path()), damaged).unwrap();
    assert!(pages > 100);
    let mut codes = BTreeMap::<u64, usize>::new();
    for name in &names {
        let read = server.api.call("bob", GET, name).await["ErrorCode"].as_u64().unwrap();
        let written = server.api.call(ADMIN, SET, &set(name, &[("k", "v", 0)])).await;
        for code in [read, written["ErrorCode"].as_u64().unwrap()] {
            *codes.entry(code).or_default() += 1;
        }
    }
    // Which pages somebody has read before is SQLite's business.
    assert!(codes.keys().all(|code| [0, 10002].contains(code)), "{codes:?}");
    assert!(codes[&10002] > 20, "{codes:?}");
    let _ = server.api.call(ADMIN, crate::client::SEND, &message(json!({"To_Account": "bob"}))).await;
    server.stop().await;
}
