//! The program with its data on Redis: settings, the start, what is said of the servers, one message moved.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use crate::client::{APP, Api, GET, SECRET, SET, set};
use crate::operating::get;
use crate::process::{UNLIMITED, binary, error_of, run, start, terminate};
use crate::redis_servers::{Redis, cluster, free_ports, single};

/// Starts a server that does not limit how often, on these.
pub(crate) async fn serve_on(redis: &Redis, prefix: &str) -> (Child, Api) {
    let mut command = server(&redis.url(), prefix);
    let (child, api, _) = start(command.stderr(Stdio::null())).await;
    (child, api)
}

fn server(url: &str, prefix: &str) -> Command {
    let app = APP.to_string();
    let mut command = binary(&["--listen", "127.0.0.1:0", "--sdk-app-id", &app, "--store", url]);
    command.args(["--redis-key-prefix", prefix]).args(UNLIMITED).env("MESSAGE_EXTENSIONS_SECRET_KEY", SECRET);
    command
}

fn prefix() -> String {
    format!("test-{}:", fastrand::u64(..))
}

/// What it has logged until it was told to stop.
async fn log_of(mut command: Command) -> String {
    let (child, api, _) = start(command.stderr(Stdio::piped())).await;
    assert_eq!(get(&api, "/readyz").await, (200, "ready".into()));
    terminate(&child);
    String::from_utf8(child.wait_with_output().await.unwrap().stderr).unwrap()
}

#[tokio::test]
async fn two_servers_show_the_same_message_and_one_started_anew_too() {
    let (redis, prefix) = (cluster(), prefix());
    let (child, one) = serve_on(redis, &prefix).await;
    let (_other, other) = serve_on(redis, &prefix).await;
    let message = one.c2c_message().await;
    one.ok("bob", SET, &set(&message, &[("k", "v", 0)])).await;
    assert_eq!(other.ok("alice", GET, &message).await["LatestSeq"], 1);
    other.ok("alice", SET, &set(&message, &[("k", "w", 1)])).await;
    let held = json!([{"Key": "k", "Value": "w", "Seq": 2}]);
    assert_eq!(one.ok("bob", GET, &message).await["ExtensionList"], held);
    drop(child);
    let (_child, anew) = serve_on(redis, &prefix).await;
    assert_eq!(anew.ok("bob", GET, &message).await["ExtensionList"], held);
}

#[tokio::test]
async fn what_is_no_store_is_refused_and_a_password_is_never_shown() {
    let key = ["--sdk-app-id", "1", "--secret-key", "k", "--listen", "127.0.0.1:0"];
    let [nobody] = free_ports(1)[..] else { unreachable!() };
    let unreachable = format!("redis://me:marked@127.0.0.1:{nobody}");
    let cases: [(&[&str], i32, String); 9] = [
        (&["--store", "postgres"], 2, "store must be sqlite, memory, or redis://".into()),
        (&["--store", "http://u:marked@a:1"], 2, "store must be redis://[user:password@]host:port".into()),
        (&["--store", "redis://:mar/ked@a:1"], 2, "%XX".into()),
        (&["--store", &unreachable], 1, format!("127.0.0.1:{nobody}: Connection refused")),
        (&["--store", &unreachable, "--data", "/tmp"], 2, "--data has no meaning".into()),
        (&["--store", &unreachable, "--redis-replica-timeout-ms", "0"], 2, "redis-replica-timeout-ms".into()),
        (&["--store", &unreachable, "--redis-key-prefix", "{a}"], 2, "redis-key-prefix".into()),
        (&["--store", "redis://"], 2, "store must be".into()),
        (&["--store", &unreachable, "--redis-replicas", "x"], 2, "--redis-replicas".into()),
    ];
    for (arguments, code, said) in cases {
        let (actual, text) = error_of(&run(&[&key[..], arguments].concat()).await);
        assert_eq!(actual, Some(code), "{arguments:?}: {text}");
        assert!(text.contains(&said), "{arguments:?}: {text}");
        assert!(!text.contains("marked") && !text.contains("ked@"), "{text}");
    }
    let mut config = binary(&["config", "--sdk-app-id", "1", "--secret-key", "k"]);
    let output = config.env("MESSAGE_EXTENSIONS_STORE", &unreachable).output().await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let shown = format!("# store (set) redis://127.0.0.1:{nobody} # environment");
    assert!(printed.contains(&shown) && !printed.contains("marked"), "{printed}");
    let whole =
        run(&["config", "--sdk-app-id", "1", "--secret-key", "k", "--store", "redis://a:1,b:2"]).await;
    assert!(String::from_utf8(whole.stdout).unwrap().contains("store = \"redis://a:1,b:2\" # flag"));
    let help = binary(&["--help"]).env("MESSAGE_EXTENSIONS_STORE", &unreachable).output().await.unwrap();
    assert!(!String::from_utf8(help.stdout).unwrap().contains("marked"));
}

