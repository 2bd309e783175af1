//! Redis servers of this test run: one alone, and a cluster of three masters with a replica each. They end with the process.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use message_extensions_server::store::{RedisStore, Servers};

/// Stops what it has started when its stdin is closed: when whoever has called it is gone, however that came.
const RUN: &str = r#"
dir=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$dir"' EXIT
for port in $PORTS; do
  mkdir "$dir/$port"
  redis-server --port "$port" --bind 127.0.0.1 --dir "$dir/$port" --save '' --appendonly yes --appendfsync always \
    --loglevel warning --repl-diskless-sync-delay 0 $OPTIONS >"$dir/$port/log" 2>&1 &
  pids="$pids $!"
done
for port in $PORTS; do
  until redis-cli -p "$port" ping >/dev/null 2>&1; do sleep 0.05; done
  addresses="$addresses 127.0.0.1:$port"
done
if [ -n "$OPTIONS" ]; then
  redis-cli --cluster create $addresses --cluster-replicas 1 --cluster-yes >"$dir/create" 2>&1 || { cat "$dir/create" >&2; exit 1; }
  for port in $PORTS; do
    until redis-cli -p "$port" cluster info | grep -q cluster_state:ok; do sleep 0.05; done
    until redis-cli -p "$port" info replication | grep -Eq 'master_link_status:up|connected_slaves:1'; do sleep 0.05; done
  done
fi
echo "ready $pids"
read -r _
"#;

pub(crate) struct Redis {
    pub(crate) ports: Vec<u16>,
    pub(crate) pids: Vec<u32>,
    replicas: usize,
    /// Holds its stdin.
    _shell: Child,
}

/// One server without replicas.
pub(crate) fn single() -> &'static Redis {
    static SINGLE: OnceLock<Redis> = OnceLock::new();
    SINGLE.get_or_init(|| Redis::start(1, "", 0))
}

/// Three masters, three replicas.
pub(crate) fn cluster() -> &'static Redis {
    static CLUSTER: OnceLock<Redis> = OnceLock::new();
    CLUSTER.get_or_init(Redis::cluster)
}

impl Redis {
    /// A cluster of one's own, to be broken.
    pub(crate) fn cluster() -> Self {
        Self::start(6, "--cluster-enabled yes --cluster-node-timeout 1000", 1)
    }

    fn start(count: usize, options: &str, replicas: usize) -> Self {
        let ports = free_ports(count);
        let named = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" ");
        let mut shell = Command::new("bash")
            .args(["-c", RUN])
            .env("PORTS", named)
            .env("OPTIONS", options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said = line
            .trim()
            .strip_prefix("ready ")
            .expect("redis-server must be installed: cargo xtask setup --tests");
        let pids = said.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
        Self { ports, pids, replicas, _shell: shell }
    }

    /// For a store that shares nothing with any other.
    pub(crate) fn servers(&self) -> Servers {
        Servers {
            urls: self.ports.iter().map(|port| format!("redis://127.0.0.1:{port}")).collect(),
            prefix: format!("test-{}:", fastrand::u64(..)),
            replicas: Some(self.replicas),
            replica_timeout: Duration::from_secs(1),
        }
    }

    pub(crate) async fn store(&self) -> RedisStore {
        RedisStore::connect(self.servers()).await.unwrap()
    }
}

/// A cluster talks on ports 10,000 above.
fn free_ports(count: usize) -> Vec<u16> {
    let mut ports = Vec::new();
    while ports.len() < count {
        let port = fastrand::u16(20_000..50_000);
        let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if is_free(port) && is_free(port + 10_000) && !ports.contains(&port) {
            ports.push(port);
        }
    }
    ports
}
