// Users in Node, Chromium and Firefox vote on one message, each over a network of their own that goes bad: whatever
// happens, what they were promised holds. `FAULT_SEED` repeats the choices of a run; what the machine does between them
// is its own. `SOAK_NETWORK_ROUNDS` and `SOAK_NETWORK_BROWSER_ROUNDS` ask for more, and what is known of a round that failed
// is written into the folder `FAULT_RECORDS`.

import { describe, expect, test } from 'vitest';
import { round } from './support/fault-round.js';

const amount = (name, share) => Number(process.env[name] ?? share);
const SEED = amount('FAULT_SEED', Math.floor(Math.random() * 2 ** 31));
const ROUNDS = amount('SOAK_NETWORK_ROUNDS', 0);
const BROWSER_ROUNDS = amount('SOAK_NETWORK_BROWSER_ROUNDS', 1);
const PATIENCE = 180_000;

const seeds = (rounds) => Array.from({ length: rounds }, (_, i) => SEED + i);

async function expectUnbroken(hosts, seed) {
  const repeat = `repeat it with FAULT_SEED=${seed} npx vitest run network-faults`;
  const { wrong, said } = await round({ seed, hosts }).catch((cause) => Promise.reject(new Error(`${cause.message}; ${repeat}`, { cause })));
  console.log(`soak: ${said}`);
  expect(wrong, repeat).toEqual([]);
}

describe.skipIf(ROUNDS + BROWSER_ROUNDS === 0)('on bad networks, and with a server that is killed, what was promised holds', () => {
  test.each(seeds(BROWSER_ROUNDS))('in Node, Chromium and Firefox, seed %i', (seed) => expectUnbroken(['Node', 'Chromium', 'Firefox'], seed), PATIENCE);
  test.each(seeds(ROUNDS))('in Node, seed %i', (seed) => expectUnbroken(['Node'], seed), PATIENCE);
});

const isSet = ({ command, body }) => command === 'group_set_key_values' && JSON.parse(body).OperateType === 1;

/** The first value of each key. */
const first = {};

/** What no network does, but a wrong client or server would look like, and what the checks say of it. */
const PLANTS = [
  [
    'a write that is answered and not done',
    {
      instead(entry) {
        const { ExtensionList } = isSet(entry) ? JSON.parse(entry.body) : {};
        if (!ExtensionList?.some(({ Value }) => Value.endsWith('3'))) return undefined;
        const done = ({ Key, Value, Seq }) => ({ ErrorCode: 0, Extension: { Key, Value, Seq } });
        return { ActionStatus: 'OK', ErrorCode: 0, ErrorInfo: '', ExtensionList: ExtensionList.map(done) };
      },
    },
    /was accepted, and was written 0 times/,
  ],
  [
    'a write that is done twice',
    {
      also(entry, { ExtensionList }) {
        if (!isSet(entry) || ExtensionList?.some(({ ErrorCode }) => ErrorCode)) return undefined;
        return { ...JSON.parse(entry.body), ExtensionList: ExtensionList.map(({ Extension }) => Extension) };
      },
    },
    /was written 2 times/,
  ],
  [
    'a write that is refused and done',
    {
      answer(entry, json) {
        if (!isSet(entry)) return undefined;
        for (const item of json.ExtensionList) item.ErrorCode = 23001;
        return json;
      },
    },
    /has met itself as a conflict/,
  ],
  [
    'a push that tells of a value that the key had before',
    {
      frame(json) {
        for (const item of (json.Events ?? []).flatMap(({ ExtensionList }) => ExtensionList ?? [])) {
          if (item.Value) item.Value = first[item.Key] ??= item.Value;
        }
        return json;
      },
    },
    /: told of /,
  ],
];

describe('the checks find', () => {
  test.concurrent.each(PLANTS)(
    '%s',
    async (_, plant, found) => {
      const { wrong } = await round({ seed: SEED, hosts: ['Node'], calls: 15, isHealthy: true, plant });
      expect(wrong).toContainEqual(expect.stringMatching(found));
    },
    PATIENCE,
  );
});
