//! Sets, deletes, clears and pulls of many users through two servers on one cluster, judged by somebody else's checker of
//! linearizability. What one message is, the law says.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastrand::Rng;
use message_extensions_core::law::{Entry, Message};
use message_extensions_server::store::RedisStore;
use serde_json::{Value, json};
use todc_utils::{Action, History, Specification, WGLChecker};
use tokio::task::spawn_blocking;

use super::redis::kill;
use super::replay::{Done, Replay};
use super::{amount, done, group_messages, operation, seed, users};
use crate::client::{Api, GROUP_GET, GROUP_SET, Server, config, query, with};
use crate::flawed_store::FlawedStore;
use crate::redis_process::serve_on;
use crate::redis_servers::{Redis, cluster};

const USERS: usize = 6;
const KEYS: usize = 4;
/// Of each user in a window: with the first and the last they are fewer than 1,000.
const OPERATIONS: usize = 160;

/// What somebody does.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// It has not been answered yet.
    Open,
    /// What the message was when the window began.
    Begin(Replay),
    Done(Done),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct State(Replay);

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.message.latest_seq, self.0.message.clear_seq).hash(state);
    }
}

/// The law on one message.
struct Law;

impl Specification for Law {
    type State = State;
    type Operation = Act;

    fn init() -> State {
        State(Replay::default())
    }

    fn apply(act: &Act, state: &State) -> (bool, State) {
        match act {
            Act::Open => (false, state.clone()),
            Act::Begin(replay) => (true, State(replay.clone())),
            Act::Done(done) => {
                let mut next = state.clone();
                let is_it = next.0.check(done).is_ok();
                (is_it, if is_it { next } else { state.clone() })
            }
        }
    }
}

/// Who does what, in the order in which it was seen.
pub(super) type Actions = Vec<(usize, Action<Act>)>;

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Actions>>);

impl Recorder {
    fn add(&self, user: usize, action: Action<Act>) {
        self.0.lock().unwrap().push((user, action));
    }
}

struct User {
    number: usize,
    name: String,
    rng: Rng,
    known: HashMap<String, u64>,
}

