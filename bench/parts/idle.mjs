// Many who are connected and logged in, and wait.

import { fileURLToPath } from 'node:url';
import { startOurs } from '../lib/ours.mjs';
import { startPeer } from '../lib/peers.mjs';
import { run } from '../lib/programs.mjs';
import { contest, of } from '../lib/rounds.mjs';

const WAITERS = fileURLToPath(new URL('../load/waiters.mjs', import.meta.url));
const CONNECTIONS = 10_000;

const contender = (name, adapter, start) => ({
  name,
  async run() {
    const server = await start();
    try {
      const { pid, port } = server;
      return JSON.parse(await run(process.execPath, [WAITERS, JSON.stringify({ adapter, pid, port, connections: CONNECTIONS })]));
    } finally {
      await server.stop();
    }
  },
});

export async function measure({ isQuick, rounds, say }) {
  const fewer = isQuick ? 1 : Math.min(rounds, 3);
  const table = {
    title: `${CONNECTIONS.toLocaleString('en-US')} connections`,
    columns: [
      { key: 'memory', label: 'memory, MiB', isCompared: true },
      { key: 'each', label: 'kiB each', isCompared: true },
      { key: 'cpu', label: 'server CPU to connect one, µs', isCompared: true },
      { key: 'seconds', label: 'all connected after, s' },
    ],
    ...(await contest({
      rounds: fewer,
      contenders: [
        contender('ours', 'ours', startOurs),
        contender('ws, bare', 'ws', () => startPeer('ws')),
        contender('socket.io', 'socketio', () => startPeer('socketio')),
      ],
      say,
    })),
  };
  const memory = of(table, 'ours', 'memory');
  return { rounds: fewer, tables: [table], outcomes: { idle: { figure: `${memory.toFixed(0)} MiB`, isMet: memory <= 100 } } };
}
