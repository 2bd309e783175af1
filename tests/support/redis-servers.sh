#!/usr/bin/env bash
# Redis servers for tests, on these ports of this machine; with CLUSTER they are a cluster, half of them replicas. Says
# "ready" and their process numbers. Starts those again that are named on stdin, and stops all when that is closed: when
# whoever has called it is gone, however that came.
dir=$(mktemp -d)
trap 'pids=$(jobs -p); kill $pids; kill -CONT $pids; wait; rm -rf "$dir"' EXIT 2>/dev/null
run() {
  redis-server --port "$1" --bind 127.0.0.1 --dir "$dir/$1" --save '' --appendonly yes --appendfsync always \
    --loglevel warning --repl-diskless-sync-delay 0 $OPTIONS >>"$dir/$1/log" 2>&1 &
  pid=$!
}
start() {
  mkdir -p "$dir/$1"
  run "$1"
  until redis-cli -p "$1" ping >/dev/null 2>&1; do
    sleep 0.02
    kill -0 "$pid" || run "$1"
  done
}
for port in "$@"; do
  start "$port"
  pids="$pids $pid"
  addresses="$addresses 127.0.0.1:$port"
done
if [ -n "$CLUSTER" ]; then
  redis-cli --cluster create $addresses --cluster-replicas 1 --cluster-yes >"$dir/create" 2>&1 || { tail -n 1 "$dir/create"; exit 1; }
  for port in "$@"; do
    until redis-cli -p "$port" cluster info | grep -q cluster_state:ok; do sleep 0.05; done
    until redis-cli -p "$port" info replication | grep -Eq 'master_link_status:up|connected_slaves:1'; do sleep 0.05; done
  done
fi
echo "ready $pids"
while read -r port; do
  start "$port"
  echo "ready $pid"
done