impl User {
    /// The answer of one of the servers, asked for again until there is one.
    async fn ask(&mut self, apis: &[Api; 2], path: &str, body: &Value) -> Value {
        let url = format!("/v4/{path}?{}&requestid={:032x}", query(&self.name), self.rng.u128(..));
        loop {
            let api = &apis[self.rng.usize(0..2)];
            match api.http("POST", &url, &[], &body.to_string()).await.map(|answer| answer.json()) {
                Ok(answer) if answer["ErrorCode"] != 10002 => return answer,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn operation(&mut self) -> Value {
        let keys = (0..KEYS).map(|n| format!("key {n}")).collect();
        operation(&mut self.rng, keys, 2, 50, |key| self.known.get(key).copied().unwrap_or(0))
    }

    async fn act(&mut self, apis: &[Api; 2], message: &Value, recorder: &Recorder) {
        recorder.add(self.number, Action::Call(Act::Open));
        let done = if self.rng.bool() {
            let operation = self.operation();
            let answer = self.ask(apis, GROUP_SET, &with(message, operation.clone())).await;
            assert_eq!(answer["ActionStatus"], "OK", "{answer}");
            self.learn(answer["ExtensionList"].as_array().unwrap().iter().map(|item| &item["Extension"]));
            Done::write(&operation, &self.name, false, answer)
        } else {
            let start = u64::from(self.rng.bool());
            self.pull(apis, message, start).await
        };
        recorder.add(self.number, Action::Response(Act::Done(done)));
    }

    async fn pull(&mut self, apis: &[Api; 2], message: &Value, start: u64) -> Done {
        let answer = self.ask(apis, GROUP_GET, &with(message, json!({"StartSeq": start}))).await;
        self.learn(answer["ExtensionList"].as_array().unwrap().iter());
        Done::pull(start, false, answer)
    }

    fn learn<'a>(&mut self, items: impl Iterator<Item = &'a Value>) {
        let seqs = items.map(|item| (item["Key"].as_str().unwrap().into(), item["Seq"].as_u64().unwrap()));
        self.known.extend(seqs);
    }
}

/// What a whole pull shows, tombstones too.
fn state_of(answer: &Value) -> Message {
    let entry = |item: &Value| {
        let value = item["Value"].as_str().filter(|value| !value.is_empty()).map(str::to_owned);
        let entry = Entry { value, seq: item["Seq"].as_u64().unwrap(), author: String::new(), time: 0 };
        (item["Key"].as_str().unwrap().to_owned(), entry)
    };
    let entries: BTreeMap<_, _> = answer["ExtensionList"].as_array().unwrap().iter().map(entry).collect();
    Message::restore(answer["LatestSeq"].as_u64().unwrap(), answer["ClearSeq"].as_u64().unwrap(), entries)
}

/// All users act at once, and at the end one looks at everything. What happened, and the message then.
async fn window(
    apis: &[Api; 2],
    message: &Value,
    before: Message,
    all: &mut Vec<User>,
    operations: usize,
) -> (Actions, Message) {
    let recorder = Recorder::default();
    recorder.add(0, Action::Call(Act::Open));
    recorder.add(0, Action::Response(Act::Begin(Replay { message: before, rules: None })));
    let acting: Vec<_> = std::mem::take(all)
        .into_iter()
        .map(|mut user| {
            let apis = [0, 1].map(|n: usize| Api::new(apis[n].address));
            let (message, recorder) = (message.clone(), recorder.clone());
            tokio::spawn(async move {
                for _ in 0..operations {
                    user.act(&apis, &message, &recorder).await;
                }
                user
            })
        })
        .collect();
    for user in acting {
        all.push(user.await.unwrap());
    }
    recorder.add(0, Action::Call(Act::Open));
    let last = all[0].pull(apis, message, 1).await;
    let after = state_of(last.given());
    recorder.add(0, Action::Response(Act::Done(last)));
    (std::mem::take(&mut *recorder.0.lock().unwrap()), after)
}

pub(super) fn is_linearizable(actions: Actions) -> bool {
    WGLChecker::<Law>::is_linearizable(History::from_actions(actions))
}

/// For who has to find out why it is not.
fn print(actions: &Actions) {
    for (user, action) in actions {
        match action {
            Action::Call(_) => println!("{user} asks"),
            Action::Response(act) => println!("{user} {act:?}"),
        }
    }
}

fn people(rng: &mut Rng) -> (Vec<String>, Vec<User>) {
    let names = users("user", USERS);
    let user = |(number, name): (usize, &String)| User {
        number,
        name: name.clone(),
        rng: rng.fork(),
        known: HashMap::new(),
    };
    let all = names.iter().enumerate().map(user).collect();
    (names, all)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_servers_answer_is_linearizable() {
    let (windows, kills) = (amount("SOAK_LINEAR_WINDOWS", 2), amount("SOAK_LINEAR_KILLS", 0));
    let mut rng = Rng::with_seed(seed());
    let redis = Arc::new(spawn_blocking(Redis::cluster).await.unwrap());
    let prefix = format!("linear-{}:", fastrand::u64(..));
    let ((_one, one), (_two, two)) = tokio::join!(serve_on(&redis, &prefix), serve_on(&redis, &prefix));
    let apis = [one, two];
    let (names, mut all) = people(&mut rng);
    let message = group_messages(&apis[0], &names, 1, &Value::Null).await.remove(0);
    let (mut state, mut judged, mut taken) = (Message::default(), 0, Duration::ZERO);
    for n in 0..windows {
        let killing = (n < kills).then(|| {
            let redis = Arc::clone(&redis);
            // The one that has the message.
            let busiest = move |redis: &Redis| {
                let keys = |port: &u16| redis.ask(*port, "dbsize").trim().parse::<u64>().unwrap();
                redis.masters().into_iter().max_by_key(keys).unwrap()
            };
            spawn_blocking(move || kill(&redis, busiest(&redis)))
        });
        let (actions, after) = window(&apis, &message, state, &mut all, OPERATIONS).await;
        state = after;
        if let Some(killing) = killing {
            killing.await.unwrap();
        }
        judged += actions.len() / 2;
        let begun = Instant::now();
        let judging = actions.clone();
        if !spawn_blocking(|| is_linearizable(judging)).await.unwrap() {
            print(&actions);
            panic!("the window {n} is not linearizable");
        }
        taken += begun.elapsed();
    }
    done(format_args!(
        "{judged} operations in {windows} windows, {kills} masters killed meanwhile, {} Seqs: linearizable, judged in {} ms",
        state.latest_seq,
        taken.as_millis()
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_from_old_memory_is_found_out() {
    let begun = Instant::now();
    let mut rng = Rng::with_seed(seed());
    let servers = spawn_blocking(|| cluster().servers()).await.unwrap();
    let honest = RedisStore::connect(servers.clone()).await.unwrap();
    let unaware = FlawedStore::on(RedisStore::connect(servers).await.unwrap()).unaware();
    let (one, two) =
        (Server::on(config(), Arc::new(honest)).await, Server::on(config(), Arc::new(unaware)).await);
    let apis = [one.api.clone(), two.api.clone()];
    let (names, mut all) = people(&mut rng);
    let message = group_messages(&apis[0], &names, 1, &Value::Null).await.remove(0);
    let (mut state, mut judged) = (Message::default(), 0);
    loop {
        let (actions, after) = window(&apis, &message, state, &mut all, 20).await;
        state = after;
        judged += actions.len() / 2;
        if !spawn_blocking(|| is_linearizable(actions)).await.unwrap() {
            break;
        }
        assert!(judged < 10_000, "nobody noticed");
    }
    done(format_args!(
        "old memory found out after {judged} operations, {} ms with the start",
        begun.elapsed().as_millis()
    ));
    one.stop().await;
    two.stop().await;
}
