#!/usr/bin/env bash
# Redis servers for tests, on these ports of this machine; with OPTIONS they are a cluster, half of them replicas. Says
# "ready" and their process numbers, and stops them all when its stdin is closed: when whoever has called it is gone.
set -u
dir=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$dir"' EXIT
for port in "$@"; do
  mkdir "$dir/$port"
  redis-server --port "$port" --bind 127.0.0.1 --dir "$dir/$port" --save '' --appendonly yes --appendfsync always \
    --loglevel warning --repl-diskless-sync-delay 0 ${OPTIONS:-} >"$dir/$port/log" 2>&1 &
  pids="$pids $!"
done
addresses=()
for port in "$@"; do
  until redis-cli -p "$port" ping >/dev/null 2>&1; do sleep 0.05; done
  addresses+=("127.0.0.1:$port")
done
if [ -n "${OPTIONS:-}" ]; then
  if ! redis-cli --cluster create "${addresses[@]}" --cluster-replicas 1 --cluster-yes >"$dir/create" 2>&1; then
    cat "$dir/create" >&2
    exit 1
  fi
  for port in "$@"; do
    until redis-cli -p "$port" cluster info | grep -q cluster_state:ok; do sleep 0.05; done
    until redis-cli -p "$port" info replication | grep -Eq 'master_link_status:up|connected_slaves:1'; do sleep 0.05; done
  done
fi
echo "ready$pids"
read -r _
