//! A program that takes webhooks, as an operator would write one, and that can be made bad.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use ring::hmac;
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Notify, watch};

const PATIENCE: Duration = Duration::from_secs(30);

/// A request that came.
#[derive(Clone)]
pub(crate) struct Got {
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// What it was answered.
    pub(crate) status: u16,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn seq(&self) -> u64 {
        self.json()["Seq"].as_u64().unwrap()
    }

    pub(crate) fn is_of(&self, message: &Value) -> bool {
        let event = self.json();
        ["MsgKey", "GroupId", "MsgSeq"].iter().all(|name| event[name] == message[name])
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Which of the signatures were made with this key; by another implementation than the server's.
    pub(crate) fn signed_with(&self, key: &[u8]) -> Vec<bool> {
        use base64::Engine;
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let text =
            format!("{}.{}.{}", self.header("webhook-id"), self.header("webhook-timestamp"), self.body);
        let is_good = |signature: &str| {
            let signature = signature.strip_prefix("v1,").unwrap();
            let signature = base64::engine::general_purpose::STANDARD.decode(signature).unwrap();
            hmac::verify(&key, text.as_bytes(), &signature).is_ok()
        };
        self.header("webhook-signature").split(' ').map(is_good).collect()
    }
}

type Answer = Box<dyn FnMut(&Got) -> u16 + Send>;

struct Inner {
    answer: Mutex<Answer>,
    got: Mutex<Vec<Got>>,
    changed: Notify,
    open: watch::Sender<bool>,
    /// Requests that are being answered, by message, and how many there were at most.
    running: Mutex<(Vec<String>, usize)>,
    pub(crate) overlapped: Mutex<bool>,
}

/// Cheap to clone: each clone is the same receiver.
#[derive(Clone)]
pub(crate) struct Receiver(Arc<Inner>);

impl Receiver {
    pub(crate) fn new(answer: impl FnMut(&Got) -> u16 + Send + 'static) -> Self {
        Self(Arc::new(Inner {
            answer: Mutex::new(Box::new(answer)),
            got: Mutex::default(),
            changed: Notify::new(),
            open: watch::Sender::new(true),
            running: Mutex::default(),
            overlapped: Mutex::default(),
        }))
    }

    /// One that takes everything, and its URL.
    pub(crate) async fn start() -> (Self, String) {
        let receiver = Self::new(|_| 200);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        receiver.serve(listener);
        (receiver, url)
    }

    /// A port on which nobody listens yet, and which nobody else can take.
    pub(crate) fn port() -> (TcpSocket, SocketAddr) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    pub(crate) fn serve(&self, listener: TcpListener) {
        let router = self.router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    }

    pub(crate) fn router(&self) -> Router {
        let receiver = self.clone();
        Router::new().fallback(move |request: Request| async move { receiver.take(request).await })
    }

    async fn take(&self, request: Request) -> StatusCode {
        let (parts, body) = request.into_parts();
        assert_eq!(parts.method, "POST");
        let body = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
        let mut got = Got { target: parts.uri.to_string(), headers: parts.headers, body, status: 0 };
        let event = got.json();
        let message = format!("{} {} {}", event["MsgKey"], event["GroupId"], event["MsgSeq"]);
        {
            let mut running = self.0.running.lock().unwrap();
            *self.0.overlapped.lock().unwrap() |= running.0.contains(&message);
            running.0.push(message.clone());
            running.1 = running.1.max(running.0.len());
        }
        let mut open = self.0.open.subscribe();
        open.wait_for(|open| *open).await.unwrap();
        tokio::task::yield_now().await;
        self.0.running.lock().unwrap().0.retain(|other| *other != message);
        got.status = (self.0.answer.lock().unwrap())(&got);
        let status = StatusCode::from_u16(got.status).unwrap();
        self.0.got.lock().unwrap().push(got);
        self.0.changed.notify_one();
        status
    }

    /// Answers like this from now on.
    pub(crate) fn answer(&self, answer: impl FnMut(&Got) -> u16 + Send + 'static) {
        *self.0.answer.lock().unwrap() = Box::new(answer);
    }

    /// Whether it answers at all.
    pub(crate) fn open(&self, is_open: bool) {
        self.0.open.send_replace(is_open);
    }

    /// Everything that came, in the order in which it was answered.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.0.got.lock().unwrap().clone()
    }

    /// The Seqs of a message that were taken, in the order in which they were.
    pub(crate) fn taken(&self, message: &Value) -> Vec<u64> {
        let got = self.got();
        got.iter().filter(|got| got.status == 200 && got.is_of(message)).map(Got::seq).collect()
    }

    /// How many requests there were at a time, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.0.running.lock().unwrap().1
    }

    /// Whether there were ever two of one message at a time.
    pub(crate) fn overlapped(&self) -> bool {
        *self.0.overlapped.lock().unwrap()
    }

    /// How many wait for their answer.
    pub(crate) fn held(&self) -> usize {
        self.0.running.lock().unwrap().0.len()
    }

    /// Waits until what came is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&[Got]) -> bool) {
        let waiting = async {
            while !is_so(&self.got()) {
                self.0.changed.notified().await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            let got: Vec<_> = self.got().iter().map(|got| (got.status, got.seq())).collect();
            panic!("{what}: {got:?}");
        }
    }

    /// Waits until so many webhooks of the message were taken.
    pub(crate) async fn until_taken(&self, message: &Value, count: usize) {
        let is_taken =
            |got: &[Got]| got.iter().filter(|got| got.status == 200 && got.is_of(message)).count() >= count;
        self.until("not all were taken", is_taken).await;
    }
}

/// Asks until it is so.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, asking).await.is_ok(), "{what}");
}
