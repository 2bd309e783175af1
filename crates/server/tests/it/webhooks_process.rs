//! Webhooks of the binary: its settings, its death, its log, https.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_rustls::TlsAcceptor;

use crate::client::{APP, Api, SECRET, SET, query, set};
use crate::process::{binary, error_of, run, start, terminate};
use crate::webhook_receiver::{Receiver, eventually};

const KEY: &str = "a key for webhooks";

fn serve(data: Option<&Path>, url: &str) -> Command {
    let mut command =
        binary(&["--listen", "127.0.0.1:0", "--sdk-app-id", &APP.to_string(), "--webhook", url]);
    match data {
        Some(data) => command.arg("--data").arg(data),
        None => command.args(["--store", "memory"]),
    };
    let unlimited =
        ["writes-per-minute", "user-writes-per-minute", "admin-calls-per-second", "user-calls-per-second"];
    for name in unlimited {
        command.args([&format!("--{name}"), "0"]);
    }
    command.env("MESSAGE_EXTENSIONS_SECRET_KEY", SECRET).env("MESSAGE_EXTENSIONS_WEBHOOK_SECRET", KEY);
    command.stderr(Stdio::null());
    command
}

async fn page(api: &Api) -> String {
    api.http("GET", "/metrics", &[], "").await.unwrap().body
}

