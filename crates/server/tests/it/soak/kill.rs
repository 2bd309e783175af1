//! The server is killed again and again while many write; each time it comes back with all that it has acknowledged, and
//! those who have no answer yet get one by asking again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use serde_json::Value;
use tokio::process::Child;
use tokio::task::JoinHandle;

use super::history::{Answered, History};
use super::{amount, done, group_messages, operation, seed, users};
use crate::client::{Api, GROUP_GET, GROUP_SET, query, with};
use crate::process::{UNLIMITED, serve_with};
use crate::socket::Socket;
use crate::webhook_receiver::{Got, Receiver};

const WRITERS: usize = 24;
const MESSAGES: usize = 3;
/// Keys of a message that everybody writes.
const SHARED: usize = 5;
/// Answers that a writer asks for again; with the open one they are fewer than the server remembers.
const ASKED_AGAIN: usize = 4;
const OBSERVER: &str = "observer";

/// An operation that is sent under one request id, however often.
#[derive(Clone)]
struct Write {
    message: usize,
    request_id: u128,
    operation: Value,
}

struct Writer {
    name: String,
    rng: Rng,
    /// The Seq of a key of a message, as answers told it.
    known: HashMap<(usize, String), u64>,
    /// Was sent, and not answered.
    open: Option<Write>,
    recent: VecDeque<(Write, Value)>,
    answered: Vec<(usize, Answered)>,
}

impl Writer {
    fn new(name: String, rng: Rng) -> Self {
        let (known, recent) = (HashMap::new(), VecDeque::new());
        Self { name, rng, known, open: None, recent, answered: Vec::new() }
    }

    fn next_write(&mut self) -> Write {
        let message = self.rng.usize(0..MESSAGES);
        let mut keys: Vec<_> = (0..SHARED).map(|n| format!("shared {n}")).collect();
        keys.push(self.name.clone());
        let known = |key: &str| self.known.get(&(message, key.to_owned())).copied().unwrap_or(0);
        let operation = operation(&mut self.rng, keys, 3, 30, known);
        Write { message, request_id: self.rng.u128(..), operation }
    }

    /// `None`: there is no answer, and nobody knows whether it was done.
    async fn send(&self, api: &Api, messages: &[Value], write: &Write) -> Option<Value> {
        let url = format!("/v4/{GROUP_SET}?{}&requestid={:032x}", query(&self.name), write.request_id);
        let body = with(&messages[write.message], write.operation.clone()).to_string();
        Some(api.http("POST", &url, &[], &body).await.ok()?.json())
    }

    fn take(&mut self, write: Write, answer: Value) {
        for item in answer["ExtensionList"].as_array().into_iter().flatten() {
            let (key, seq) = (item["Extension"]["Key"].as_str(), item["Extension"]["Seq"].as_u64());
            self.known.insert((write.message, key.unwrap().into()), seq.unwrap());
        }
        let operation = write.operation.clone();
        let one = Answered { operation, author: self.name.clone(), answer: answer.clone() };
        self.answered.push((write.message, one));
        self.recent.push_back((write, answer));
        if self.recent.len() > ASKED_AGAIN {
            self.recent.pop_front();
        }
    }

    async fn write_until_killed(mut self, api: Api, messages: Vec<Value>, answers: Arc<AtomicUsize>) -> Self {
        loop {
            let write = self.next_write();
            let answer = if self.rng.u8(0..8) == 0 {
                // As a client whose patience was short.
                let both = [(); 2].map(|()| self.send(&api, &messages, &write));
                let mut answers: Vec<_> = join_all(both).await.into_iter().flatten().collect();
                assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
                answers.pop()
            } else {
                self.send(&api, &messages, &write).await
            };
            match answer {
                Some(answer) => {
                    self.take(write, answer);
                    answers.fetch_add(1, Ordering::Relaxed);
                }
                None => {
                    self.open = Some(write);
                    return self;
                }
            }
        }
    }

    /// Asks again for what was not answered, and for what was: that is answered as the first time. True: the first was
    /// done, though it had not been answered.
    async fn ask_again(&mut self, api: &Api, messages: &[Value], latest: &[u64]) -> bool {
        for (write, answer) in &self.recent {
            let again = self.send(api, messages, write).await;
            assert_eq!(again.as_ref(), Some(answer), "{} by {}", write.operation, self.name);
        }
        let Some(write) = self.open.take() else { return false };
        let answer = self.send(api, messages, &write).await.unwrap();
        let before = latest[write.message];
        self.take(write, answer);
        self.answered.last().is_some_and(|(_, one)| one.is_accepted() && one.seq() <= before)
    }
}

/// All changes that a connection is told of, by message, until it ends.
fn listen(mut socket: Socket, messages: &[Value]) -> JoinHandle<Vec<Vec<Value>>> {
    let messages = messages.to_vec();
    tokio::spawn(async move {
        let mut events = vec![Vec::new(); messages.len()];
        while let Some(event) = socket.event_unless_gone().await {
            let of = messages.iter().position(|message| message["MsgSeq"] == event["MsgSeq"]);
            events[of.unwrap()].push(event);
        }
        events
    })
}

