// A group, everybody connected: each votes once, and everybody sees every vote.

import { fileURLToPath } from 'node:url';
import { groupMessage, startOurs } from '../lib/ours.mjs';
import { startNats, startPeer } from '../lib/peers.mjs';
import { run } from '../lib/programs.mjs';
import { contest, of } from '../lib/rounds.mjs';

const CROWD = fileURLToPath(new URL('../load/crowd.mjs', import.meta.url));

const CONTENDERS = [
  {
    name: 'ours',
    adapter: 'ours',
    async start(users) {
      const server = await startOurs();
      const names = Array.from({ length: users }, (_, n) => `user${n}`);
      return { ...server, target: await groupMessage(server, names, { KeyOwner: { Suffix: '_0' } }) };
    },
  },
  { name: 'ws, coalescing', adapter: 'ws', start: () => startPeer('ws', 'coalesce') },
  { name: 'ws, bare', adapter: 'ws', start: () => startPeer('ws') },
  { name: 'socket.io', adapter: 'socketio', start: () => startPeer('socketio') },
  { name: 'Hocuspocus', adapter: 'hocuspocus', start: () => startPeer('hocuspocus') },
  { name: 'NATS KV', adapter: 'nats', start: startNats },
];

/** Each works with a server of its own that has just been started. */
const contender = ({ name, adapter, start }, users, seconds) => ({
  name,
  async run() {
    const server = await start(users);
    try {
      const { pid, port, target } = server;
      return JSON.parse(await run(process.execPath, [CROWD, JSON.stringify({ adapter, pid, port, users, seconds, target })]));
    } finally {
      await server.stop();
    }
  },
});

const COLUMNS = [
  { key: 'cpu', label: 'server CPU, s', isCompared: true },
  { key: 'p99', label: 'p99 to the others, ms', isCompared: true },
  { key: 'p50', label: 'p50, ms' },
  { key: 'frames', label: 'frames to each' },
  { key: 'memory', label: 'most memory, MiB', isCompared: true },
  { key: 'load', label: "load's CPU, s" },
];

/** How many vote, and within how many seconds; 1,000 in three rounds only, since each is a million votes seen. */
const CROWDS = [[100, 0], [300, 0], [300, 5], [1000, 0]];
const QUICK_CROWDS = [[300, 0], [300, 5]];

export async function measure({ isQuick, rounds, say }) {
  const tables = {};
  for (const [users, seconds] of isQuick ? QUICK_CROWDS : CROWDS) {
    const title = `${users.toLocaleString('en-US')} users, ${seconds ? `over ${seconds} s` : 'at once'}`;
    say(title);
    const some = isQuick ? CONTENDERS.slice(0, 4) : CONTENDERS;
    const contenders = some.map((one) => contender(one, users, seconds));
    tables[`${users}/${seconds}`] = { title, columns: COLUMNS, ...(await contest({ rounds: users > 300 ? Math.min(rounds, 3) : rounds, contenders, say })) };
  }
  const [storm, spread] = [tables['300/0'], tables['300/5']];
  const share = of(storm, 'ours', 'cpu') / of(storm, 'ws, coalescing', 'cpu');
  const [delay, bare] = [of(spread, 'ours', 'p99'), of(spread, 'ws, bare', 'p99')];
  return {
    tables: Object.values(tables),
    outcomes: {
      storm: { figure: `${share.toFixed(2)} of it`, isMet: share <= 0.5 },
      delay: { figure: `p99 ${delay.toFixed(1)} ms, bare ws ${bare.toFixed(1)} ms`, isMet: delay < bare },
    },
  };
}
