//! `demo`: the demo page on the packed package, on a server of its own, with a secret and a folder of this run only.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use message_extensions_core::usersig;
use serde_json::{Value, json};

use crate::package;
use crate::repo::{Repo, copy_folder, fresh_folder, remove, write};
use crate::run::Cmd;
use crate::setup::Ready;

const APP: u64 = 1_400_000_001;
const ADMIN: &str = "administrator";
/// The first two are side by side; the third joins in another tab.
const USERS: [&str; 3] = ["alice", "bob", "carol"];
/// The signatures last a week, seconds: longer than anybody leaves a demo running.
const EXPIRE: u64 = 7 * 24 * 3600;
/// The server must answer a call within this time.
const ANSWER: Duration = Duration::from_secs(20);
/// The server has this time to stop by itself.
const STOP: Duration = Duration::from_secs(5);

/// Serves the demo until Ctrl-C.
pub(crate) fn run(repo: &Repo, ready: &Ready, port: u16) -> Result<()> {
    let stop = stop_signal()?;
    let folder = repo.target().join("demo").join(random()?.get(..8).unwrap_or_default());
    let done = serve(repo, ready, port, &folder, &stop);
    remove(&folder)?;
    done
}

fn serve(repo: &Repo, ready: &Ready, port: u16, folder: &Path, stop: &Receiver<()>) -> Result<()> {
    let page = folder.join("page");
    let tarball = package::pack(repo, ready, &folder.join("npm"))?;
    fresh_folder(&page)?;
    copy_folder(&repo.path("www-demo"), &page)?;
    package::install(repo, ready, &tarball, &page)?;

    let secret = random()?;
    let mut server = Server::start(repo, ready, port, &secret, folder)?;
    let port = server.port;
    let group = format!("lunch-{}", random()?.get(..8).unwrap_or_default());
    create_group(port, &secret, &group)?;
    let users: Vec<Value> = USERS
        .iter()
        .map(|user| Ok(json!({ "userID": user, "userSig": sign(&secret, user)? })))
        .collect::<Result<_>>()?;
    let session = json!({ "sdkAppID": APP, "users": users, "groupID": group });
    write(&page.join("session.json"), session.to_string())?;

    println!("demo: http://127.0.0.1:{port}/");
    eprintln!("Ctrl-C stops it.");
    while stop.recv_timeout(Duration::from_millis(200)).is_err() {
        server.check_that_it_runs()?;
    }
    Ok(())
}

/// Something arrives when a person or another program wants this one to stop.
fn stop_signal() -> Result<Receiver<()>> {
    let (sender, receiver) = mpsc::channel();
    ctrlc::set_handler(move || sender.send(()).unwrap_or_default()).context("cannot listen for Ctrl-C")?;
    Ok(receiver)
}

/// 256 random bits, in hex.
fn random() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn sign(secret: &str, user: &str) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?.as_secs();
    Ok(usersig::sign(APP, secret.as_bytes(), user, now, EXPIRE))
}

/// The server of this run; stopped when this value goes away.
struct Server {
    child: Child,
    /// Kept open: the server may want to say more.
    output: BufReader<ChildStdout>,
    /// Where it listens.
    port: u16,
}

impl Server {
    /// Starts it, and waits until it listens.
    fn start(repo: &Repo, ready: &Ready, port: u16, secret: &str, folder: &Path) -> Result<Self> {
        let mut child = ready
            .cmd(repo, &repo.server().to_string_lossy())
            // Not as an argument, which everybody on the machine may read.
            .env("MESSAGE_EXTENSIONS_SECRET_KEY", secret)
            .env("RUST_LOG", std::env::var_os("RUST_LOG").unwrap_or_else(|| "warn".into()))
            .args(["--sdk-app-id", &APP.to_string(), "--listen", &format!("127.0.0.1:{port}")])
            .arg("--static")
            .arg(folder.join("page"))
            .arg("--data")
            .arg(folder.join("data"))
            .into_command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let output = child.stdout.take().context("the server has no output")?;
        let mut server = Self { child, output: BufReader::new(output), port };
        // It says so in its first line, and ends without one when it cannot.
        let mut line = String::new();
        server.output.read_line(&mut line)?;
        server.port = port_of(&line).with_context(|| {
            format!("the server does not listen on port {port}; if it is taken, `--port 0` finds a free one")
        })?;
        Ok(server)
    }

    fn check_that_it_runs(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server ended by itself: {status}");
        }
        Ok(())
    }
}

/// The port in `listening on http://127.0.0.1:8080`.
fn port_of(line: &str) -> Option<u16> {
    line.trim().strip_prefix("listening on http://")?.rsplit_once(':')?.1.parse().ok()
}

impl Drop for Server {
    /// Asks politely first: the server syncs its store.
    fn drop(&mut self) {
        let _ = Cmd::new("kill").arg("-TERM").arg(self.child.id().to_string()).read();
        let asked = Instant::now();
        while asked.elapsed() < STOP {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn create_group(port: u16, secret: &str, group: &str) -> Result<()> {
    let [owner, members @ ..] = USERS;
    let members = members.map(|member| json!({ "Member_Account": member }));
    let body = json!({
        "Owner_Account": owner, "Type": "Public", "Name": "Lunch", "GroupId": group,
        "MemberList": members,
    });
    let reply = call(port, secret, "group_open_http_svc/create_group", &body)?;
    if reply.get("ErrorCode") != Some(&json!(0)) {
        bail!("the server refused to create the group: {reply}");
    }
    Ok(())
}

/// One REST call as the admin. On loopback, once: no HTTP library for that.
fn call(port: u16, secret: &str, command: &str, body: &Value) -> Result<Value> {
    let (signature, body) = (sign(secret, ADMIN)?, body.to_string());
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(ANSWER))?;
    write!(
        stream,
        "POST /v4/{command}?sdkappid={APP}&identifier={ADMIN}&usersig={signature}&random=1&contenttype=json HTTP/1.1\r\n\
         Host: 127.0.0.1:{port}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).with_context(|| format!("no answer to {command}"))?;
    let (_, json) =
        reply.split_once("\r\n\r\n").with_context(|| format!("no HTTP reply to {command}: {reply}"))?;
    serde_json::from_str(json).with_context(|| format!("the answer to {command} is not JSON: {json}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_first_line_says_its_port() {
        assert_eq!(port_of("listening on http://127.0.0.1:41235\n"), Some(41235));
        assert_eq!(port_of(""), None);
    }

    #[test]
    fn a_signature_of_this_run_is_accepted_with_its_secret_only() {
        let (secret, other) = (random().unwrap(), random().unwrap());
        assert_ne!(secret, other);
        let signature = sign(&secret, "alice").unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!(usersig::verify(APP, &[secret.as_bytes()], "alice", &signature, now).is_ok());
        assert!(usersig::verify(APP, &[other.as_bytes()], "alice", &signature, now).is_err());
    }
}
