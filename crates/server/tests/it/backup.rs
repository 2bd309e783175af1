//! `backup`: a copy of one moment, while the server writes.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use message_extensions_core::message::MessageRef;
use message_extensions_server::store::SqliteStore;
use rusqlite::Connection;
use serde_json::Value;

use crate::client::{ADMIN, GET, SET, set};
use crate::process::{binary, error_of, serve, terminate};

const WRITERS: usize = 4;
/// Messages that nobody writes: they make the copying take a while.
const MESSAGES: u32 = 3000;

async fn backup(data: &Path, to: &Path) -> Output {
    binary(&["backup", "--data"]).arg(data).arg(to).output().await.unwrap()
}

/// A folder with some 30 MB.
fn much_data() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(dir.path()).unwrap());
    let mut db = Connection::open(dir.path().join("messages.db")).unwrap();
    let transaction = db.transaction().unwrap();
    let body = format!("[\"{}\"]", "x".repeat(9000));
    for n in 1..=MESSAGES {
        let sql = "INSERT INTO messages (sender, recipient, msg_key, msg_seq, random, time, extensible, message_id, body)
            VALUES ('alice', 'bob', ?1 || '_2_3', ?1, 2, 3, 1, 'alice-' || ?1, ?2)";
        transaction.execute(sql, (n, &body)).unwrap();
        let no = transaction.last_insert_rowid();
        transaction
            .execute(
                "INSERT INTO counters (message_no, latest_seq, clear_seq, time) VALUES (?1, 1, 0, 5)",
                [no],
            )
            .unwrap();
        transaction.execute("INSERT INTO entries VALUES (?1, 'k', 'v', 1, 'bob', 5)", [no]).unwrap();
    }
    transaction.commit().unwrap();
    dir
}

/// What is in a folder besides its data.
fn files(dir: &Path) -> Vec<String> {
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_backup_of_a_server_that_writes_is_of_one_moment_and_serves() {
    let (dir, out) = (much_data(), tempfile::tempdir().unwrap());
    let (_child, api) = serve(dir.path()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let acknowledged: Vec<_> = (0..WRITERS).map(|_| Arc::new(AtomicU64::new(0))).collect();
    let mut names = Vec::new();
    let mut writers = Vec::new();
    for acknowledged in &acknowledged {
        let name = api.c2c_message().await;
        names.push(name.clone());
        let (api, stop, acknowledged) = (api.clone(), Arc::clone(&stop), Arc::clone(acknowledged));
        writers.push(tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let value = (acknowledged.load(Ordering::SeqCst) + 1).to_string();
                let reply = api.ok(ADMIN, SET, &set(&name, &[("a", &value, 0), ("b", &value, 0)])).await;
                acknowledged.store(reply["Seq"].as_u64().unwrap(), Ordering::SeqCst);
            }
        }));
    }
    let counts = || acknowledged.iter().map(|n| n.load(Ordering::SeqCst)).collect::<Vec<_>>();
    while counts().iter().any(|n| *n < 3) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let file = out.path().join("of today.db");
    let mut before;
    loop {
        before = counts();
        let output = backup(dir.path(), &file).await;
        let after = counts();
        assert_eq!(error_of(&output), (Some(0), String::new()));
        assert!(String::from_utf8(output.stdout).unwrap().contains("of today.db"));
        assert_eq!(files(out.path()), ["of today.db"]);
        // Where the machine is busy the copy may be faster than the next write.
        if before.iter().zip(&after).all(|(before, after)| after > before) {
            break;
        }
        fs::remove_file(&file).unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    let restored = tempfile::tempdir().unwrap();
    fs::copy(&file, restored.path().join("messages.db")).unwrap();
    for n in (1..=MESSAGES).step_by(37) {
        let name =
            || MessageRef::C2c { from: Some("alice".into()), to: "bob".into(), msg_key: format!("{n}_2_3") };
        let [here, there] =
            [dir.path(), restored.path()].map(|dir| SqliteStore::archive_in(dir, name()).unwrap());
        assert!(here.is_some() && here == there);
    }
    let (_child, api) = serve(restored.path()).await;
    for (n, name) in names.iter().enumerate() {
        let reply = api.ok("bob", GET, name).await;
        let seq = reply["LatestSeq"].as_u64().unwrap();
        assert!(seq >= before[n], "what was acknowledged before it is in it");
        let values: Vec<_> =
            reply["ExtensionList"].as_array().unwrap().iter().map(|item| &item["Value"]).collect();
        assert_eq!(values, [&Value::from(seq.to_string()); 2]);
        let next = (seq + 1).to_string();
        assert_eq!(api.ok(ADMIN, SET, &set(name, &[("a", &next, 0)])).await["Seq"], seq + 1);
    }
}

#[tokio::test]
async fn what_cannot_be_backed_up_is_said_and_leaves_no_file() {
    let (dir, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let is_refused = async |data: &Path, to: &Path, said: &[&str]| {
        let before = files(out.path());
        let (code, text) = error_of(&backup(data, to).await);
        assert_eq!(code, Some(1), "{text}");
        assert!(said.iter().all(|said| text.contains(said)), "{text}");
        assert_eq!(files(out.path()), before);
    };
    let file = out.path().join("new.db");
    is_refused(dir.path(), &file, &["no data", dir.path().to_str().unwrap()]).await;
    is_refused(&dir.path().join("nowhere"), &file, &["no data", "nowhere"]).await;
    drop(SqliteStore::open(dir.path()).unwrap());
    let there = out.path().join("there.db");
    fs::write(&there, "a backup of yesterday").unwrap();
    is_refused(dir.path(), &there, &["there.db", "not overwritten"]).await;
    assert_eq!(fs::read(&there).unwrap(), b"a backup of yesterday");
    is_refused(dir.path(), &out.path().join("nowhere/new.db"), &["nowhere/new.db", "No such file"]).await;
    fs::write(dir.path().join("messages.db"), "no database").unwrap();
    is_refused(dir.path(), &file, &["messages.db", "not the data"]).await;
}

#[tokio::test]
async fn a_damaged_file_makes_no_backup() {
    let (dir, out) = (much_data(), tempfile::tempdir().unwrap());
    let path = dir.path().join("messages.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..][..8 * 4096].iter_mut().for_each(|byte| *byte = !*byte);
    fs::write(&path, bytes).unwrap();
    let (code, text) = error_of(&backup(dir.path(), &out.path().join("new.db")).await);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("is damaged"), "{text}");
    assert!(files(out.path()).is_empty());
}

#[tokio::test]
async fn a_backup_that_is_stopped_leaves_nothing() {
    let (dir, out) = (much_data(), tempfile::tempdir().unwrap());
    for wait in [30, 60, 100, 150] {
        let file = out.path().join(format!("{wait}.db"));
        let mut command = binary(&["backup", "--data"]);
        let child =
            command.arg(dir.path()).arg(&file).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(wait)).await;
        terminate(&child);
        let (code, text) = error_of(&child.wait_with_output().await.unwrap());
        assert_eq!(code == Some(0), file.exists(), "{code:?} {text}");
        assert!(files(out.path()).iter().all(|file| !file.starts_with('.')), "{:?}", files(out.path()));
    }
}
