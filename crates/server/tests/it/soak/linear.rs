//! Sets, deletes, clears and pulls of many users through two servers on one cluster, judged by somebody else's checker of
//! linearizability. What one message is, the law says.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use fastrand::Rng;
use message_extensions_core::law::{Entry, Message, Operation, Terms, Writer};
use message_extensions_core::limits::Limits;
use message_extensions_core::wire::SetRequest;
use message_extensions_server::store::{
    Archive, C2cPage, Commit, Group, Inserted, Loaded, MessageName, NewGroup, NewMessage, RedisStore, Store,
    StoreError, StoredMessage, Trimmed, Webhook,
};
use serde_json::{Value, json};
use todc_utils::{Action, History, Specification, WGLChecker};
use tokio::task::spawn_blocking;

use super::redis::kill;
use super::{amount, done, group_messages, seed, users};
use crate::client::{Api, GROUP_GET, GROUP_SET, Server, config, query, with};
use crate::redis_process::serve_on;
use crate::redis_servers::{Redis, cluster};

const USERS: usize = 6;
const KEYS: usize = 4;
/// Of each user in a window: with the first and the last they are fewer than 1,000.
const OPERATIONS: usize = 160;

/// An operation with what it was answered.
#[derive(Debug, Clone)]
enum Done {
    /// It has not been answered yet.
    Open,
    /// What the message was when the window began.
    Begin(Message),
    Write {
        operation: Operation,
        author: String,
        answer: Value,
    },
    Pull {
        start: u64,
        answer: Value,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct State(Message);

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.latest_seq, self.0.clear_seq).hash(state);
    }
}

/// The law on one message.
struct Law;

impl Specification for Law {
    type State = State;
    type Operation = Done;

    fn init() -> State {
        State(Message::default())
    }

    fn apply(done: &Done, state: &State) -> (bool, State) {
        match done {
            Done::Open => (false, state.clone()),
            Done::Begin(message) => (true, State(message.clone())),
            Done::Pull { start, answer } => {
                let reply = serde_json::to_value(state.0.pull(*start).into_reply(false)).unwrap();
                (reply == *answer, state.clone())
            }
            Done::Write { operation, author, answer } => {
                let (writer, terms) = (Writer::new(author), Terms::new(&Limits::DEFAULT, 0));
                let decision = state.0.decide(operation, writer, terms).unwrap();
                let mut next = state.clone();
                if let Some(change) = &decision.change {
                    next.0.absorb(change);
                }
                let is_it = serde_json::to_value(decision.into_reply()).unwrap() == *answer;
                if is_it { (true, next) } else { (false, state.clone()) }
            }
        }
    }
}

type Actions = Vec<(usize, Action<Done>)>;

/// What happened, in the order in which it was seen.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Actions>>);

impl Recorder {
    fn add(&self, user: usize, action: Action<Done>) {
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
        let kind = match self.rng.u8(0..100) {
            0..=69 => 1,
            70..=94 => 2,
            _ => 3,
        };
        let mut keys: Vec<_> = (0..KEYS).map(|n| format!("key {n}")).collect();
        self.rng.shuffle(&mut keys);
        keys.truncate(if kind == 3 { 0 } else { self.rng.usize(1..3) });
        let mut item = |key: String| {
            let seq = self.known.get(&key).copied().unwrap_or(0);
            let value = if kind == 1 { format!("{:x}", self.rng.u32(..)) } else { String::new() };
            json!({"Key": key, "Value": value, "Seq": seq})
        };
        let list: Vec<_> = keys.into_iter().map(&mut item).collect();
        json!({"OperateType": kind, "ExtensionList": list})
    }

    async fn act(&mut self, apis: &[Api; 2], message: &Value, recorder: &Recorder) {
        recorder.add(self.number, Action::Call(Done::Open));
        let done = if self.rng.bool() {
            let operation = self.operation();
            let answer = self.ask(apis, GROUP_SET, &with(message, operation.clone())).await;
            assert_eq!(answer["ActionStatus"], "OK", "{answer}");
            self.learn(answer["ExtensionList"].as_array().unwrap().iter().map(|item| &item["Extension"]));
            let request: SetRequest = serde_json::from_value(operation).unwrap();
            let operation = Operation::parse(request, false, &Limits::DEFAULT).unwrap();
            Done::Write { operation, author: self.name.clone(), answer }
        } else {
            let start = u64::from(self.rng.bool());
            self.pull(apis, message, start).await
        };
        recorder.add(self.number, Action::Response(done));
    }

