//! The binary: flags, what it prints, how it starts, dies and stops.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Output, Stdio};

use std::time::Duration;

use message_extensions_core::usersig;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::client::{APP, Api, GET, SECRET, SET, now, query, set, with};
use crate::socket::Socket;

pub(crate) fn binary(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_message-extensions-server"));
    command.args(arguments).env("RUST_LOG", "info").kill_on_drop(true);
    command
}

pub(crate) async fn run(arguments: &[&str]) -> Output {
    tokio::time::timeout(Duration::from_secs(20), binary(arguments).output()).await.unwrap().unwrap()
}

pub(crate) fn error_of(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stderr.clone()).unwrap())
}

/// Flags without which a server limits how often.
pub(crate) const UNLIMITED: [&str; 8] = [
    "--writes-per-minute",
    "0",
    "--user-writes-per-minute",
    "0",
    "--admin-calls-per-second",
    "0",
    "--user-calls-per-second",
    "0",
];

/// Starts a server on `data` that does not limit how often, and waits until it listens.
pub(crate) async fn serve(data: &Path) -> (Child, Api) {
    serve_with(data, &UNLIMITED).await
}

/// The same with these flags, and the default limits.
pub(crate) async fn serve_with(data: &Path, flags: &[&str]) -> (Child, Api) {
    let app = APP.to_string();
    let mut command = binary(&["--listen", "127.0.0.1:0", "--sdk-app-id", &app]);
    command.arg("--data").arg(data).args(flags).env("MESSAGE_EXTENSIONS_SECRET_KEY", SECRET);
    let (child, api, _) = start(command.stderr(Stdio::null())).await;
    (child, api)
}

/// Starts a server and waits until it listens; what it prints after that is returned, too.
pub(crate) async fn start(command: &mut Command) -> (Child, Api, Lines<BufReader<ChildStdout>>) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let address = line.strip_prefix("listening on http://").unwrap().parse().unwrap();
    (child, Api::new(address), lines)
}

pub(crate) fn terminate(child: &Child) {
    let pid = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
}

#[tokio::test]
async fn a_second_process_on_the_same_data_refuses_with_words() {
    let dir = tempfile::tempdir().unwrap();
    let (_child, _) = serve(dir.path()).await;
    let data = dir.path().to_str().unwrap();
    let second =
        run(&["--data", data, "--listen", "127.0.0.1:0", "--sdk-app-id", "1", "--secret-key", "k"]).await;
    let (code, text) = error_of(&second);
    assert_eq!(code, Some(1));
    assert!(text.contains(data) && text.contains("in use by another"), "{text}");
}

#[tokio::test]
async fn sigterm_closes_connections_keeps_the_data_and_exits_with_0() {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, api) = serve(dir.path()).await;
    let message = api.c2c_message().await;
    api.ok("bob", SET, &set(&message, &[("k", "v", 0)])).await;
    let mut socket = Socket::login(api.address, "bob").await;
    terminate(&child);
    assert_eq!(socket.closed().await, 4006);
    drop(socket);
    let status = tokio::time::timeout(Duration::from_secs(5), child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
    let (_child, api) = serve(dir.path()).await;
    assert_eq!(api.ok("bob", GET, &message).await["LatestSeq"], 1);
}

#[tokio::test]
async fn what_is_wrong_at_the_start_is_said_in_one_sentence() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let file = tempfile::NamedTempFile::new().unwrap();
    let file = file.path().to_str().unwrap();
    let key = ["--sdk-app-id", "1", "--secret-key", "k"];
    let cases: [(Vec<&str>, i32, &str); 10] = [
        (vec!["--store", "memory", "--sdk-app-id", "1"], 2, "--secret-key"),
        (vec!["--store", "memory", "--secret-key", "k"], 2, "--sdk-app-id"),
        (key.to_vec(), 2, "--data"),
        ([&key[..], &["--data", file]].concat(), 1, file),
        ([&key[..], &["--store", "memory", "--listen", &taken]].concat(), 1, &taken),
        ([&key[..], &["--store", "memory", "--listen", &taken]].concat(), 1, "another program listens there"),
        (
            [&key[..], &["--store", "memory", "--listen", "127.0.0.1:0", "--metrics-listen", &taken]]
                .concat(),
            1,
            "--metrics-listen",
        ),
        ([&key[..], &["--store", "memory", "--push-idle", "0"]].concat(), 2, "push-idle"),
        ([&key[..], &["--store", "memory", "--allow-origin", ""]].concat(), 2, "allow-origin"),
        (vec!["--listen"], 2, "--listen"),
    ];
    for (arguments, code, named) in cases {
        let (actual, text) = error_of(&run(&arguments).await);
        assert_eq!(actual, Some(code), "{arguments:?}: {text}");
        assert!(text.contains(named), "{arguments:?}: {text}");
    }
}

#[tokio::test]
async fn usersig_prints_a_signature_that_verifies() {
    let app = APP.to_string();
    let arguments =
        ["usersig", "--identifier", "alice", "--expire", "60", "--sdk-app-id", &app, "--secret-key", SECRET];
    let printed = String::from_utf8(run(&arguments).await.stdout).unwrap();
    let until = usersig::verify(APP, &[SECRET.as_bytes()], "alice", printed.trim(), now()).unwrap();
    assert!((now() + 50..=now() + 60).contains(&until));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let mut command =
        binary(&["--listen", "127.0.0.1:0", "--data", data, "--sdk-app-id", "1", "--secret-key", "k"]);
    // Root writes everywhere.
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(65_534);
    }
    let (code, text) = error_of(&command.output().await.unwrap());
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(data) && text.contains("Permission denied"), "{text}");
}

#[tokio::test]
async fn neither_signatures_nor_secrets_nor_values_are_logged() {
    const PREVIOUS: &str = "the secret key before it";
    for format in ["text", "json"] {
        let app = APP.to_string();
        let mut command = binary(&["--listen", "127.0.0.1:0", "--store", "memory", "--sdk-app-id", &app]);
        command.args(["--log-format", format, "--previous-secret-key", PREVIOUS]);
        command.env("MESSAGE_EXTENSIONS_SECRET_KEY", SECRET).env("RUST_LOG", "trace").stderr(Stdio::piped());
        let (child, api, _) = start(&mut command).await;
        let message = api.c2c_message().await;
        let mut in_frame = Socket::login(api.address, "bob").await;
        let mut in_url = Socket::open(api.address, &format!("?{}", query("bob"))).await;
        assert_eq!(in_url.frame().await["Type"], "ready");
        api.ok("bob", SET, &set(&message, &[("k", "a private value", 0)])).await;
        for socket in [&mut in_frame, &mut in_url] {
            assert_eq!(socket.event().await["Seq"], 1);
        }
        let malformed =
            json!({"OperateType": 9, "ExtensionList": [{"Key": "k", "Value": "a private value"}]});
        api.refused("bob", SET, &with(&message, malformed)).await;
        terminate(&child);
        drop((in_frame, in_url));
        let log = String::from_utf8(child.wait_with_output().await.unwrap().stderr).unwrap();
        assert!(log.contains("started"), "{log}");
        for private in [SECRET, PREVIOUS, "a private value", "usersig=", "eJ"] {
            assert!(!log.contains(private), "{private} is in the log");
        }
    }
}
