//! The engine without us: `redis-benchmark` has the masters run the commit script, with what one set through a node has
//! handed it (`MONITOR` has seen it).
//!
//! What differs from that set: each commit's id is random, and it stands on whatever was committed before it (no commit is named
//! as expected), at the Seq that is there, which it leaves. So the comparison passes each time, and everything is written as
//! it was, but for the message's place in the order of changes, which needs a later time. Many messages are as many as the
//! nodes' load has on a master, each with a group and a log of its own. Unlike a node, `redis-benchmark` does not wait for
//! replicas (`WAIT`), and asks nothing before.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use redis::FromRedisValue;
use serde_json::Value;

use super::{MESSAGES, Scene};
use crate::client::{Api, GROUP_SET, set};
use crate::redis_servers::Redis;
use crate::soak::group_messages;

const COMMIT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/redis/lua/commit.lua"));
/// What `redis-benchmark` puts twelve random digits for.
const RANDOM: &str = "__rand_int__";
/// How many messages of the load a master has: a third.
const EACH: usize = MESSAGES / 3;
/// How their numbers begin: as none of the store's does, which may have messages in the same bucket.
const NUMBERS: &str = "9999";
/// How many first, to see how many are to be asked for.
const FEW: f64 = 1000.0;

pub(super) struct Bare {
    masters: Vec<Master>,
    /// How many a second there were of each scene.
    known: [f64; 3],
}

struct Master {
    port: u16,
    /// `EVALSHA`, the script, keys and arguments; for many messages, and for one.
    calls: [Vec<String>; 2],
}

fn ask<T: FromRedisValue>(port: u16, words: &[&str]) -> Result<T, redis::RedisError> {
    let mut connection = redis::Client::open(("127.0.0.1", port))?.get_connection()?;
    redis::cmd(words[0]).arg(&words[1..]).query(&mut connection)
}

/// The words of a line of `MONITOR`: each in quotes, and escaped.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut chars) = (Vec::new(), line.chars());
    while chars.by_ref().any(|c| c == '"') {
        let mut word = String::new();
        loop {
            match chars.next().unwrap() {
                '"' => break,
                '\\' => word.push(match chars.next().unwrap() {
                    'n' => '\n',
                    c @ ('"' | '\\') => c,
                    c => panic!("\\{c} in {line}"),
                }),
                c => word.push(c),
            }
        }
        words.push(word);
    }
    words
}

/// One set through a node, as its master was asked for it.
async fn recorded(redis: &Redis, hash: &str, api: &Api) -> Vec<String> {
    let message = group_messages(api, &["recorded".into()], 1, &Value::Null).await.remove(0);
    // So that the engines know the script, and the node that they do.
    let mut seq = 0;
    for _ in 0..2 {
        let set = set(&message, &[("recorded", "yes", seq)]);
        seq = api.ok("recorded", GROUP_SET, &set).await["Seq"].as_u64().unwrap();
    }
    let mut monitors: Vec<_> = redis
        .masters()
        .iter()
        .map(|port| {
            let mut monitor = Command::new("redis-cli");
            let mut child =
                monitor.args(["-p", &port.to_string(), "monitor"]).stdout(Stdio::piped()).spawn().unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            assert_eq!(lines.next().unwrap().unwrap(), "OK");
            (child, lines)
        })
        .collect();
    let query = format!("{}&requestid={:032x}", crate::client::query("recorded"), fastrand::u128(..));
    let reply = api.post(GROUP_SET, &query, &set(&message, &[("recorded", "yes", seq)]).to_string()).await;
    assert_eq!(reply["Seq"], seq + 1, "{reply}");
    // They pass on what they have seen a little later.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut found = None;
    for (child, lines) in &mut monitors {
        let _ = Command::new("kill").arg(child.id().to_string()).status();
        child.wait().unwrap();
        found = found.or_else(|| lines.map_while(Result::ok).find(|line| line.contains(hash)));
    }
    words(&found.expect("a commit in what the masters were asked"))
}

impl Bare {
    pub(super) async fn record(redis: &Redis, prefix: &str, api: &Api) -> Self {
        let mut hash = String::new();
        for port in redis.masters() {
            hash = ask(port, &["SCRIPT", "LOAD", COMMIT]).unwrap();
        }
        let call = recorded(redis, &hash, api).await;
        let masters = redis.masters().into_iter().map(|port| Master::new(port, prefix, &call)).collect();
        Self { masters, known: [0.0; 3] }
    }

