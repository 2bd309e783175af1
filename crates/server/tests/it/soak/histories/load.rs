//! Users who write and pull over sockets that fail, and remember what they asked, when, and what they were answered.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::super::{group_messages, operation, users};
use super::judge::{Asked, Call};
use crate::client::{ADMIN, Api, GROUP_GET, GROUP_SET, query, with};

/// Writes that a user asks for again; with the open one they are fewer than the server remembers.
const ASKED_AGAIN: usize = 4;

pub(super) const MESSAGES: usize = 3;

/// What is different from message to message.
pub(super) struct Kind {
    pub(super) rules: Value,
    keys: usize,
    /// Keys of one operation.
    most: usize,
    /// Of a thousand operations.
    clears: u16,
}

/// A few keys that all fight for; one on which there is never room for all; one that needs more than a page.
pub(super) fn kinds() -> [Kind; MESSAGES] {
    [
        Kind { rules: Value::Null, keys: 5, most: 3, clears: 30 },
        Kind { rules: json!({"MaxKeys": 8, "ClearBy": "any"}), keys: 16, most: 4, clears: 20 },
        Kind { rules: Value::Null, keys: 240, most: 20, clears: 2 },
    ]
}

/// What all users have in common.
pub(super) struct Common {
    pub(super) kinds: [Kind; MESSAGES],
    /// As requests name them.
    pub(super) messages: Vec<Value>,
    /// Each moment is another one.
    clock: AtomicU64,
    pub(super) answers: AtomicUsize,
    pub(super) unanswered: AtomicUsize,
}

impl Common {
    pub(super) fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }
}

pub(super) struct User {
    name: Arc<str>,
    /// With the signature, which takes its time.
    query: Arc<str>,
    rng: Rng,
    api: Api,
    known: HashMap<(usize, String), u64>,
    latest: [u64; MESSAGES],
    recent: VecDeque<(usize, Asked)>,
    /// By message.
    pub(super) calls: [Vec<Call>; MESSAGES],
}

/// So many users, the last of them an admin, with messages that the server at `direct` has of them; they reach it through
/// `entry`.
pub(super) async fn people(
    count: usize,
    direct: &Api,
    entry: SocketAddr,
    rng: &mut Rng,
) -> (Arc<Common>, Vec<User>) {
    let mut names = users("user", count - 1);
    let (kinds, mut messages) = (kinds(), Vec::new());
    for kind in &kinds {
        messages.extend(group_messages(direct, &names, 1, &kind.rules).await);
    }
    names.push(ADMIN.into());
    let (clock, answers, unanswered) = Default::default();
    let user = |name: String| User {
        query: query(&name).into(),
        name: name.into(),
        rng: rng.fork(),
        api: Api::new(entry),
        known: HashMap::new(),
        latest: [0; MESSAGES],
        recent: VecDeque::new(),
        calls: Default::default(),
    };
    let all = names.into_iter().map(user).collect();
    (Arc::new(Common { kinds, messages, clock, answers, unanswered }), all)
}

impl User {
    /// So many calls, one after the other.
    pub(super) async fn act(&mut self, common: &Common, calls: usize) {
        for _ in 0..calls {
            let message = self.rng.usize(0..MESSAGES);
            match self.rng.u8(0..100) {
                0..=54 => self.write(common, message).await,
                55..=64 if !self.recent.is_empty() => {
                    let (message, asked) = self.recent[self.rng.usize(0..self.recent.len())].clone();
                    self.ask(common, message, asked).await;
                }
                _ => {
                    let start = self.rng.u64(0..self.latest[message] + 2);
                    // All of it, with what was deleted, or what is new.
                    let start = [0, 1, start, self.latest[message]][self.rng.usize(0..4)];
                    self.pull(common, message, start).await;
                }
            }
        }
    }

    pub(super) const fn latest(&self, message: usize) -> u64 {
        self.latest[message]
    }

    pub(super) async fn pull(&mut self, common: &Common, message: usize, start: u64) {
        let with_author = self.rng.bool();
        self.ask(common, message, Asked::Pull { start, with_author }).await;
    }

    async fn write(&mut self, common: &Common, message: usize) {
        let Kind { keys, most, clears, .. } = &common.kinds[message];
        let keys = (0..*keys).map(|n| format!("key {n}")).collect();
        let known = |key: &str| self.known.get(&(message, key.to_owned())).copied().unwrap_or(0);
        let operation = operation(&mut self.rng, keys, *most, *clears, known);
        let asked = Asked::Write { request_id: self.rng.u128(..), operation };
        self.recent.push_back((message, asked.clone()));
        if self.recent.len() > ASKED_AGAIN {
            self.recent.pop_front();
        }
        if self.rng.u8(0..8) == 0 {
            // As a client whose patience was short.
            let (one, two) = (self.sender(), self.sender());
            let both = tokio::join!(one.ask(common, message, asked.clone()), two.ask(common, message, asked));
            self.take(common, message, both.0);
            self.take(common, message, both.1);
        } else {
            self.ask(common, message, asked).await;
        }
    }

    async fn ask(&mut self, common: &Common, message: usize, asked: Asked) {
        let call = self.sender().ask(common, message, asked).await;
        self.take(common, message, call);
    }

    fn sender(&mut self) -> Sender {
        Sender {
            user: Arc::clone(&self.name),
            query: Arc::clone(&self.query),
            api: self.api.clone(),
            rng: self.rng.fork(),
        }
    }

    fn take(&mut self, common: &Common, message: usize, call: Call) {
        common.answers.fetch_add(1, Ordering::Relaxed);
        common.unanswered.fetch_add(call.tries - 1, Ordering::Relaxed);
        let answer: Value = serde_json::from_str(&call.answer).unwrap();
        for item in answer["ExtensionList"].as_array().into_iter().flatten() {
            let item = if item["Extension"].is_null() { item } else { &item["Extension"] };
            self.known.insert((message, item["Key"].as_str().unwrap().into()), item["Seq"].as_u64().unwrap());
        }
        let seq = answer["LatestSeq"].as_u64().or(answer["Seq"].as_u64()).unwrap_or(0);
        self.latest[message] = self.latest[message].max(seq);
        self.calls[message].push(call);
    }
}

/// Whatever sends a request until it is answered.
struct Sender {
    user: Arc<str>,
    query: Arc<str>,
    api: Api,
    rng: Rng,
}

impl Sender {
    async fn ask(mut self, common: &Common, message: usize, asked: Asked) -> Call {
        let (path, id, body) = match &asked {
            Asked::Write { request_id, operation } => {
                (GROUP_SET, format!("&requestid={request_id:032x}"), operation.clone())
            }
            Asked::Pull { start, with_author } => {
                let body = json!({"StartSeq": start, "WithAuthor": u8::from(*with_author)});
                (GROUP_GET, String::new(), body)
            }
        };
        let url = format!("/v4/{path}?{}{id}", self.query);
        let body = with(&common.messages[message], body).to_string();
        let (mut tries, begun) = (0, common.now());
        let answer = loop {
            tries += 1;
            match self.api.http("POST", &url, &[], &body).await {
                Ok(answer) if answer.json()["ErrorCode"] != 10002 => break answer.body,
                _ => sleep(Duration::from_millis(self.rng.u64(0..10))).await,
            }
        };
        let (is_admin, user) = (*self.user == *ADMIN, self.user);
        Call { user, is_admin, asked, tries, begun, ended: common.now(), answer }
    }
}
