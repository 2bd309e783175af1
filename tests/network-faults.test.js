// Users in Node, Chromium and Firefox vote on one message, each over a network of their own that goes bad: whatever
// happens, what they were promised holds. `FAULT_SEED` repeats the choices of a run; what the machine does between them
// is its own. `SOAK_NETWORK_ROUNDS` and `SOAK_NETWORK_BROWSER_ROUNDS` ask for more.

import { describe, expect, test } from 'vitest';
import { round } from './support/fault-round.js';

const amount = (name, share) => Number(process.env[name] ?? share);
const SEED = amount('FAULT_SEED', Math.floor(Math.random() * 2 ** 31));
const ROUNDS = amount('SOAK_NETWORK_ROUNDS', 0);
const BROWSER_ROUNDS = amount('SOAK_NETWORK_BROWSER_ROUNDS', 1);
const PATIENCE = 180_000;

const seeds = (rounds) => Array.from({ length: rounds }, (_, i) => SEED + i);

async function expectUnbroken(hosts, seed) {
  const { wrong, said } = await round({ seed, hosts });
  console.log(`soak: ${said}`);
  expect(wrong, `repeat it with FAULT_SEED=${seed} npx vitest run network-faults`).toEqual([]);
}

describe('on bad networks, and with a server that is killed, what was promised holds', () => {
  test.each(seeds(BROWSER_ROUNDS))('in Node, Chromium and Firefox, seed %i', (seed) => expectUnbroken(['Node', 'Chromium', 'Firefox'], seed), PATIENCE);
  test.each(seeds(ROUNDS))('in Node, seed %i', (seed) => expectUnbroken(['Node'], seed), PATIENCE);
});
