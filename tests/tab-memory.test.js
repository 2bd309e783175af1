// What is not watched any more takes no memory: neither JavaScript's nor WebAssembly's grows from round to round. Nor does
// what was read of the database.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBrowser } from './support/browsers.js';
import { newUser } from './support/chat.js';
import { each, makeMessage, set } from './support/messages.js';
import { startNetwork, startTabSite, Tab } from './support/tabs.js';
import { until } from './support/wait.js';

const [MESSAGES, EXTENSIONS, ROUNDS] = [200, 300, 50];
/** By then everything has been made that stays. */
const SETTLED = 5;
/**
 * What may differ, bytes: JavaScript's by what a browser does for itself, WebAssembly's, which is never given back, by how
 * many replies came at once. One round's entries alone are about 10 MB.
 */
const LEVEL = { js: 1_000_000, wasm: 8_000_000 };

let server;
let network;
let driver;
let tab;

beforeAll(async () => {
  const flags = ['--admin-calls-per-second', '0', '--user-calls-per-second', '0', '--items', '0'];
  server = await startTabSite(flags);
  network = await startNetwork(server);
  driver = await startBrowser('Chromium');
  tab = await Tab.first(driver, server);
});
afterAll(async () => {
  await driver?.quit();
  await network?.close();
  await server?.stopSite();
});

const collectGarbage = () => driver.sendDevToolsCommand('HeapProfiler.collectGarbage');

/** What JavaScript and WebAssembly use, bytes. */
async function used() {
  await collectGarbage();
  const { usedSize } = await driver.sendAndGetDevToolsCommand('Runtime.getHeapUsage');
  return { js: usedSize, wasm: await tab.do('wasmBytes') };
}

test(`${MESSAGES} messages of ${EXTENSIONS} extensions, watched and dropped ${ROUNDS} times, leave memory level`, async () => {
  const alice = newUser('alice');
  const values = Object.fromEntries(Array.from({ length: EXTENSIONS }, (_, i) => [`voter-${i}`, `option-${i % 7}`]));
  const messages = await each(Array(MESSAGES).fill(), async () => {
    const message = await makeMessage(server, alice, newUser('bob'));
    await set(server, message, values);
    return message;
  });
  await tab.load(network);
  await tab.login(alice);
  let before;
  for (let round = 1; round <= ROUNDS; round += 1) {
    // Every so often a new session, which reads and stores everything again.
    if (round % 20 === 3) {
      await tab.call('logout', { clear: true });
      await tab.login(alice);
    }
    expect(await tab.do('watchAndDrop', messages)).toBe(MESSAGES * EXTENSIONS);
    if (round === SETTLED) before = await used();
  }
  const after = await used();
  console.log(`memory after ${SETTLED} and ${ROUNDS} rounds: ${JSON.stringify([before, after])}`);
  expect(after.js - before.js).toBeLessThan(LEVEL.js);
  expect(after.wasm - before.wasm).toBeLessThan(LEVEL.wasm);
  expect(await tab.do('mistakes')).toEqual([]);
});

test('what the browser had kept is in memory once: when the client has it, nobody holds what was read', async () => {
  const alice = newUser('alice');
  const message = await makeMessage(server, alice, newUser('bob'));
  await set(server, message, { a: '1' });
  await tab.load(network);
  await tab.login(alice);
  await tab.call('getMessageExtensions', message);
  await tab.call('logout');
  await tab.do('followReads');
  await tab.login(alice);
  let reads;
  await until(
    () => `states that were read, and that are held: ${reads}`,
    async () => {
      await collectGarbage();
      reads = await tab.do('reads');
      return reads[0] === 1 && reads[1] === 0;
    },
  );
});
