//! How many sets go through one, two and three nodes, beside what the bare engine does with the same script; and how much
//! memory a message, a key and a listener take. It prints figures, and asserts no time.
//!
//! `SOAK_SCALE_MS` is how long each measurement lasts, `SOAK_SCALE_ROUNDS` how often all are made, one after the other, so
//! that whatever else the machine does comes to each. The limits on how often are off, and nothing is counted for them.

mod bare;
mod load;
mod memory;
mod usage;

use std::time::Duration;

use serde_json::Value;
use tokio::process::Child;
use tokio::task::spawn_blocking;

use self::bare::Bare;
use self::load::{Load, Written};
use self::usage::{Metrics, Usage};
use super::{amount, done, group_messages, users};
use crate::client::Api;
use crate::redis_process::serve_on;
use crate::redis_servers::{Redis, cluster};

/// Where there are many, as many at any rate; each is in a group of its own.
const MESSAGES: usize = 256;
const NODES: usize = 3;

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scene {
    /// Every connection has messages of its own, and writes them in turn.
    Many,
    /// The same over more connections, so that more waits at any time.
    Crowded,
    /// All write one message, each a key of their own.
    Hot,
}

impl Scene {
    const ALL: [Self; 3] = [Self::Many, Self::Crowded, Self::Hot];

    /// Keep-alive connections, each of a user of their own.
    const fn connections(self) -> usize {
        match self {
            Self::Many | Self::Hot => 64,
            Self::Crowded => 256,
        }
    }

    fn name(self) -> String {
        let messages = if self == Self::Hot { "one hot message" } else { "many messages" };
        format!("{messages}, {} connections", self.connections())
    }
}

/// What one measurement has shown.
struct Sample {
    /// Sets a second.
    rate: f64,
    usage: Usage,
    metrics: Metrics,
    refused: usize,
}

struct World {
    redis: &'static Redis,
    nodes: Vec<(Child, Api)>,
    /// Of each scene.
    loads: [Load; 3],
    bare: Bare,
    time: Duration,
}

impl World {
    async fn new() -> Self {
        let redis = spawn_blocking(cluster).await.unwrap();
        let prefix = format!("scale-{}:", fastrand::u64(..));
        let mut nodes = Vec::new();
        for _ in 0..NODES {
            nodes.push(serve_on(redis, &prefix).await);
        }
        let api = &nodes[0].1;
        let loads = [many(api, Scene::Many).await, many(api, Scene::Crowded).await, hot(api).await];
        let bare = Bare::record(redis, &prefix, api).await;
        let time = Duration::from_millis(amount("SOAK_SCALE_MS", 100));
        Self { redis, loads, bare, nodes, time }
    }

    /// Through the first so many nodes.
    async fn through(&mut self, scene: Scene, count: usize) -> Sample {
        let nodes = &self.nodes[..count];
        let addresses: Vec<_> = nodes.iter().map(|(_, api)| api.address).collect();
        let load = &mut self.loads[scene as usize];
        // What moves to another node is loaded there first.
        load.write(&addresses, self.time / 4).await;
        let (usage, metrics) = (Usage::now(self.redis, nodes), Metrics::now(nodes).await);
        let Written { sets, refused, seconds } = load.write(&addresses, self.time).await;
        let (usage, metrics) =
            (Usage::now(self.redis, nodes).since(&usage), Metrics::now(nodes).await.since(&metrics));
        Sample { rate: sets as f64 / seconds, usage: usage.each(sets), metrics: metrics.each(sets), refused }
    }

    fn engine_alone(&mut self, scene: Scene) -> Sample {
        let before = Usage::now(self.redis, &[]);
        let (rate, sets) = self.bare.write(scene, self.time);
        let usage = Usage::now(self.redis, &[]).since(&before).each(sets);
        Sample { rate, usage, metrics: Metrics::default(), refused: 0 }
    }
}

async fn many(api: &Api, scene: Scene) -> Load {
    let voters = users("voter", scene.connections());
    let mut own = Vec::new();
    for voter in &voters {
        let mut messages = Vec::new();
        for _ in 0..MESSAGES / voters.len() {
            messages.extend(group_messages(api, std::slice::from_ref(voter), 1, &Value::Null).await);
        }
        own.push(messages);
    }
    Load::new(&voters, own)
}

async fn hot(api: &Api) -> Load {
    let voters = users("voter", Scene::Hot.connections());
    let shared = group_messages(api, &voters, 1, &Value::Null).await;
    Load::new(&voters, voters.iter().map(|_| shared.clone()))
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The bare engine's samples, then those of one node, two, three.
fn say(name: &str, samples: &[Vec<Sample>]) {
    let of = |samples: &[Sample], value: fn(&Sample) -> f64| median(samples.iter().map(value));
    let (bare, nodes) = samples.split_first().unwrap();
    let usage = |samples: &[Sample]| {
        let commands = samples.last().map(|last| last.usage.commands()).unwrap_or_default();
        format!(
            "CPU a set: masters {:.0} µs, replicas {:.0}, nodes {:.0}, load {:.0}; cores idle {:.1}, busy with others {:.1}; \
             µs a set by command: {commands}",
            of(samples, |sample| sample.usage.masters),
            of(samples, |sample| sample.usage.replicas),
            of(samples, |sample| sample.usage.nodes),
            of(samples, |sample| sample.usage.load),
            of(samples, |sample| sample.usage.idle),
            of(samples, |sample| sample.usage.others)
        )
    };
    done(format_args!("{name}, bare engine: {:.0} sets/s; {}", of(bare, |sample| sample.rate), usage(bare)));
    for (n, own) in nodes.iter().enumerate() {
        let mut ratios: Vec<_> = own.iter().zip(bare).map(|(own, bare)| own.rate / bare.rate).collect();
        ratios.sort_by(f64::total_cmp);
        done(format_args!(
            "{name}, {} node(s): {:.0} sets/s, ours/bare {:.2} ({:.2} to {:.2}); {}; a commit has {:.1} sets, a batch \
             {:.1} writes, a set needs {:.1} reads; a batch takes {:.1} ms, a read {:.1}; {} refused",
            n + 1,
            of(own, |sample| sample.rate),
            median(ratios.iter().copied()),
            ratios[0],
            ratios[ratios.len() - 1],
            usage(own),
            of(own, |sample| sample.metrics.sets_in_commit),
            of(own, |sample| sample.metrics.writes_in_batch),
            of(own, |sample| sample.metrics.reads),
            of(own, |sample| sample.metrics.batch_ms),
            of(own, |sample| sample.metrics.read_ms),
            own.iter().map(|sample| sample.refused).sum::<usize>(),
        ));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sets_go_through_one_node_and_several_beside_the_bare_engine() {
    let rounds = amount("SOAK_SCALE_ROUNDS", 1);
    let loads = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut world = World::new().await;
    done(format_args!(
        "{rounds} rounds of {} ms each; load average before: {}",
        world.time.as_millis(),
        loads.split(' ').take(3).collect::<Vec<_>>().join(" ")
    ));
    for scene in Scene::ALL {
        let mut samples: Vec<Vec<Sample>> = (0..=NODES).map(|_| Vec::new()).collect();
        for _ in 0..rounds {
            let alone = tokio::task::block_in_place(|| world.engine_alone(scene));
            samples[0].push(alone);
            for (count, samples) in samples.iter_mut().enumerate().skip(1) {
                samples.push(world.through(scene, count).await);
            }
        }
        say(&scene.name(), &samples);
    }
}
