//! Who has used the machine meanwhile, and what the nodes have counted.

use std::collections::BTreeMap;
use std::time::Instant;

use tokio::process::Child;

use crate::client::Api;
use crate::redis_servers::Redis;

/// The system's clock of CPU times.
const TICKS: f64 = 100.0;

/// Seconds of CPU since their start; after [`since`](Self::since) and [`each`](Self::each) microseconds a set, and of the machine
/// the cores that were idle, and those that others had.
pub(super) struct Usage {
    at: Instant,
    pub(super) masters: f64,
    pub(super) replicas: f64,
    pub(super) nodes: f64,
    pub(super) load: f64,
    pub(super) idle: f64,
    pub(super) others: f64,
    /// What the masters' scripts did: microseconds by command, those of the scripts themselves included.
    commands: BTreeMap<String, f64>,
}

/// The numbers of a line of /proc.
fn numbers(line: &str) -> Vec<f64> {
    line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Of a process; with `children` those that it has waited for, too.
fn of_process(pid: u32, children: bool) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, after_name) = stat.rsplit_once(')').unwrap();
    // Without the state, a letter: utime is the 14th field of all.
    let times = &numbers(after_name)[10..];
    times[..if children { 4 } else { 2 }].iter().sum::<f64>() / TICKS
}

fn of_redis(redis: &Redis, ports: &[u16]) -> f64 {
    let of = |port: &u16| {
        let said = redis.ask(*port, "info cpu");
        let times = said
            .lines()
            .filter(|line| ["used_cpu_sys:", "used_cpu_user:"].iter().any(|name| line.starts_with(name)));
        times.filter_map(|line| line.split_once(':')?.1.trim().parse::<f64>().ok()).sum::<f64>()
    };
    ports.iter().map(of).sum()
}

/// By command, from `cmdstat_hset:calls=1,usec=2,…`.
fn commands(redis: &Redis) -> BTreeMap<String, f64> {
    let mut commands = BTreeMap::new();
    for port in redis.masters() {
        for line in redis.ask(port, "info commandstats").lines() {
            let Some((name, stats)) = line.strip_prefix("cmdstat_").and_then(|line| line.split_once(':'))
            else {
                continue;
            };
            let time = stats.split(',').find_map(|stat| stat.strip_prefix("usec="));
            *commands.entry(name.to_owned()).or_default() += time.unwrap().parse::<f64>().unwrap();
        }
    }
    commands
}

impl Usage {
    pub(super) fn now(redis: &Redis, nodes: &[(Child, Api)]) -> Self {
        let machine = std::fs::read_to_string("/proc/stat").unwrap();
        // user, nice, system, idle, waiting for a disk, interrupts, …
        let machine = numbers(machine.lines().next().unwrap());
        let idle = (machine[3] + machine[4]) / TICKS;
        Self {
            at: Instant::now(),
            masters: of_redis(redis, &redis.masters()),
            replicas: of_redis(redis, &redis.replica_ports()),
            nodes: nodes.iter().map(|(child, _)| of_process(child.id().unwrap(), false)).sum(),
            load: of_process(std::process::id(), true),
            idle,
            commands: commands(redis),
            others: machine[..8].iter().sum::<f64>() / TICKS - idle,
        }
    }

    pub(super) fn since(mut self, before: &Self) -> Self {
        let seconds = self.at.duration_since(before.at).as_secs_f64();
        self.masters -= before.masters;
        self.replicas -= before.replicas;
        self.nodes -= before.nodes;
        self.load -= before.load;
        for (name, time) in &mut self.commands {
            *time -= before.commands.get(name).copied().unwrap_or_default();
        }
        let ours = self.masters + self.replicas + self.nodes + self.load;
        self.idle = (self.idle - before.idle) / seconds;
        self.others = ((self.others - before.others - ours) / seconds).max(0.0);
        self
    }

    pub(super) fn each(mut self, sets: usize) -> Self {
        for part in [&mut self.masters, &mut self.replicas, &mut self.nodes, &mut self.load] {
            *part *= 1_000_000.0 / sets as f64;
        }
        self.commands.values_mut().for_each(|time| *time /= sets as f64);
        self
    }

    /// On which the masters spend most.
    pub(super) fn commands(&self) -> String {
        let mut commands: Vec<_> = self.commands.iter().collect();
        commands.sort_by(|a, b| b.1.total_cmp(a.1));
        let said = commands.iter().take(5).map(|(name, time)| format!("{name} {time:.0}"));
        said.collect::<Vec<_>>().join(", ")
    }
}

/// Sums of histograms at /metrics; after [`each`](Self::each) what they mean.
#[derive(Default)]
pub(super) struct Metrics {
    sums: [f64; 8],
    pub(super) sets_in_commit: f64,
    pub(super) writes_in_batch: f64,
    pub(super) batch_ms: f64,
    pub(super) read_ms: f64,
    /// A set.
    pub(super) reads: f64,
}

const SUMS: [&str; 8] = [
    "commit_operations_sum",
    "commit_operations_count",
    "redis_batch_writes_sum",
    "redis_batch_writes_count",
    "redis_batch_seconds_sum",
    "redis_batch_seconds_count",
    "redis_read_seconds_sum",
    "redis_read_seconds_count",
];

impl Metrics {
    pub(super) async fn now(nodes: &[(Child, Api)]) -> Self {
        let mut metrics = Self::default();
        for (_, api) in nodes {
            let page = api.http("GET", "/metrics", &[], "").await.unwrap().body;
            for (sum, name) in metrics.sums.iter_mut().zip(SUMS) {
                let name = format!("message_extensions_{name} ");
                let value = page.lines().find_map(|line| line.strip_prefix(&name)).unwrap();
                *sum += value.trim().parse::<f64>().unwrap();
            }
        }
        metrics
    }

    pub(super) fn since(mut self, before: &Self) -> Self {
        self.sums.iter_mut().zip(before.sums).for_each(|(now, before)| *now -= before);
        self
    }

    pub(super) fn each(mut self, sets: usize) -> Self {
        let [operations, commits, writes, batches, batch_seconds, timed, read_seconds, reads] = self.sums;
        self.sets_in_commit = operations / commits;
        self.writes_in_batch = writes / batches;
        self.batch_ms = batch_seconds / timed * 1000.0;
        self.read_ms = read_seconds / reads * 1000.0;
        self.reads = reads / sets as f64;
        self
    }
}