#[tokio::test]
async fn settings_of_the_servers_that_are_not_as_they_should_be_are_named_once() {
    let log = log_of(server(&cluster().url(), &prefix())).await;
    let lines = |name: &str| log.lines().filter(|line| line.contains(name)).count();
    assert_eq!(
        (lines("min-replicas-to-write is 0 and should be 1"), lines("appendonly is")),
        (1, 0),
        "{log}"
    );
    let log = log_of(server(&single().url(), &prefix())).await;
    assert!(!log.contains("min-replicas-to-write") && !log.contains("WARN"), "{log}");
    // As on managed services.
    let [port] = single().ports[..] else { unreachable!() };
    single().ask(port, "acl setuser guest on >marked ~* &* +@all -config");
    let log = log_of(server(&format!("redis://guest:marked@127.0.0.1:{port}"), &prefix())).await;
    assert_eq!(log.matches("settings cannot be seen").count(), 1, "{log}");
    assert!(!log.contains("WARN") && !log.contains("marked"), "{log}");
}

/// Starts a server with TLS and a password that needs to be escaped; what it is called, and who has signed its certificate.
async fn with_tls(dir: &std::path::Path) -> (Child, String) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    std::fs::write(dir.join("ca"), authority.self_signed(&authority_key).unwrap().pem()).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &issuer).unwrap();
    std::fs::write(dir.join("certificate"), certificate.pem()).unwrap();
    std::fs::write(dir.join("key"), key.serialize_pem()).unwrap();
    let port = free_ports(1)[0].to_string();
    let mut redis = Command::new("redis-server");
    redis.args(["--port", "0", "--tls-port", &port, "--bind", "127.0.0.1", "--requirepass", "mar/ked@"]);
    redis.args(["--tls-cert-file", "certificate", "--tls-key-file", "key", "--tls-ca-cert-file", "ca"]);
    redis.args(["--tls-auth-clients", "no", "--save", "", "--appendonly", "no"]);
    let child = redis.current_dir(dir).stdout(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    while tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (child, format!("localhost:{port}"))
}

#[tokio::test]
async fn tls_and_a_password_are_used_and_the_password_is_not_logged() {
    let dir = tempfile::tempdir().unwrap();
    let (_redis, host) = with_tls(dir.path()).await;
    let url = format!("rediss://:mar%2Fked%40@{host}");
    let mut command = server(&url, &prefix());
    command.env("SSL_CERT_FILE", dir.path().join("ca")).env_remove("SSL_CERT_DIR").env("RUST_LOG", "trace");
    let log = log_of(command).await;
    assert!(log.contains("appendonly is no and should be yes") && log.contains(&host), "{log}");
    assert!(!log.contains("mar%2F") && !log.contains("mar/ked"), "{log}");
    for (url, said) in [
        (format!("rediss://:marked@{host}"), "Password authentication failed"),
        (format!("rediss://{host}"), "NOAUTH"),
    ] {
        let mut command = server(&url, &prefix());
        command.env("SSL_CERT_FILE", dir.path().join("ca")).env_remove("SSL_CERT_DIR");
        let (code, text) = error_of(&command.output().await.unwrap());
        assert!(code == Some(1) && text.contains(&host) && text.contains(said), "{text}");
        assert!(!text.contains("marked"), "{text}");
    }
}

#[tokio::test]
async fn a_message_moves_between_redis_and_elsewhere_and_back() {
    let (redis, ours, theirs) = (single(), prefix(), prefix());
    let url = redis.url();
    let (_child, api) = serve_on(redis, &ours).await;
    let name = api.c2c_message().await;
    api.ok("bob", SET, &set(&name, &[("k", "v", 0)])).await;
    let export = async |prefix: &str| {
        let field = |field: &str| match &name[field] {
            Value::String(text) => text.clone(),
            other => panic!("{other}"),
        };
        let (from, to, key) = (field("From_Account"), field("To_Account"), field("MsgKey"));
        let named = ["--from", &from, "--to", &to, "--msg-key", &key];
        run(&[&["export", "--store", &url, "--redis-key-prefix", prefix][..], &named].concat()).await
    };
    let lines = export(&ours).await.stdout;
    let (code, text) = error_of(&export(&theirs).await);
    assert!(code == Some(1) && text.contains(&format!("no such message on {url}")), "{text}");
    for said in ["the message is kept\n", "same content"] {
        let mut command = binary(&["import", "--store", &url, "--redis-key-prefix", &theirs]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&lines).await.unwrap();
        let output = child.wait_with_output().await.unwrap();
        assert!(String::from_utf8(output.stdout).unwrap().contains(said));
    }
    assert_eq!(export(&theirs).await.stdout, lines);
    let (code, text) = error_of(&run(&["backup", "--store", &url, "/nowhere/file"]).await);
    assert!(code == Some(2) && text.contains("own means"), "{text}");
}
