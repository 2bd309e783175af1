//! The nginx of `docs/operating.md`, where there is one.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use message_extensions_core::usersig;
use serde_json::Value;
use tokio::time::sleep;

use crate::client::{APP, SECRET, SEND, message, now};
use crate::process::serve;

const PAGE: &str = include_str!("../../../../docs/operating.md");

fn has(program: &str, version: &str) -> bool {
    Command::new(program).arg(version).output().is_ok_and(|output| output.status.success())
}

fn curl(arguments: &[&str]) -> Output {
    Command::new("curl").args(["-sk", "--max-time", "2"]).args(arguments).output().unwrap()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The page's sample, for these ports and with its files in `dir`.
fn sample(dir: &Path, port: u16, upstream: &str) -> String {
    let (_, rest) = PAGE.split_once("<!-- nginx -->\n```nginx\n").unwrap();
    let mut sample = rest.split_once("```").unwrap().0.to_owned();
    let dir = dir.display();
    let changes = [
        ("listen 443", format!("listen 127.0.0.1:{port}")),
        ("127.0.0.1:8080", upstream.to_owned()),
        ("/etc/ssl", dir.to_string()),
        ("/var/log/nginx", dir.to_string()),
    ];
    for (there, here) in changes {
        assert!(sample.contains(there), "{there}");
        sample = sample.replace(there, &here);
    }
    format!(
        "daemon off;\nmaster_process off;\npid {dir}/nginx.pid;\nerror_log {dir}/error.log;\nevents {{}}\nhttp {{\n\
         client_body_temp_path {dir};\nproxy_temp_path {dir};\nfastcgi_temp_path {dir};\nuwsgi_temp_path {dir};\n\
         scgi_temp_path {dir};\n{sample}\n}}\n"
    )
}

#[tokio::test]
async fn https_and_wss_work_through_the_nginx_of_the_guide_and_signatures_stay_out_of_its_log() {
    if !has("nginx", "-v") || !has("openssl", "version") || !has("curl", "--version") {
        eprintln!("not tested: needs nginx, openssl and curl");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (_server, api) = serve(&dir.path().join("data")).await;
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (key, certificate) = (file("chat.example.key"), file("chat.example.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=chat.example", "-days", "1"])
        .args(["-keyout", &key, "-out", &certificate])
        .output()
        .unwrap();
    assert!(made.status.success());
    let port = free_port();
    std::fs::write(file("nginx.conf"), sample(dir.path(), port, &api.address.to_string())).unwrap();
    let mut nginx = tokio::process::Command::new("nginx");
    nginx.args(["-c", &file("nginx.conf"), "-p", &file("")]).kill_on_drop(true);
    let mut nginx = nginx.spawn().unwrap();
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(nginx.try_wait().unwrap().is_none(), "nginx has ended");
        sleep(Duration::from_millis(50)).await;
    }

    let query = |user: &str| {
        let signature = usersig::sign(APP, SECRET.as_bytes(), user, now(), 60);
        format!("sdkappid={APP}&identifier={user}&usersig={signature}")
    };
    let url = |path: &str| format!("https://127.0.0.1:{port}{path}");
    let body = message(serde_json::json!({"From_Account": "alice", "To_Account": "bob"})).to_string();
    let sent = curl(&[&url(&format!("/v4/{SEND}?{}", query("administrator"))), "-d", &body]);
    let reply: Value = serde_json::from_slice(&sent.stdout).unwrap();
    assert_eq!(reply["ErrorCode"], 0, "{reply}");

    // curl knows no WebSocket, but shows what comes.
    let upgrade = ["--http1.1", "-i", "-N", "-H", "Connection: Upgrade", "-H", "Upgrade: websocket"];
    let of_websocket =
        ["-H", "Sec-WebSocket-Version: 13", "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
    let push = url(&format!("/v4/push?{}", query("bob")));
    let shown = curl(&[&upgrade[..], &of_websocket, &[&push]].concat());
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.starts_with("HTTP/1.1 101 ") && shown.contains(r#"{"Type":"ready"}"#), "{shown}");

    std::fs::write(file("large"), vec![b' '; 2 << 20]).unwrap();
    let large = curl(&[&url(&format!("/v4/{SEND}?{}", query("bob"))), "-d", &format!("@{}", file("large"))]);
    let reply: Value = serde_json::from_slice(&large.stdout).unwrap();
    assert_eq!(reply["ErrorCode"], 60002);

    for path in ["/metrics", "/readyz"] {
        let status = curl(&["-o", "/dev/null", "-w", "%{http_code}", &url(path)]);
        assert_eq!(String::from_utf8_lossy(&status.stdout), "404", "{path}");
    }
    // Told to stop, not killed, so that its log is whole.
    let stopped = Command::new("kill").arg(nginx.id().unwrap().to_string()).status().unwrap();
    assert!(stopped.success() && nginx.wait().await.unwrap().success());
    let log = std::fs::read_to_string(file("message-extensions.log")).unwrap();
    assert!(log.contains(SEND) && !log.contains("usersig") && !log.contains("eJ"), "{log}");
    let errors = std::fs::read_to_string(file("message-extensions.error.log")).unwrap();
    assert!(!errors.contains("usersig"), "{errors}");
}
