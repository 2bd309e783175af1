//! A client that is told of changes by push: it takes each as the next one, and when its connection is lost it goes to the
//! other server and resumes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::client::with;
use crate::socket::Socket;

/// Between two attempts to come back.
const PAUSE: Duration = Duration::from_millis(50);

/// What it knows of one message.
#[derive(Default)]
pub(super) struct Known {
    pub(super) latest_seq: u64,
    /// What was known when it resumed, and what that has said, may still be on its way as events.
    resumed_seq: u64,
    /// The keys that have a value, with their Seqs.
    pub(super) entries: BTreeMap<String, (String, u64)>,
}

impl Known {
    /// An event, which must be the next one.
    fn apply(&mut self, event: &Value) {
        if event["Seq"].as_u64().unwrap() <= self.resumed_seq {
            return;
        }
        assert_eq!(event["Seq"], self.latest_seq + 1, "{event}");
        self.latest_seq += 1;
        if event["OperateType"] == 3 {
            self.entries.clear();
        }
        self.merge(&event["ExtensionList"]);
    }

    /// A part of what a resume says.
    fn resumed(&mut self, state: &Value) {
        let cleared = state["ClearSeq"].as_u64().unwrap_or(0);
        self.entries.retain(|_, (_, seq)| *seq > cleared);
        self.merge(&state["ExtensionList"]);
        if state["CompleteFlag"] == 1 {
            self.latest_seq = state["LatestSeq"].as_u64().unwrap();
        }
    }

    fn merge(&mut self, list: &Value) {
        for item in list.as_array().into_iter().flatten() {
            let text = |name: &str| item[name].as_str().unwrap().to_owned();
            if item["Value"] == "" {
                self.entries.remove(&text("Key"));
            } else {
                self.entries.insert(text("Key"), (text("Value"), item["Seq"].as_u64().unwrap()));
            }
        }
    }
}

pub(super) struct Follower {
    name: String,
    addresses: [SocketAddr; 2],
    /// Of a group each.
    messages: Vec<Value>,
    pub(super) known: Vec<Known>,
    socket: Socket,
    /// How often its connection was lost, and the longest time until it was up to date with another one.
    pub(super) losses: usize,
    pub(super) slowest: Duration,
}

impl Follower {
    /// Connected to the first of the servers.
    pub(super) async fn connect(name: &str, addresses: [SocketAddr; 2], messages: &[Value]) -> Self {
        Self {
            name: name.to_owned(),
            addresses,
            messages: messages.to_vec(),
            known: messages.iter().map(|_| Known::default()).collect(),
            socket: Socket::login(addresses[0], name).await,
            losses: 0,
            slowest: Duration::ZERO,
        }
    }

    /// Follows until it knows of each message what is told on the way: how far it is to come.
    pub(super) async fn follow(mut self, mut until: watch::Receiver<Option<Vec<u64>>>) -> Self {
        loop {
            let knows = |latest: &Vec<u64>| {
                latest.iter().zip(&self.known).all(|(latest, known)| known.latest_seq >= *latest)
            };
            if until.borrow_and_update().as_ref().is_some_and(knows) {
                return self;
            }
            let event = tokio::select! {
                event = self.socket.event_unless_gone() => event,
                told = until.changed() => {
                    told.unwrap();
                    continue;
                }
            };
            match event {
                Some(event) => self.apply(&event),
                None => self.come_back().await,
            }
        }
    }

    fn apply(&mut self, event: &Value) {
        if let Some(n) = self.messages.iter().position(|message| is_of(event, message)) {
            self.known[n].apply(event);
        }
    }

    async fn come_back(&mut self) {
        let lost = Instant::now();
        self.losses += 1;
        loop {
            self.addresses.swap(0, 1);
            if let Some(socket) = Socket::try_login(self.addresses[0], &self.name).await {
                self.socket = socket;
                if self.resume().await {
                    break;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.slowest = self.slowest.max(lost.elapsed());
    }

    /// Whether all is up to date.
    async fn resume(&mut self) -> bool {
        let named = self.messages.iter().zip(&self.known);
        let named: Vec<_> =
            named.map(|(message, known)| with(message, json!({"LatestSeq": known.latest_seq}))).collect();
        self.socket.resume(&named).await;
        let Some(frames) = self.socket.resumed_frames_unless_gone().await else { return false };
        let mut is_all = true;
        for state in frames.iter().flat_map(|(frame, _)| frame["Messages"].as_array().unwrap()) {
            match self.messages.iter().position(|message| is_of(state, message)) {
                Some(n) if state["ErrorCode"].is_null() => self.known[n].resumed(state),
                _ => is_all = false,
            }
        }
        self.known.iter_mut().for_each(|known| known.resumed_seq = known.latest_seq);
        is_all
    }
}

fn is_of(told: &Value, message: &Value) -> bool {
    ["GroupId", "MsgSeq"].iter().all(|field| told[*field] == message[*field])
}
