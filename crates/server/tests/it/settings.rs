//! Settings by flag, environment and file; secrets.

use std::io::Write;
use std::process::Stdio;

use message_extensions_core::usersig;
use serde_json::json;
use tempfile::NamedTempFile;

use crate::client::{APP, LIST, SECRET, now};
use crate::process::{binary, error_of, run, start};
use crate::socket::Socket;

const PREVIOUS: &str = "the secret key before it";

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

#[tokio::test]
async fn a_flag_goes_before_the_environment_that_before_the_file_that_before_the_default() {
    let file = file(
        "listen = \"of the file\"\nitems = 3\nkey-bytes = 4\nadmin = [\"a\", \"b\"]\nstore = \"memory\"\n",
    );
    let mut command = binary(&["config", "--config", path(&file), "--listen", "of the flag"]);
    command.env("MESSAGE_EXTENSIONS_LISTEN", "of the environment").env("MESSAGE_EXTENSIONS_ITEMS", "5");
    let printed = String::from_utf8(command.output().await.unwrap().stdout).unwrap();
    let lines: Vec<_> = printed.lines().collect();
    for line in [
        "listen = \"of the flag\" # flag",
        "items = 5 # environment",
        "key-bytes = 4 # file",
        "admin = [\"a\", \"b\"] # file",
        "store = \"memory\" # file",
        "value-bytes = 1000 # default",
        "# data is not set",
    ] {
        assert!(lines.contains(&line), "{line} is not in\n{printed}");
    }
}

#[tokio::test]
async fn what_config_prints_is_a_settings_file_without_secrets_and_what_is_missing_is_said() {
    let secret = file("one secret\n");
    let args = [
        "config",
        "--store",
        "memory",
        "--previous-secret-key-file",
        path(&secret),
        "--allow-origin",
        "a,\"b",
    ];
    let mut command = binary(&args);
    let missing = command.env("MESSAGE_EXTENSIONS_SECRET_KEY", "another secret").output().await.unwrap();
    let (code, text) = error_of(&missing);
    assert!(code == Some(2) && text.contains("--sdk-app-id"), "{text}");
    let first = command.args(["--sdk-app-id", "14"]).output().await.unwrap();
    assert_eq!(error_of(&first), (Some(0), String::new()));
    let first = String::from_utf8(first.stdout).unwrap();
    assert!(first.contains("# secret-key (set) # environment") && !first.contains("one secret"), "{first}");
    assert!(!first.contains("another secret"));

    let printed = file(&first);
    let again = run(&["config", "--config", path(&printed), "--secret-key", "k"]).await;
    let again = String::from_utf8(again.stdout).unwrap();
    let values = |text: &str| -> Vec<String> {
        let values = text.lines().filter(|line| !line.starts_with('#'));
        values.map(|line| line.split(" # ").next().unwrap().to_owned()).collect()
    };
    assert_eq!(values(&again), values(&first));
}

#[tokio::test]
async fn what_is_wrong_in_the_file_is_named_with_the_line_and_nothing_starts() {
    let unknown = file("store = \"memory\"\nlistn = \"127.0.0.1:0\"\n");
    let wrong = file("sdk-app-id = \"many\"\n");
    let cases = [
        (path(&unknown), ", line 2: "),
        (path(&unknown), "unknown field `listn`"),
        (path(&wrong), ", line 1: sdk-app-id: invalid type"),
        ("/nowhere/settings.toml", "cannot read the settings file"),
    ];
    for (config, said) in cases {
        let (code, text) = error_of(&run(&["--config", config, "--secret-key", "k"]).await);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(config) && text.contains(said), "{text}");
    }
}

#[tokio::test]
async fn a_secret_that_cannot_be_had_is_said_and_none_is_shown() {
    let (empty, good) = (file("\n"), file("the good secret\n"));
    let in_settings = file("secret-key = [\"the good secret\"]");
    let cases: [(&[&str], &str); 6] = [
        (&["--secret-key", ""], "secret-key is empty"),
        (&["--secret-key-file", path(&empty)], "secret-key-file is empty"),
        (&["--secret-key-file", "/nowhere/secret"], "cannot read the file /nowhere/secret"),
        (&["--secret-key", "the good secret", "--secret-key-file", path(&good)], "both given"),
        (&["--secret-key-file", path(&good), "--previous-secret-key", ""], "previous-secret-key is empty"),
        (&["--config", path(&in_settings)], "line 1: secret-key: invalid type, expected a string"),
    ];
    for (arguments, said) in cases {
        let (code, text) =
            error_of(&run(&[&["--store", "memory", "--sdk-app-id", "1"], arguments].concat()).await);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(said) && !text.contains("the good secret"), "{text}");
    }
}

#[tokio::test]
async fn signatures_by_both_secrets_are_good_during_a_rotation_and_the_first_signs() {
    let (secret, previous) = (file(&format!("{SECRET}\r\n")), file(PREVIOUS));
    let settings = file(&format!(
        "sdk-app-id = {APP}\nstore = \"memory\"\nlisten = \"127.0.0.1:0\"\nsecret-key-file = {:?}\nprevious-secret-key-file = {:?}\n",
        path(&secret),
        path(&previous),
    ));
    let signed = run(&["usersig", "--config", path(&settings), "--identifier", "alice"]).await;
    let signed = String::from_utf8(signed.stdout).unwrap();
    assert!(usersig::verify(APP, &[SECRET.as_bytes()], "alice", signed.trim(), now()).is_ok());

    let mut command = binary(&["--config", path(&settings)]);
    let (_child, api, _) = start(command.stderr(Stdio::null())).await;
    for (key, code) in [(SECRET, 0), (PREVIOUS, 0), ("a third", 70009)] {
        let signature = usersig::sign(APP, key.as_bytes(), "alice", now(), 60);
        let query = format!("sdkappid={APP}&identifier=alice&usersig={signature}");
        let reply = api.post(LIST, &query, &json!({"Peer_Account": "bob"}).to_string()).await;
        assert_eq!(reply["ErrorCode"], code, "{key}");
        let mut socket = Socket::open(api.address, &format!("?{query}")).await;
        let first = socket.frame().await;
        assert_eq!(first["Type"], if code == 0 { "ready" } else { "refused" }, "{key}");
    }
}
