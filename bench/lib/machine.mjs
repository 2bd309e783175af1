// What a run was made on, and with which versions.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { SERVER, inCheckout } from './paths.mjs';
import { versionOf } from './programs.mjs';
import { POSTGRES } from './databases.mjs';

const PACKAGES = [
  '@tencentcloud/lite-chat', '@tencentcloud/chat', 'socket.io', 'socket.io-client', 'ws', '@hocuspocus/server', 'yjs',
  '@nats-io/kv', 'firebase', 'gun', '@automerge/automerge', 'replicache', 'esbuild',
];

const installed = (name) => {
  const manifest = inCheckout(`bench/node_modules/${name}/package.json`);
  return existsSync(manifest) && `${name} ${JSON.parse(readFileSync(manifest, 'utf8')).version}`;
};

const commit = () => {
  const git = (...args) => execFileSync('git', args, { cwd: inCheckout('.'), encoding: 'utf8' }).trim();
  try {
    // What a run writes itself is no change.
    const changed = git('status', '--porcelain', '--', '.', ':!docs/benchmarks.md', ':!bench/results');
    return `${git('rev-parse', '--short', 'HEAD')}${changed && ', with changes'}`;
  } catch {
    return 'unknown';
  }
};

export const load = () => loadavg().map((value) => value.toFixed(2)).join(' ');

export function describe() {
  const programs = [
    versionOf(SERVER, '--version'),
    `Node.js ${process.versions.node}`,
    process.env.CHROME && versionOf(process.env.CHROME, '--version'),
    versionOf('redis-server', '--version')?.replace(/ sha=.*/, ''),
    POSTGRES && versionOf(`${POSTGRES}/postgres`, '--version'),
    versionOf('nats-server', '--version'),
  ];
  return {
    CPU: `${cpus()[0].model}, ${cpus().length} cores`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: `Linux ${release()}`,
    commit: commit(),
    programs: programs.filter(Boolean).join('; '),
    'npm packages': PACKAGES.map(installed).filter(Boolean).join('; '),
  };
}
