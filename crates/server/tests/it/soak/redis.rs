//! Two servers on one cluster, while many write through both and others are told by push: masters are killed, slots are moved.
//! Whatever was acknowledged is there, each Seq has one content, who has no answer gets one by asking again, and those who are
//! told end with what the servers hold.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use redis::FromRedisValue;
use serde_json::Value;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::follower::Follower;
use super::history::{Answered, History};
use super::{amount, done, group_messages, operation, seed, users};
use crate::client::{Api, GROUP_SET, query, with};
use crate::redis_process::serve_on;
use crate::redis_servers::Redis;

const WRITERS: usize = 8;
/// Each in a group of its own, so that every master has some.
const MESSAGES: usize = 8;
/// Keys of a message that everybody writes.
const SHARED: usize = 4;
const OBSERVER: &str = "observer";
/// Those who are told by push, half of them by each server.
const FOLLOWERS: usize = 4;
/// By then they know everything.
const TOLD: Duration = Duration::from_secs(60);

/// The cluster, two servers, and what was written so far.
struct World {
    redis: Arc<Redis>,
    /// They end with it.
    _servers: [Child; 2],
    apis: [Api; 2],
    messages: Vec<Value>,
    histories: Vec<History>,
    writers: Vec<Writer>,
    followers: Vec<Follower>,
    rng: Rng,
}

struct Writer {
    name: String,
    rng: Rng,
    known: HashMap<(usize, String), u64>,
    answered: Vec<(usize, Answered)>,
    /// The longest time from a write to its answer.
    pause: Duration,
}

impl Writer {
    fn next_write(&mut self) -> (usize, Value) {
        let message = self.rng.usize(0..MESSAGES);
        let mut keys: Vec<_> = (0..SHARED).map(|n| format!("shared {n}")).collect();
        keys.push(self.name.clone());
        let known = |key: &str| self.known.get(&(message, key.to_owned())).copied().unwrap_or(0);
        let operation = operation(&mut self.rng, keys, 3, 30, known);
        (message, operation)
    }