    async fn pull(&mut self, apis: &[Api; 2], message: &Value, start: u64) -> Done {
        let answer = self.ask(apis, GROUP_GET, &with(message, json!({"StartSeq": start}))).await;
        self.learn(answer["ExtensionList"].as_array().unwrap().iter());
        Done::Pull { start, answer }
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
    recorder.add(0, Action::Call(Done::Open));
    recorder.add(0, Action::Response(Done::Begin(before)));
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
    recorder.add(0, Action::Call(Done::Open));
    let last = all[0].pull(apis, message, 1).await;
    let Done::Pull { answer, .. } = &last else { unreachable!() };
    let after = state_of(answer);
    recorder.add(0, Action::Response(last));
    (std::mem::take(&mut *recorder.0.lock().unwrap()), after)
}

fn is_linearizable(actions: Actions) -> bool {
    WGLChecker::<Law>::is_linearizable(History::from_actions(actions))
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
        assert!(
            spawn_blocking(|| is_linearizable(actions)).await.unwrap(),
            "the window {n} is not linearizable"
        );
        taken += begun.elapsed();
    }
    done(format_args!(
        "{judged} operations in {windows} windows, {kills} masters killed meanwhile, {} Seqs: linearizable, judged in {} ms",
        state.latest_seq,
        taken.as_millis()
    ));
}

/// A store that takes what its node has seen last for what is there: a fault, as if nobody compared.
struct Unaware {
    inner: RedisStore,
    seen: Mutex<HashMap<i64, u64>>,
}

#[async_trait]
impl Store for Unaware {
    async fn last_commit(&self, message_no: i64) -> Result<Option<u64>, StoreError> {
        let seen = self.seen.lock().unwrap().get(&message_no).copied();
        if seen.is_some() { Ok(seen) } else { self.inner.last_commit(message_no).await }
    }
    async fn load(&self, message_no: i64) -> Result<Option<Loaded>, StoreError> {
        let loaded = self.inner.load(message_no).await?;
        if let Some(loaded) = &loaded {
            self.seen.lock().unwrap().insert(message_no, loaded.commit);
        }
        Ok(loaded)
    }
    async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        let (no, id) = (commit.message_no, commit.id);
        self.inner.commit(commit).await?;
        self.seen.lock().unwrap().insert(no, id);
        Ok(())
    }
    fn is_shared(&self) -> bool {
        true
    }
    async fn create_group(&self, group: NewGroup) -> Result<bool, StoreError> {
        self.inner.create_group(group).await
    }
    async fn destroy_group(&self, group_id: &str) -> Result<Option<HashSet<String>>, StoreError> {
        self.inner.destroy_group(group_id).await
    }
    async fn add_members(&self, group_id: &str, users: Vec<String>) -> Result<Option<Vec<bool>>, StoreError> {
        self.inner.add_members(group_id, users).await
    }
    async fn remove_members(
        &self,
        group_id: &str,
        users: Vec<String>,
    ) -> Result<Option<Vec<bool>>, StoreError> {
        self.inner.remove_members(group_id, users).await
    }
    async fn group(&self, group_id: &str) -> Result<Option<Group>, StoreError> {
        self.inner.group(group_id).await
    }
    async fn group_version(&self, group_id: &str) -> Result<Option<(i64, u64)>, StoreError> {
        self.inner.group_version(group_id).await
    }
    async fn insert_message(&self, message: NewMessage) -> Result<Option<Inserted>, StoreError> {
        self.inner.insert_message(message).await
    }
    async fn find_messages(&self, name: &MessageName) -> Result<Vec<StoredMessage>, StoreError> {
        self.inner.find_messages(name).await
    }
    async fn list_c2c(&self, page: C2cPage) -> Result<Vec<StoredMessage>, StoreError> {
        self.inner.list_c2c(page).await
    }
    async fn list_group(
        &self,
        group_no: i64,
        max_seq: Option<u64>,
        count: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        self.inner.list_group(group_no, max_seq, count).await
    }
    async fn latest_seq(&self, message_no: i64) -> Result<Option<u64>, StoreError> {
        self.inner.latest_seq(message_no).await
    }
    async fn answer(
        &self,
        message_no: i64,
        caller: &str,
        request_id: u128,
    ) -> Result<Option<String>, StoreError> {
        self.inner.answer(message_no, caller, request_id).await
    }
    async fn webhook_messages(&self, after: i64, count: usize) -> Result<Vec<i64>, StoreError> {
        self.inner.webhook_messages(after, count).await
    }
    async fn webhooks(&self, message_no: i64, count: usize) -> Result<Vec<Webhook>, StoreError> {
        self.inner.webhooks(message_no, count).await
    }
    async fn remove_webhooks(&self, received: Vec<(i64, u64)>) -> Result<usize, StoreError> {
        self.inner.remove_webhooks(received).await
    }
    async fn trim_webhooks(&self, keep: usize, since: u64) -> Result<Trimmed, StoreError> {
        self.inner.trim_webhooks(keep, since).await
    }
    async fn archive(&self, message_no: i64) -> Result<Option<Archive>, StoreError> {
        self.inner.archive(message_no).await
    }
    async fn expire(&self, before_ms: u64, count: usize) -> Result<Vec<StoredMessage>, StoreError> {
        self.inner.expire(before_ms, count).await
    }
    async fn close(&self) {
        self.inner.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_from_old_memory_is_found_out() {
    let begun = Instant::now();
    let mut rng = Rng::with_seed(seed());
    let servers = spawn_blocking(|| cluster().servers()).await.unwrap();
    let honest = RedisStore::connect(servers.clone()).await.unwrap();
    let unaware = Unaware { inner: RedisStore::connect(servers).await.unwrap(), seen: Mutex::default() };
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
