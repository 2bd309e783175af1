//! A disk that is full: a limit on the size of files, which nobody needs to be root for, and a small disk of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::client::{ADMIN, APP, Api, GET, SECRET, SEND, SET, set};
use crate::operating::{get, sample};
use crate::process::{error_of, serve, start};
use crate::soak::{amount, done};

const BINARY: &str = env!("CARGO_BIN_EXE_message-extensions-server");
const WRITERS: usize = 8;
const FAILING: &str = "message_extensions_sqlite_failing";

/// A server on `data` that does not limit how often, run by `command`, which gets the program and its arguments.
fn server(mut command: Command, data: &Path) -> Command {
    command
        .arg(BINARY)
        .args(["--listen", "127.0.0.1:0", "--sdk-app-id", &APP.to_string(), "--data"])
        .arg(data);
    for flag in
        ["writes-per-minute", "user-writes-per-minute", "admin-calls-per-second", "user-calls-per-second"]
    {
        command.args([&format!("--{flag}"), "0"]);
    }
    command.env("MESSAGE_EXTENSIONS_SECRET_KEY", SECRET).stderr(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs what follows with files of at most so many kilobytes; writing more is an error and no signal.
fn limited(kilobytes: u64) -> Command {
    let mut command = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -S -f {}; exec \"$@\"", kilobytes * 2);
    command.args(["-c", &script, "sh"]);
    command
}

/// Lifts the limit of a running process. `false`: there is no `prlimit` here.
fn lift_limit(child: &Child) -> bool {
    let pid = child.id().unwrap().to_string();
    let lifted = std::process::Command::new("prlimit").args(["--fsize=unlimited:", "--pid", &pid]).status();
    lifted.is_ok_and(|status| status.success())
}

/// A message and what it must hold, by what was acknowledged.
#[derive(Clone)]
struct Kept {
    name: Value,
    seq: u64,
    items: Vec<(String, String)>,
}

impl Kept {
    async fn new(api: &Api) -> Self {
        Self { name: api.c2c_message().await, seq: 0, items: Vec::new() }
    }

    /// Sets three keys. `false`: it was refused with 10002.
    async fn write(&mut self, api: &Api) -> bool {
        let keys = [self.seq % 30, self.seq % 30 + 30, 99].map(|n| format!("key {n}"));
        let value = format!("{} {}", self.seq, "v".repeat(900));
        let items = keys.each_ref().map(|key| (key.as_str(), value.as_str(), 0));
        let reply = api.call(ADMIN, SET, &set(&self.name, &items)).await;
        if reply["ErrorCode"] == 10002 {
            return false;
        }
        assert_eq!((&reply["ErrorCode"], &reply["Seq"]), (&json!(0), &json!(self.seq + 1)), "{reply}");
        self.seq += 1;
        self.items.retain(|(key, _)| !keys.contains(key));
        self.items.extend(keys.map(|key| (key, value.clone())));
        true
    }

    /// That it holds what was acknowledged, all of it and nothing else.
    async fn is_kept(&self, api: &Api) {
        let reply = api.ok("bob", GET, &self.name).await;
        assert_eq!(reply["LatestSeq"], self.seq);
        let mut there: Vec<_> = reply["ExtensionList"].as_array().unwrap().iter().collect();
        there.sort_by_key(|item| item["Key"].to_string());
        let mut items = self.items.clone();
        items.sort();
        let there: Vec<_> = there.iter().map(|item| (&item["Key"], &item["Value"])).collect();
        assert_eq!(there.len(), items.len());
        for ((key, value), (kept_key, kept_value)) in there.into_iter().zip(&items) {
            assert!(key == kept_key && value == kept_value, "{key} of {}", self.name);
        }
    }
}

/// Writes until the disk is full, by many at once, and says what is kept then. Each message is large, so the file grows and
/// not only its log.
async fn fill(api: &Api, kept: Vec<Kept>) -> Vec<Kept> {
    let filling = kept.into_iter().map(async |mut kept| {
        let api = api.clone();
        let element = json!({"MsgType": "T", "MsgContent": {"Text": "t".repeat(9000)}});
        let large = json!({"From_Account": "alice", "To_Account": "bob", "MsgBody": [element]});
        loop {
            let sent = api.call(ADMIN, SEND, &large).await["ErrorCode"].as_u64().unwrap();
            assert!([0, 10002].contains(&sent));
            let written = kept.write(&api).await;
            if sent == 10002 && !written {
                // What can be read goes on being read, and is what was acknowledged.
                kept.is_kept(&api).await;
                return kept;
            }
        }
    });
    futures_util::future::join_all(filling).await
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Fills the disk, looks at what the operator sees, has space made, and goes on.
async fn fill_and_go_on(api: &Api, kept: Vec<Kept>, make_space: impl AsyncFnOnce()) -> Vec<Kept> {
    let mut kept = fill(api, kept).await;
    until("not ready on a full disk", async || {
        // What little is left is used up first, so some may be got in.
        let mut last = as_it_is(api, &kept[0]).await;
        !last.write(api).await && get(api, "/readyz").await.0 == 503
    })
    .await;
    kept[0] = as_it_is(api, &kept[0]).await;
    assert_eq!(sample(api, FAILING).await, 1.0);
    assert!(sample(api, "message_extensions_sqlite_commit_failures_total").await > 0.0);
    assert_eq!(get(api, "/healthz").await.0, 200);
    for kept in &kept {
        kept.is_kept(api).await;
    }
    make_space().await;
    until("ready when there is space again", async || get(api, "/readyz").await.0 == 200).await;
    assert_eq!(sample(api, FAILING).await, 0.0);
    for kept in &mut kept {
        kept.is_kept(api).await;
        assert!(kept.write(api).await);
        kept.is_kept(api).await;
    }
    kept
}

async fn as_it_is(api: &Api, kept: &Kept) -> Kept {
    let reply = api.ok("bob", GET, &kept.name).await;
    let items = reply["ExtensionList"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = items.map(|item| (text(&item["Key"]), text(&item["Value"]))).collect();
    Kept { name: kept.name.clone(), seq: reply["LatestSeq"].as_u64().unwrap(), items }
}

async fn messages(api: &Api) -> Vec<Kept> {
    let mut kept = Vec::new();
    for _ in 0..WRITERS {
        kept.push(Kept::new(api).await);
    }
    kept
}

/// `kilobytes`: what may be in a file.
async fn full_and_free_again(kilobytes: u64) {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, api, _) = start(&mut server(limited(kilobytes), dir.path())).await;
    let kept = messages(&api).await;
    if !lift_limit(&child) {
        return eprintln!("skipped: a full disk by a limit on files, since there is no prlimit");
    }
    // Once more, and lifted later, from here on.
    let pid = child.id().unwrap().to_string();
    let limit = format!("--fsize={}:", kilobytes * 1024);
    assert!(std::process::Command::new("prlimit").args([&limit, "--pid", &pid]).status().unwrap().success());
    let kept = fill_and_go_on(&api, kept, async || assert!(lift_limit(&child))).await;
    child.kill().await.unwrap();
    let (_child, api) = serve(dir.path()).await;
    for kept in &kept {
        kept.is_kept(&api).await;
    }
}

#[tokio::test]
async fn when_the_log_cannot_grow_writes_answer_10002_leave_nothing_and_work_again_with_space() {
    full_and_free_again(600).await;
}

#[tokio::test]
async fn when_the_file_cannot_grow_at_a_checkpoint_writes_answer_10002_leave_nothing_and_work_again_with_space()
 {
    // Past a thousand pages the log is brought into the file, which then holds more than may be in it.
    full_and_free_again(5000).await;
}

#[tokio::test]
async fn a_start_on_a_full_disk_is_refused_with_words_and_works_when_there_is_space() {
    for is_new in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let mut before = None;
        if !is_new {
            let (mut child, api) = serve(dir.path()).await;
            let mut kept = Kept::new(&api).await;
            assert!(kept.write(&api).await);
            child.kill().await.unwrap();
            before = Some(kept);
        }
        let refused = server(limited(4), dir.path()).stderr(Stdio::piped()).output();
        let refused =
            tokio::time::timeout(Duration::from_secs(20), refused).await.expect("it serves").unwrap();
        let (code, text) = error_of(&refused);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("messages.db") && text.contains("full"), "{text}");
        let (_child, api) = serve(dir.path()).await;
        match &before {
            Some(kept) => kept.is_kept(&api).await,
            None => assert!(Kept::new(&api).await.write(&api).await),
        }
    }
}