    /// One operation, asked for again under its request id until it is answered.
    async fn write(&mut self, apis: &[Api; 2], messages: &[Value]) {
        let (message, operation) = self.next_write();
        let url = format!("/v4/{GROUP_SET}?{}&requestid={:032x}", query(&self.name), self.rng.u128(..));
        let body = with(&messages[message], operation.clone()).to_string();
        let begun = Instant::now();
        let answer = loop {
            let api = &apis[self.rng.usize(0..2)];
            match api.http("POST", &url, &[], &body).await.map(|answer| answer.json()) {
                Ok(answer) if answer["ErrorCode"] != 10002 => break answer,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        self.pause = self.pause.max(begun.elapsed());
        for item in answer["ExtensionList"].as_array().into_iter().flatten() {
            let (key, seq) = (item["Extension"]["Key"].as_str(), item["Extension"]["Seq"].as_u64());
            self.known.insert((message, key.unwrap().into()), seq.unwrap());
        }
        self.answered.push((message, Answered { operation, author: self.name.clone(), answer }));
    }
}

impl World {
    async fn new() -> Self {
        let mut rng = Rng::with_seed(seed());
        let redis = Arc::new(spawn_blocking(Redis::cluster).await.unwrap());
        let prefix = format!("soak-{}:", fastrand::u64(..));
        let (one, two) = tokio::join!(serve_on(&redis, &prefix), serve_on(&redis, &prefix));
        let apis = [one.1, two.1];
        let mut members = users("writer", WRITERS);
        let writer = |name: &String| Writer {
            name: name.clone(),
            rng: rng.fork(),
            known: HashMap::new(),
            answered: Vec::new(),
            pause: Duration::ZERO,
        };
        let writers = members.iter().map(writer).collect();
        members.push(OBSERVER.into());
        let following = users("follower", FOLLOWERS);
        members.extend(following.iter().cloned());
        let mut messages = Vec::new();
        for n in 0..MESSAGES {
            messages.extend(group_messages(&apis[n % 2], &members, 1, &Value::Null).await);
        }
        let histories = messages.iter().map(|_| History::default()).collect();
        let mut followers = Vec::new();
        for (n, name) in following.iter().enumerate() {
            let addresses = [n, n + 1].map(|n| apis[n % 2].address);
            followers.push(Follower::connect(name, addresses, &messages).await);
        }
        Self { redis, _servers: [one.0, two.0], apis, messages, histories, writers, followers, rng }
    }

    /// Lets all write until `meanwhile` is over; then everything must fit together, seen through either server. The longest
    /// pause of any writer.
    async fn write_while(
        &mut self,
        meanwhile: impl FnOnce(&Redis, &AtomicUsize) + Send + 'static,
    ) -> Duration {
        let (stop, answers) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let writing: Vec<_> = std::mem::take(&mut self.writers)
            .into_iter()
            .map(|mut writer| {
                let apis = [0, 1].map(|n: usize| Api::new(self.apis[n].address));
                let (messages, stop, answers) =
                    (self.messages.clone(), Arc::clone(&stop), Arc::clone(&answers));
                tokio::spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        writer.write(&apis, &messages).await;
                        answers.fetch_add(1, Ordering::Relaxed);
                    }
                    writer
                })
            })
            .collect();
        let (end, until) = watch::channel(None);
        let follow = |follower: Follower| tokio::spawn(follower.follow(until.clone()));
        let following: Vec<_> = std::mem::take(&mut self.followers).into_iter().map(follow).collect();
        let redis = Arc::clone(&self.redis);
        let over = spawn_blocking(move || meanwhile(&redis, &answers)).await;
        stop.store(true, Ordering::Relaxed);
        over.unwrap();
        let mut answered: Vec<_> = self.messages.iter().map(|_| Vec::new()).collect();
        let mut pause = Duration::ZERO;
        for writer in writing {
            let mut writer = writer.await.unwrap();
            pause = pause.max(std::mem::take(&mut writer.pause));
            writer.answered.drain(..).for_each(|(message, one)| answered[message].push(one));
            self.writers.push(writer);
        }
        for ((history, answered), message) in self.histories.iter_mut().zip(answered).zip(&self.messages) {
            history.advance(answered);
            for api in &self.apis {
                history.check(api, OBSERVER, message).await;
            }
        }
        end.send(Some(self.histories.iter().map(History::latest_seq).collect())).unwrap();
        for follower in following {
            let follower = timeout(TOLD, follower).await.expect("everybody is told, in time").unwrap();
            for (known, history) in follower.known.iter().zip(&self.histories) {
                history.check_known(known);
            }
            self.followers.push(follower);
        }
        pause
    }

    /// How often followers had to come back, and the longest time that it took.
    fn returns(&self) -> String {
        let losses: usize = self.followers.iter().map(|follower| follower.losses).sum();
        let slowest = self.followers.iter().map(|follower| follower.slowest).max().unwrap_or_default();
        format!(
            "{FOLLOWERS} clients with push equal to the servers, back {losses} times, the slowest after {slowest:.0?}"
        )
    }

    fn seqs(&self) -> u64 {
        self.histories.iter().map(History::latest_seq).sum()
    }
}