    /// Sets a second, and how many there were.
    pub(super) fn write(&mut self, scene: Scene, time: Duration) -> (f64, usize) {
        let at = scene as usize;
        if self.known[at] == 0.0 {
            self.known[at] = self.run(scene, FEW).0;
        }
        let (rate, sets) = self.run(scene, (self.known[at] * time.as_secs_f64()).max(FEW));
        self.known[at] = rate;
        (rate, sets)
    }

    /// All masters at once, or the one that has the hot message.
    fn run(&self, scene: Scene, sets: f64) -> (f64, usize) {
        let masters = if scene == Scene::Hot { &self.masters[..1] } else { &self.masters[..] };
        let written = || masters.iter().map(Master::written).sum::<usize>();
        let (before, each) = (written(), (sets / masters.len() as f64) as usize);
        let running: Vec<_> = masters
            .iter()
            .map(|master| {
                let call = &master.calls[usize::from(scene == Scene::Hot)];
                let messages = if scene == Scene::Hot { 1_000_000 } else { EACH };
                let mut benchmark = Command::new("redis-benchmark");
                benchmark.args([
                    "-p",
                    &master.port.to_string(),
                    "-c",
                    &(scene.connections() / masters.len()).to_string(),
                ]);
                benchmark.args(["-n", &each.to_string(), "-r", &messages.to_string(), "-q"]).args(call);
                benchmark.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
            })
            .collect();
        let mut rate = 0.0;
        for benchmark in running {
            let said = String::from_utf8(benchmark.wait_with_output().unwrap().stdout).unwrap();
            let (before, _) = said.rsplit_once(" requests per second").unwrap_or_else(|| panic!("{said}"));
            rate += before.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
        }
        let sets = each * masters.len();
        // Now and then chance gives a message the id twice.
        let written = written() - before;
        assert!(written * 100 >= sets * 99, "{written} of {sets} commits have written");
        (rate, sets)
    }
}

impl Master {
    fn new(port: u16, prefix: &str, call: &[String]) -> Self {
        // EVALSHA, the script, how many keys, the keys: the first is the message's, `prefix{bucket}message:number`.
        let (recorded_tag, number) = call[3].strip_prefix(prefix).unwrap().split_once("message:").unwrap();
        let has = |tag: &String| ask::<bool>(port, &["EXISTS", tag]).is_ok();
        let tag = (0..4096).map(|bucket| format!("{{{bucket}}}")).find(has).unwrap();
        let keys: usize = call[2].parse().unwrap();
        let argument = |n: usize| 2 + keys + n;
        // What belongs to the message has its number; what belongs to its group or bucket gets one.
        let with_numbers = |of: &str| {
            let key = |key: String| if key.contains(number) { key.replace(number, of) } else { key + of };
            let mut call: Vec<_> = call.iter().map(|word| word.replace(recorded_tag, &tag)).collect();
            for word in &mut call[3..3 + keys] {
                *word = key(std::mem::take(word));
            }
            call[argument(1)] = of.to_owned();
            call[argument(2)] = String::new();
            call[argument(3)] = call[argument(5)].clone();
            call[argument(4)] = format!("{RANDOM}{RANDOM}");
            call
        };
        let (seq, time) = (&call[argument(5)], &call[argument(7)]);
        let group = call[2 + keys].replace(recorded_tag, &tag);
        for n in 0..EACH {
            let message = format!("{prefix}{tag}message:{NUMBERS}{n:012}");
            let set = ["HSET", &message, "seq", seq, "commit", "1", "time", time];
            ask::<()>(port, &set).unwrap();
            // The group is compared as a node has it compared.
            let group = format!("{group}{NUMBERS}{n:012}");
            let set = ["HSET", &group, "no", &call[argument(10)], "version", &call[argument(11)]];
            ask::<()>(port, &set).unwrap();
        }
        let calls = [RANDOM.to_owned(), format!("{:012}", 0)]
            .map(|number| with_numbers(&format!("{NUMBERS}{number}")));
        Self { port, calls }
    }

    /// How many commits have written: each its message, an entry, an answer and the answer's name.
    fn written(&self) -> usize {
        let stats: String = ask(self.port, &["INFO", "commandstats"]).unwrap();
        let calls = stats.lines().find_map(|line| line.strip_prefix("cmdstat_hset:calls="));
        calls.map_or(0, |calls| calls.split(',').next().unwrap().parse::<usize>().unwrap() / 4)
    }
}

#[test]
fn what_monitor_shows_is_taken_apart() {
    let line = r#"1700000000.1 [0 127.0.0.1:1] "EVALSHA" "" "a\nb" "{\"k\": \"\\\"v\\\"\"}""#;
    assert_eq!(words(line), ["EVALSHA", "", "a\nb", r#"{"k": "\"v\""}"#]);
}
