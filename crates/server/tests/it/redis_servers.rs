//! Redis servers of this test run: one alone, and a cluster of three masters with a replica each. They end with the process.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use message_extensions_server::store::{RedisStore, Servers};

/// Starts the servers, and again those that are named on stdin; stops them when that is closed.
const RUN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/support/redis-servers.sh");

pub(crate) struct Redis {
    pub(crate) ports: Vec<u16>,
    pids: Mutex<HashMap<u16, u32>>,
    replicas: usize,
    shell: Mutex<Shell>,
}

struct Shell {
    _child: Child,
    /// It ends when this is closed.
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Shell {
    fn pids(&mut self) -> Vec<u32> {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let Some(said) = line.trim().strip_prefix("ready ") else {
            panic!("redis-server must be installed: cargo xtask setup --tests {line}");
        };
        said.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    }
}

/// One server without replicas.
pub(crate) fn single() -> &'static Redis {
    static SINGLE: OnceLock<Redis> = OnceLock::new();
    SINGLE.get_or_init(Redis::alone)
}

/// Three masters, three replicas.
pub(crate) fn cluster() -> &'static Redis {
    static CLUSTER: OnceLock<Redis> = OnceLock::new();
    // Nobody is taken for dead who only had to wait for the machine.
    CLUSTER.get_or_init(|| Redis::cluster_with(15_000))
}

/// A signal to a process that this test run has started.
fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}

impl Redis {
    /// A cluster of one's own, to be broken.
    pub(crate) fn cluster() -> Self {
        Self::cluster_with(1000)
    }

    fn cluster_with(node_timeout_ms: u32) -> Self {
        Self::start(6, &format!("--cluster-enabled yes --cluster-node-timeout {node_timeout_ms}"), 1)
    }

    /// A server of one's own.
    pub(crate) fn alone() -> Self {
        Self::start(1, "", 0)
    }

    fn start(count: usize, options: &str, replicas: usize) -> Self {
        let ports = free_ports(count);
        let named: Vec<_> = ports.iter().map(u16::to_string).collect();
        let mut child = Command::new("bash")
            .arg(RUN)
            .args(&named)
            .env("OPTIONS", options)
            .env("CLUSTER", if replicas > 0 { "yes" } else { "" })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It would tell of everyone who is killed.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut shell = Shell { _child: child, input, output };
        let pids = ports.iter().copied().zip(shell.pids()).collect();
        Self { ports, pids: Mutex::new(pids), replicas, shell: Mutex::new(shell) }
    }

    /// As the setting `store` has them.
    pub(crate) fn url(&self) -> String {
        let hosts: Vec<_> = self.ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        format!("redis://{}", hosts.join(","))
    }

    /// For a store that shares nothing with any other.
    pub(crate) fn servers(&self) -> Servers {
        let servers = Servers::parse(&self.url()).unwrap();
        Servers { prefix: format!("test-{}:", fastrand::u64(..)), replicas: Some(self.replicas), ..servers }
    }

    pub(crate) async fn store(&self) -> RedisStore {
        RedisStore::connect(self.servers()).await.unwrap()
    }

    /// `-KILL`, `-STOP` or `-CONT`.
    pub(crate) fn signal(&self, name: &str, port: u16) {
        signal(name, self.pids.lock().unwrap()[&port]);
    }

    /// Starts one again that was killed, with what it had on its disk.
    pub(crate) fn restart(&self, port: u16) {
        let mut shell = self.shell.lock().unwrap();
        writeln!(shell.input, "{port}").unwrap();
        let pid = shell.pids()[0];
        self.pids.lock().unwrap().insert(port, pid);
    }

    /// What a server answers to a command; nothing from one that is gone.
    pub(crate) fn ask(&self, port: u16, command: &str) -> String {
        let port = port.to_string();
        let output = Command::new("redis-cli").args(["-p", &port]).args(command.split(' ')).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// The ports of the masters that have slots, as those who live see it.
    pub(crate) fn masters(&self) -> Vec<u16> {
        let is_one = |port: &u16| {
            let said = self.ask(*port, "cluster nodes");
            let own = said.lines().find(|line| line.contains("myself"));
            own.is_some_and(|own| own.contains("master") && own.split(' ').count() > 8)
        };
        self.ports.iter().copied().filter(is_one).collect()
    }

    /// Those who are no masters.
    pub(crate) fn replica_ports(&self) -> Vec<u16> {
        let masters = self.masters();
        self.ports.iter().copied().filter(|port| !masters.contains(port)).collect()
    }

    /// Waits until every server is well, and every replica has what its master has.
    pub(crate) fn settle(&self) {
        let begun = Instant::now();
        let is_well = |port: &u16| {
            let replication = self.ask(*port, "info replication");
            self.ask(*port, "cluster info").contains("cluster_state:ok")
                && (replication.contains("master_link_status:up")
                    || replication.contains("connected_slaves:1"))
        };
        while !self.ports.iter().all(is_well) {
            assert!(begun.elapsed() < Duration::from_secs(60), "the cluster does not become well");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A cluster talks on ports 10,000 above. None of them is one that the system gives to those who connect: who tries a port again
/// and again on which nobody listens would be connected with itself, and hold it.
pub(crate) fn free_ports(count: usize) -> Vec<u16> {
    let mut ports = Vec::new();
    while ports.len() < count {
        let port = fastrand::u16(10_000..22_700);
        let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if is_free(port) && is_free(port + 10_000) && !ports.contains(&port) {
            ports.push(port);
        }
    }
    ports
}