fn more(answers: &AtomicUsize, count: usize) {
    let before = answers.load(Ordering::Relaxed);
    while answers.load(Ordering::Relaxed) < before + count {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Kills a master within a load; it comes back as a replica as soon as another one has its slots.
pub(super) fn kill(redis: &Redis, port: u16) {
    let (masters, begun) = (redis.masters().len(), Instant::now());
    redis.signal("-KILL", port);
    while redis.masters().len() < masters {
        assert!(begun.elapsed() < Duration::from_secs(60), "no replica takes over");
        std::thread::sleep(Duration::from_millis(20));
    }
    redis.restart(port);
    redis.settle();
}

#[tokio::test(flavor = "multi_thread")]
async fn masters_that_are_killed_take_nothing_acknowledged_along() {
    let kills = amount("SOAK_REDIS_KILLS", 1);
    let mut world = World::new().await;
    let mut pauses = Vec::new();
    for _ in 0..kills {
        let mut rng = world.rng.fork();
        let pause = world.write_while(move |redis, answers| {
            more(answers, 50 + rng.usize(0..200));
            let masters = redis.masters();
            kill(redis, masters[rng.usize(0..masters.len())]);
            more(answers, 50);
        });
        pauses.push(pause.await.as_millis());
    }
    pauses.sort_unstable();
    let (most, median) = (pauses[pauses.len() - 1], pauses[pauses.len() / 2]);
    done(format_args!(
        "{kills} masters killed, {} Seqs, the longest pause of a writer {median} ms (median), {most} ms (most); {}",
        world.seqs(),
        world.returns()
    ));
}

/// What a server answers; keys have line breaks, which `redis-cli` does not take.
fn ask<T: FromRedisValue>(port: u16, command: &str, more: &[Vec<u8>]) -> T {
    let mut connection = redis::Client::open(("127.0.0.1", port)).unwrap().get_connection().unwrap();
    let mut words = command.split(' ');
    let mut asked = redis::cmd(words.next().unwrap());
    for word in words {
        asked.arg(word);
    }
    asked.arg(more).query(&mut connection).unwrap()
}

/// Moves slots that have keys to the next master, key by key, so slowly that calls come in between. How many.
fn move_slots(redis: &Redis, most: usize) -> usize {
    let id = |port: u16| ask::<String>(port, "CLUSTER MYID", &[]);
    let masters = redis.masters();
    let mut moved = 0;
    for (n, from) in masters.iter().copied().enumerate() {
        let to = masters[(n + 1) % masters.len()];
        let keys: Vec<Vec<u8>> = ask(from, "KEYS *", &[]);
        let slots: BTreeSet<u16> = keys.into_iter().map(|key| ask(from, "CLUSTER KEYSLOT", &[key])).collect();
        for slot in slots.into_iter().take(most) {
            ask::<()>(to, &format!("CLUSTER SETSLOT {slot} IMPORTING {}", id(from)), &[]);
            ask::<()>(from, &format!("CLUSTER SETSLOT {slot} MIGRATING {}", id(to)), &[]);
            loop {
                let keys: Vec<Vec<u8>> = ask(from, &format!("CLUSTER GETKEYSINSLOT {slot} 2"), &[]);
                if keys.is_empty() {
                    break;
                }
                // An empty word: it is not one key.
                ask::<redis::Value>(from, &format!("MIGRATE 127.0.0.1 {to}  0 5000 KEYS"), &keys);
                std::thread::sleep(Duration::from_millis(5));
            }
            for port in [to, from] {
                ask::<()>(port, &format!("CLUSTER SETSLOT {slot} NODE {}", id(to)), &[]);
            }
            moved += 1;
        }
    }
    moved
}

/// Moves slots as operators do. How many.
fn reshard(redis: &Redis) -> usize {
    const SLOTS: usize = 1000;
    let masters = redis.masters();
    let id = |port: u16| ask::<String>(port, "CLUSTER MYID", &[]);
    let output = std::process::Command::new("redis-cli")
        .args(["--cluster", "reshard", &format!("127.0.0.1:{}", masters[0]), "--cluster-yes"])
        .args(["--cluster-from", &id(masters[0]), "--cluster-to", &id(masters[1])])
        .args(["--cluster-slots", &SLOTS.to_string(), "--cluster-pipeline", "2"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    SLOTS
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_that_move_under_load_take_nothing_along() {
    let rounds = amount("SOAK_REDIS_MOVES", 1);
    let mut world = World::new().await;
    let (moved, mut most) = (Arc::<AtomicUsize>::default(), Duration::ZERO);
    for _ in 0..rounds {
        let counted = Arc::clone(&moved);
        let pause = world.write_while(move |redis, answers| {
            more(answers, 50);
            counted.fetch_add(move_slots(redis, 8), Ordering::Relaxed);
            more(answers, 50);
            counted.fetch_add(reshard(redis), Ordering::Relaxed);
            more(answers, 50);
        });
        most = most.max(pause.await);
    }
    let moved = moved.load(Ordering::Relaxed);
    assert!(moved > 0);
    done(format_args!(
        "{moved} slots moved, {} Seqs, the longest pause of a writer {} ms; {}",
        world.seqs(),
        most.as_millis(),
        world.returns()
    ));
}