#[tokio::test]
async fn every_acknowledged_change_is_told_also_when_the_server_was_killed() {
    const WRITERS: usize = 6;
    let dir = tempfile::tempdir().unwrap();
    let (taker, url) = Receiver::start().await;
    let (mut child, api, _) = start(&mut serve(Some(dir.path()), &url)).await;
    let mut messages = Vec::new();
    for _ in 0..WRITERS {
        messages.push((api.c2c_message().await, Arc::new(AtomicU64::new(0))));
    }
    let writers: Vec<_> = messages
        .iter()
        .map(|(message, acknowledged)| {
            let (api, message, acknowledged) = (api.clone(), message.clone(), Arc::clone(acknowledged));
            tokio::spawn(async move {
                let url = format!("/v4/{SET}?{}", query("bob"));
                loop {
                    let seq = acknowledged.load(Ordering::SeqCst);
                    let body = set(&message, &[("k", "v", seq)]).to_string();
                    let Ok(answer) = api.http("POST", &url, &[], &body).await else { return };
                    acknowledged.store(answer.json()["Seq"].as_u64().unwrap(), Ordering::SeqCst);
                }
            })
        })
        .collect();
    taker.until("some", |got| got.len() >= 50).await;
    // From now on changes wait, some of them in requests that are never answered.
    taker.open(false);
    let held = taker.got().len();
    let is_behind = async || {
        let acknowledged: u64 = messages.iter().map(|(_, seq)| seq.load(Ordering::SeqCst)).sum();
        acknowledged > held as u64 + 100
    };
    eventually("changes wait", is_behind).await;
    child.kill().await.unwrap();
    for writer in writers {
        writer.await.unwrap();
    }
    taker.open(true);
    let (_child, _api, _) = start(&mut serve(Some(dir.path()), &url)).await;
    for (message, acknowledged) in &messages {
        let last = acknowledged.load(Ordering::SeqCst);
        let is_there = |seq: u64| {
            taker.until("the last", move |got| got.iter().any(|got| got.is_of(message) && got.seq() >= seq))
        };
        is_there(last).await;
        // In order, but for those that come again.
        let mut next = 1;
        for seq in taker.taken(message) {
            assert!(seq <= next, "{seq} came before {next}");
            next = next.max(seq + 1);
        }
        assert!(next > last);
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_settings_is_said_and_nothing_private_with_it() {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"whsec_private!").unwrap();
    let file = file.path().to_str().unwrap();
    let url = ["--webhook", "https://user:private@chat.example/hook?token=private"];
    let secret = ["--webhook-secret", "private"];
    let cases: [(Vec<&str>, &str); 10] = [
        (url.to_vec(), "--webhook-secret-file"),
        ([&url[..], &["--previous-webhook-secret", "private"]].concat(), "--webhook-secret-file"),
        ([&["--webhook", "private/hook"], &secret[..]].concat(), "webhook must be a URL"),
        ([&["--webhook", "ftp://private/hook"], &secret[..]].concat(), "begins with http:// or https://"),
        ([&["--webhook", "http://a:private/"], &secret[..]].concat(), "webhook has a port"),
        (
            [&url[..], &["--webhook-secret", "whsec_private!"]].concat(),
            "webhook-secret is not base64 after whsec_",
        ),
        ([&url[..], &["--webhook-secret-file", file]].concat(), "webhook-secret is not base64 after whsec_"),
        ([&url[..], &secret[..], &["--webhook-secret-file", file]].concat(), "both given"),
        ([&url[..], &secret[..], &["--webhook-queue", "0"]].concat(), "webhook-queue must be at least 1"),
        ([&url[..], &secret[..], &["--webhook-max-age", "0"]].concat(), "webhook-max-age must be at least 1"),
    ];
    for (given, said) in cases {
        let server =
            ["--store", "memory", "--sdk-app-id", "1", "--secret-key", "k", "--listen", "127.0.0.1:0"];
        let (code, text) = error_of(&run(&[&server[..], &given].concat()).await);
        assert_eq!(code, Some(2), "{given:?}: {text}");
        assert!(text.contains(said) && !text.contains("private"), "{given:?}: {text}");
        assert_eq!(text.trim().lines().count(), 1, "{text}");
    }
}

#[tokio::test]
async fn config_shows_where_to_and_nothing_private() {
    let settings = |url| {
        let (app, key) = (["--sdk-app-id", "1", "--secret-key", "k"], ["--webhook-secret", "private"]);
        [&["config", "--store", "memory", "--webhook", url][..], &app, &key].concat()
    };
    for (url, line) in [
        (
            "https://user:private@chat.example/hook?token=private",
            "# webhook (set) https://chat.example/hook?… # flag",
        ),
        ("https://chat.example/hook", "webhook = \"https://chat.example/hook\" # flag"),
    ] {
        let printed = run(&settings(url)).await;
        let text = String::from_utf8(printed.stdout.clone()).unwrap();
        assert_eq!(error_of(&printed), (Some(0), String::new()));
        assert!(text.lines().any(|shown| shown == line), "{text}");
        assert!(text.contains("# webhook-secret (set) # flag") && !text.contains("private"), "{text}");
    }
}

#[tokio::test]
async fn the_log_says_once_that_the_receiver_is_ill_and_nothing_private() {
    let (taker, url) = Receiver::start().await;
    taker.answer(|_| 503);
    let url = url.replace("http://", "http://hook:the-password@") + "?token=the-token";
    let mut command = serve(None, &url);
    command.args(["--log-format", "json", "--previous-webhook-secret", "the key before it"]);
    command.args(["--webhook-queue", "5"]).env("RUST_LOG", "trace").stderr(Stdio::piped());
    let (child, api, _) = start(&mut command).await;
    let message = api.c2c_message().await;
    for seq in 0..20 {
        api.ok("bob", SET, &set(&message, &[("k", "a private value", seq)])).await;
    }
    let dropped = r#"message_extensions_webhooks_dropped_total{reason="queue"} 15"#;
    eventually("too many are dropped", async || page(&api).await.contains(dropped)).await;
    taker.answer(|_| 200);
    taker.until("the last", |got| got.last().is_some_and(|got| got.status == 200 && got.seq() == 20)).await;
    eventually("it is counted", async || {
        page(&api).await.contains("message_extensions_webhooks_waiting 0\n")
    })
    .await;
    terminate(&child);
    let log = String::from_utf8(child.wait_with_output().await.unwrap().stderr).unwrap();
    let private =
        ["the-password", "the-token", "the key before it", KEY, "a private value", "v1,", "aG9vazp0"];
    for private in private {
        assert!(!log.contains(private), "{private} is in the log");
    }
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said = |text: &str| -> Vec<&Value> {
        lines.iter().filter(|line| line["message"].as_str().is_some_and(|said| said.contains(text))).collect()
    };
    let [ill] = said("takes nothing")[..] else { panic!("{log}") };
    assert_eq!((&ill["level"], &ill["why"]), (&json!("WARN"), &json!("HTTP 503")));
    assert_eq!(said("answers again").len(), 1);
    let drops: Vec<u64> =
        said("were dropped").iter().map(|line| line["too_many"].as_u64().unwrap()).collect();
    assert!(drops.iter().sum::<u64>() == 15 && drops.len() <= 2, "{drops:?}");
}

/// Serves the receiver by https under a certificate of an authority of its own, which is returned as PEM.
fn serve_https(taker: &Receiver, listener: TcpListener) -> String {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into())
        .unwrap();
    let (tls, router) = (TlsAcceptor::from(Arc::new(config)), taker.router());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (tls, service) = (tls.clone(), TowerToHyperService::new(router.clone()));
            tokio::spawn(async move {
                let Ok(stream) = tls.accept(stream).await else { return };
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    pem
}

#[tokio::test]
async fn an_https_receiver_must_have_a_certificate_of_an_authority_that_the_machine_knows() {
    let taker = Receiver::new(|_| 200);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/hook", listener.local_addr().unwrap().port());
    let mut known = NamedTempFile::new().unwrap();
    known.write_all(serve_https(&taker, listener).as_bytes()).unwrap();
    let other = Receiver::new(|_| 200);
    let mut unknown = NamedTempFile::new().unwrap();
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    unknown.write_all(serve_https(&other, elsewhere).as_bytes()).unwrap();
    let failed = r#"message_extensions_webhooks_failed_total{reason="connect"} 0"#;
    for (authority, is_known) in [(unknown.path(), false), (known.path(), true)] {
        let mut command = serve(None, &url);
        command.env("SSL_CERT_FILE", authority).env_remove("SSL_CERT_DIR");
        let (_child, api, _) = start(&mut command).await;
        let message = api.c2c_message().await;
        api.ok("bob", SET, &set(&message, &[("k", "v", 0)])).await;
        if is_known {
            taker.until_taken(&message, 1).await;
            assert!(taker.got()[0].signed_with(KEY.as_bytes())[0]);
        } else {
            eventually("it was tried", async || !page(&api).await.contains(failed)).await;
            assert_eq!(taker.got().len(), 0);
        }
    }
}

#[tokio::test]
async fn a_machine_without_authorities_refuses_an_https_receiver_with_words() {
    let empty = NamedTempFile::new().unwrap();
    let mut command = serve(None, "https://localhost:1/hook");
    command.env("SSL_CERT_FILE", empty.path()).env_remove("SSL_CERT_DIR").stderr(Stdio::piped());
    let output = tokio::time::timeout(Duration::from_secs(20), command.output()).await.unwrap().unwrap();
    let (code, text) = error_of(&output);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("certificates of authorities"), "{text}");
}
