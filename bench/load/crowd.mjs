// Users who are all connected, vote, and see each other's votes: one process, the same for every server.
// `node crowd.mjs '{"adapter":…,"port":…,"pid":…,"users":…,"seconds":…,"target":…}'` prints one line of JSON.

import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../lib/rounds.mjs';
import { cpu, mostResident } from '../lib/usage.mjs';

const plan = JSON.parse(process.argv[2]);
const { connect } = await import(`./adapters/${plan.adapter}.mjs`);

const voted = new Float64Array(plan.users);
const seen = new Uint8Array(plan.users * plan.users);
const took = [];
let left = seen.length;
let allHaveSeen;
const everything = new Promise((resolve) => (allHaveSeen = resolve));

/** `viewer` has been told of the vote of `voter`. */
function see(viewer, voter) {
  if (seen[viewer * plan.users + voter]) return;
  seen[viewer * plan.users + voter] = 1;
  if (viewer !== voter) took.push(performance.now() - voted[voter]);
  left -= 1;
  if (left === 0) allHaveSeen();
}

/** Frames that all were sent; of those who count them. */
let frames = 0;
plan.frame = () => (frames += 1);

const users = [];
for (let first = 0; first < plan.users; first += 25) {
  const some = Array.from({ length: Math.min(25, plan.users - first) }, (_, i) => connect(plan, first + i, (voter) => see(first + i, voter)));
  users.push(...(await Promise.all(some)));
}
await sleep(300);

frames = 0;
const used = cpu(plan.pid);
const own = process.cpuUsage();
const begun = performance.now();
const votes = users.map(async ({ vote }, user) => {
  if (plan.seconds) await sleep((plan.seconds * 1000 * user) / plan.users);
  voted[user] = performance.now();
  await vote();
});
const limit = setTimeout(() => {
  console.error(`${left} of ${seen.length} votes were not seen after 2 minutes`);
  process.exit(1);
}, 120_000);
await Promise.all([...votes, everything]);
const seconds = (performance.now() - begun) / 1000;
clearTimeout(limit);
await sleep(100);
const { user, system } = process.cpuUsage(own);
console.log(
  JSON.stringify({
    cpu: used(),
    seconds,
    p50: quantile(took, 0.5),
    p99: quantile(took, 0.99),
    memory: mostResident(plan.pid),
    ...(frames && { frames: frames / plan.users }),
    load: (user + system) / 1e6,
  }),
);
process.exit(0);