struct Counts {
    acknowledged: usize,
    done_unanswered: usize,
    pushed: usize,
}

/// The server is back: everything is asked for again, and then all must fit together.
async fn settle(
    api: &Api,
    messages: &[Value],
    writers: &mut [Writer],
    histories: &mut [History],
    pushed: Vec<Vec<Value>>,
    counts: &mut Counts,
) {
    let mut latest = Vec::new();
    for message in messages {
        latest.push(api.ok(OBSERVER, GROUP_GET, message).await["LatestSeq"].as_u64().unwrap());
    }
    counts.acknowledged += writers.iter().map(|writer| writer.answered.len()).sum::<usize>();
    let asked = join_all(writers.iter_mut().map(|writer| writer.ask_again(api, messages, &latest))).await;
    counts.done_unanswered += asked.into_iter().filter(|was_done| *was_done).count();

    let mut answered: Vec<_> = messages.iter().map(|_| Vec::new()).collect();
    for (message, one) in writers.iter_mut().flat_map(|writer| writer.answered.drain(..)) {
        answered[message].push(one);
    }
    for (history, answered) in histories.iter_mut().zip(answered) {
        history.advance(answered);
    }
    for (history, message) in histories.iter().zip(messages) {
        history.check(api, OBSERVER, message).await;
    }
    for (history, events) in histories.iter().zip(pushed) {
        counts.pushed += events.len();
        history.check_events(&events);
    }
}

/// Lets all of them write, and kills the server at some moment. What was pushed meanwhile.
async fn write_and_kill(
    mut child: Child,
    api: &Api,
    messages: &[Value],
    writers: &mut Vec<Writer>,
    rng: &mut Rng,
) -> Vec<Vec<Value>> {
    let listening = listen(Socket::login(api.address, OBSERVER).await, messages);
    let answers = Arc::<AtomicUsize>::default();
    let begin = |writer: Writer| {
        // Each has a connection of its own.
        let (api, messages, answers) = (Api::new(api.address), messages.to_vec(), Arc::clone(&answers));
        tokio::spawn(writer.write_until_killed(api, messages, answers))
    };
    let writing: Vec<_> = writers.drain(..).map(begin).collect();
    // After so many answers, and then somewhere within a turn.
    let enough = rng.usize(1..300);
    while answers.load(Ordering::Relaxed) < enough {
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_micros(rng.u64(0..20_000))).await;
    child.kill().await.unwrap();
    for writer in writing {
        writers.push(writer.await.unwrap());
    }
    listening.await.unwrap()
}

/// Every change there was has been told, in the order of Seq; some of them again, after a kill.
async fn check_webhooks(receiver: &Receiver, messages: &[Value], histories: &[History]) -> usize {
    for (message, history) in messages.iter().zip(histories) {
        let latest = history.latest_seq();
        receiver
            .until("the last change was not told", |got| {
                got.iter().any(|got| got.is_of(message) && got.seq() == latest)
            })
            .await;
        let mut told = Vec::new();
        for event in receiver.got().iter().filter(|got| got.is_of(message)).map(Got::json) {
            if event["Seq"].as_u64().unwrap() > told.len() as u64 {
                told.push(event);
            }
        }
        history.check_events(&told);
        assert_eq!((told[0]["Seq"].as_u64(), told.len() as u64), (Some(1), latest));
    }
    receiver.got().len()
}

#[tokio::test]
async fn killed_again_and_again_it_loses_nothing_acknowledged_and_gives_each_seq_once() {
    let (kills, seed) = (amount("SOAK_KILLS", 3), seed());
    let mut rng = Rng::with_seed(seed);
    let dir = tempfile::tempdir().unwrap();
    let (receiver, url) = Receiver::start().await;
    let flags = [&UNLIMITED[..], &["--webhook", &url, "--webhook-secret", "a key"]].concat();
    let (mut child, mut api) = serve_with(dir.path(), &flags).await;
    let mut members = users("writer", WRITERS);
    let mut writers: Vec<_> = members.iter().map(|name| Writer::new(name.clone(), rng.fork())).collect();
    members.push(OBSERVER.into());
    let messages = group_messages(&api, &members, MESSAGES, &Value::Null).await;
    let mut histories: Vec<_> = messages.iter().map(|_| History::default()).collect();
    let mut counts = Counts { acknowledged: 0, done_unanswered: 0, pushed: 0 };
    for _ in 0..kills {
        let pushed = write_and_kill(child, &api, &messages, &mut writers, &mut rng).await;
        (child, api) = serve_with(dir.path(), &flags).await;
        settle(&api, &messages, &mut writers, &mut histories, pushed, &mut counts).await;
    }
    let webhooks = check_webhooks(&receiver, &messages, &histories).await;
    let seqs: u64 = histories.iter().map(History::latest_seq).sum();
    assert!(seqs > 0 && counts.pushed > 0, "nothing was written before any of the kills");
    let Counts { acknowledged, done_unanswered, pushed } = counts;
    done(format_args!(
        "{kills} kills, {acknowledged} answers before them, {seqs} Seqs, {done_unanswered} done but not answered, \
         {pushed} pushed, {webhooks} webhooks, seed {seed}"
    ));
}
