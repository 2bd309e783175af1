// message-extensions/testing where there is no test runner: in a process of Node, which ends by itself, and in a page that may
// fetch nothing.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installApp } from './support/app.js';
import { startBrowser } from './support/browsers.js';
import { startServer } from './support/server.js';
import { makeSite } from './support/site.js';

const VOTE = `
  const { server } = sdk;
  server.createGroup('lunch', ['alice', 'bob']);
  const message = server.sendMessage({ from: 'alice', to: 'lunch', conversationType: 'GROUP' });
  const [alice, bob] = await Promise.all([server.login('alice'), server.login('bob')]);
  await alice.setMessageExtensions(message, [{ key: 'a', value: '1' }]);
  const { data } = await bob.getMessageExtensions(message);`;
const VOTED = [{ key: 'a', value: '1' }];

let app;
beforeAll(async () => {
  app = await installApp('entries');
});
afterAll(() => app?.remove());

test('importing it does nothing, and Node ends by itself after a reset', async () => {
  const program = `
    const held = () => process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate|TCP|MessagePort/.test(name));
    const before = held().length;
    const sdk = await import('message-extensions/testing');
    const after = held().length;
    ${VOTE}
    server.latency = 60_000;
    alice.setMessageExtensions(message, [{ key: 'b', value: '1' }]).catch(({ code }) => console.log(code));
    bob.login({ userID: 'bob', userSig: 'any' }).catch(() => {});
    await Promise.resolve();
    await server.reset();
    console.log(JSON.stringify(data.extensions), after - before);`;
  const start = performance.now();
  const { stdout, stderr } = await app.node('--input-type=module', '--eval', program);
  expect([stdout, stderr]).toEqual([`9004\n${JSON.stringify(VOTED)} 0\n`, '']);
  expect(performance.now() - start).toBeLessThan(10_000);
});

test('it needs nothing of what hosts of tests lack, or have in their own way', async () => {
  const program = `
    for (const name of ['fetch', 'Request', 'Response', 'WebSocket', 'Blob', 'DecompressionStream']) {
      Object.defineProperty(globalThis, name, { get() { throw new Error(name + ' was used'); } });
    }
    const sdk = await import('message-extensions/testing');
    ${VOTE}
    console.log(JSON.stringify(data.extensions));
    await server.reset();`;
  const { stdout, stderr } = await app.node('--input-type=module', '--eval', program);
  expect([JSON.parse(stdout), stderr]).toEqual([VOTED, '']);
});

test('required it is the same', async () => {
  const program = `
    const sdk = require('message-extensions/testing');
    (async () => { ${VOTE} console.log(JSON.stringify(data.extensions)); await server.reset(); })();`;
  const { stdout } = await app.node('--eval', program);
  expect(JSON.parse(stdout)).toEqual(VOTED);
});

test('a page of Chromium that may fetch nothing has it, too, and keeps nothing', async () => {
  const site = makeSite();
  rmSync(join(site.folder, 'message-extensions/message_extensions_bg.wasm'));
  const policy = "default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'";
  writeFileSync(
    join(site.folder, 'testing.html'),
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><title>A test</title></head>
     <body><script type="module">import * as sdk from './message-extensions/testing.js'; ${VOTE} window.kept = (await indexedDB.databases()).length; window.voted = JSON.stringify(data.extensions);</script></body></html>`,
  );
  const server = await startServer({ staticDir: site.folder });
  const driver = await startBrowser('Chromium');
  try {
    await driver.get(`${server.url}/testing.html`);
    await driver.wait(() => driver.executeScript('return Boolean(window.voted)'), 20_000);
    expect(JSON.parse(await driver.executeScript('return window.voted'))).toEqual(VOTED);
    expect(await driver.executeScript('return window.kept')).toBe(0);
  } finally {
    await driver.quit();
    await server.stop();
    site.remove();
  }
});
