// Connections that only wait: `node waiters.mjs '{"adapter":…,"port":…,"pid":…,"connections":…}'` prints one line of JSON.

import { setTimeout as sleep } from 'node:timers/promises';
import { cpu, resident } from '../lib/usage.mjs';

const plan = JSON.parse(process.argv[2]);
const { connect, login } = await import(`./adapters/${plan.adapter}.mjs`);
const nothing = () => {};

const [before, used, begun] = [resident(plan.pid), cpu(plan.pid), performance.now()];
for (let first = 0; first < plan.connections; first += 50) {
  // A listener's backlog is not endless.
  await Promise.all(Array.from({ length: 50 }, (_, i) => (login ?? connect)(plan, first + i, nothing)));
}
const seconds = (performance.now() - begun) / 1000;
const connecting = used();
await sleep(500);
const memory = resident(plan.pid);
console.log(
  JSON.stringify({ memory, each: ((memory - before) * 1024) / plan.connections, cpu: (connecting / plan.connections) * 1e6, seconds }),
);
process.exit(0);
