// Clients by themselves: each in a process of its own, or in a page of a browser of its own, against a network that answers
// at once from the same process.

import { fileURLToPath } from 'node:url';
import { inChromium } from '../lib/chromium.mjs';
import { run } from '../lib/programs.mjs';
import { contest, of } from '../lib/rounds.mjs';

const IN_NODE = fileURLToPath(new URL('../client/node.mjs', import.meta.url));
const VENDOR = '@tencentcloud/lite-chat';
const PLAIN = 'a Map in plain JavaScript';
const CONTENDERS = [
  ['ours', 'ours'],
  [VENDOR, 'vendor'],
  [PLAIN, 'plain'],
];

const HOSTS = [
  ['Node.js', async (contender) => JSON.parse(await run(process.execPath, ['--expose-gc', IN_NODE, contender]))],
  ['Chromium', inChromium],
];

const COLUMNS = [
  { key: 'push', label: 'push, µs', isCompared: true },
  { key: 'set', label: 'set, µs', isCompared: true },
  { key: 'get', label: 'get of 300, µs', isCompared: true },
  { key: 'requests', label: 'requests a get' },
  { key: 'ready', label: 'import to ready, ms', isCompared: true },
  { key: 'memory', label: 'kB a message of 300', isCompared: true },
];

export async function measure({ rounds, say }) {
  const tables = [];
  for (const [host, measureIn] of HOSTS) {
    say(host);
    const contenders = CONTENDERS.map(([name, contender]) => ({ name, run: () => measureIn(contender) }));
    tables.push({ title: host, columns: COLUMNS, ...(await contest({ rounds, contenders, say })) });
  }
  const outcome = (key, peer, most, isMet = () => true) => {
    const shares = tables.map((table) => of(table, 'ours', key) / of(table, peer, key));
    if (shares.some(Number.isNaN)) return undefined;
    const figure = HOSTS.map(([host], n) => `${shares[n].toFixed(2)} in ${host}`).join(', ');
    return { figure, isMet: shares.every((share) => share <= most) && isMet() };
  };
  const asksNobody = () => tables.every((table) => of(table, 'ours', 'requests') === 0);
  const outcomes = {
    push: outcome('push', VENDOR, 1 / 5),
    set: outcome('set', VENDOR, 1 / 3),
    get: outcome('get', VENDOR, 1 / 10, asksNobody),
    ready: outcome('ready', VENDOR, 1 / 2),
    memory: outcome('memory', PLAIN, 1),
  };
  return { tables, outcomes };
}