/// A small disk that only programs started by [`SmallDisk::run`] see; it goes with its holder.
struct SmallDisk {
    holder: Child,
    dir: tempfile::TempDir,
}

impl SmallDisk {
    /// `None`: there can be none here.
    async fn new(megabytes: u64) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let script =
            format!("mount -t tmpfs -o size={megabytes}m tmpfs \"$1\" && echo mounted && exec sleep 86400");
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", &script, "sh"]).arg(dir.path()).kill_on_drop(true);
        let mut holder = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut said = tokio::io::BufReader::new(holder.stdout.take()?);
        let mut line = String::new();
        tokio::io::AsyncBufReadExt::read_line(&mut said, &mut line).await.ok()?;
        let disk = (line == "mounted\n").then_some(Self { holder, dir })?;
        let sees = disk.run().args(["test", "-d"]).arg(disk.dir.path()).status().await;
        sees.is_ok_and(|status| status.success()).then_some(disk)
    }

    /// Runs what follows where the disk is.
    fn run(&self) -> Command {
        let mut command = Command::new("nsenter");
        let pid = self.holder.id().unwrap().to_string();
        command.args(["-t", &pid, "-U", "-m", "--preserve-credentials", "--"]);
        command
    }

    fn ballast(&self) -> PathBuf {
        self.dir.path().join("ballast")
    }

    /// Takes so many kilobytes away.
    async fn load(&self, kilobytes: u64) {
        let of = format!("of={}", self.ballast().display());
        let mut dd = self.run();
        dd.args(["dd", "if=/dev/zero", &of, "bs=1024", &format!("count={kilobytes}"), "status=none"]);
        assert!(dd.status().await.unwrap().success());
    }

    async fn unload(&self) {
        assert!(self.run().arg("rm").arg(self.ballast()).status().await.unwrap().success());
    }
}

/// Fills a small disk and makes space again, again and again; then restarts the server, when it is full too.
async fn fills_and_goes_on(megabytes: u64, rounds: u64) {
    let Some(disk) = SmallDisk::new(megabytes).await else {
        return done("skipped: no disk of its own, since unshare, mount or nsenter may not be used here");
    };
    let data = disk.dir.path().join("data");
    let (mut child, mut api, _) = start(&mut server(disk.run(), &data)).await;
    let mut kept = messages(&api).await;
    let share = megabytes * 1024 / (rounds + 2);
    disk.load(share * (rounds + 1)).await;
    for round in (1..=rounds).rev() {
        let make_space = async || {
            disk.unload().await;
            disk.load(share * round).await;
        };
        kept = fill_and_go_on(&api, kept, make_space).await;
    }
    let kept = fill(&api, kept).await;
    child.kill().await.unwrap();
    // There is no room for more: it starts, or says why it does not.
    let full = server(disk.run(), &data).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = full.id().unwrap().to_string();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let _ = std::process::Command::new("kill").args(["-TERM", &pid]).status();
    let (code, text) = error_of(&full.wait_with_output().await.unwrap());
    assert!(code == Some(0) || (code == Some(1) && text.contains("full")), "{text}");
    disk.unload().await;
    (child, api, _) = start(&mut server(disk.run(), &data)).await;
    for mut kept in kept {
        kept.is_kept(&api).await;
        assert!(kept.write(&api).await);
    }
    done(format_args!("a disk of {megabytes} MiB was full {} times", rounds + 1));
    drop(child);
}

#[tokio::test]
async fn a_disk_of_its_own_that_fills_up_again_and_again_loses_nothing() {
    fills_and_goes_on(amount("SOAK_DISK_MIB", 8), amount("SOAK_DISK_ROUNDS", 2)).await;
}
