// The packed package, installed by npm into an app of its own and built by Vite, works in a browser.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, createServer } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installApp } from './support/app.js';
import { callPage, startBrowser } from './support/browsers.js';
import { APP, must, sign, startServer } from './support/server.js';
import { until } from './support/wait.js';

let app;
let project;
let server;
let driver;

beforeAll(async () => {
  app = await installApp('bundled');
  project = app.folder;
  server = await startServer({ staticDir: join(project, 'dist') });
  driver = await startBrowser('Chromium');
});
afterAll(async () => {
  await driver?.quit();
  await server?.stop();
  app?.remove();
});

const quiet = () => ({ root: project, configFile: false, logLevel: 'error', cacheDir: join(project, '.vite') });

/** The page at `url` votes, and hears of its own vote and of another user's. */
async function works(url, endpoint) {
  const [userID, groupID] = [`alice-${url.length}`, `lunch-${url.length}`];
  await must(server.call('group_open_http_svc/create_group', { Owner_Account: userID, Type: 'Public', Name: 'Lunch', GroupId: groupID }));
  await driver.get(url);
  await until('the app has not started', () => driver.executeScript('return Boolean(window.app)'));
  const app = (method, ...args) => callPage(driver, 'app', method, ...args);
  const { message, written } = await app('vote', { SDKAppID: APP, endpoint, groupID, userID, userSig: sign(userID) });
  expect(written).toEqual({ code: 0, data: { extensions: [{ code: 0, key: userID, value: '1' }] } });
  const body = { GroupId: groupID, MsgSeq: message.sequence, OperateType: 1, ExtensionList: [{ Key: 'bob', Value: '2' }] };
  await must(server.call('openim_msg_ext_http_svc/group_set_key_values', body));
  const event = (key, value) => ({ name: 'onMessageExtensionsUpdated', data: { messageID: message.ID, extensions: [{ key, value }] } });
  await until('the votes have not been told', async () => (await app('seen')).length >= 2);
  expect(await app('seen')).toEqual([event(userID, '1'), event('bob', '2')]);
}

test('npm installs it, with nothing else', () => {
  expect(readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['message-extensions']);
  expect(existsSync(join(project, 'node_modules/message-extensions/index.d.ts'))).toBe(true);
});

test('built by Vite, the page works, and loads its WebAssembly as a file of its own', async () => {
  await build(quiet());
  const assets = readdirSync(join(project, 'dist/assets'));
  expect(assets.filter((name) => name.endsWith('.wasm'))).toHaveLength(1);
  await works(`${server.url}/`);
});

test('served by Vite while the app is written, the page works', async () => {
  const vite = await createServer({ ...quiet(), server: { host: '127.0.0.1', port: 0, hmr: false } });
  try {
    await vite.listen();
    const { port } = vite.httpServer.address();
    await works(`http://127.0.0.1:${port}/index.html`, server.url);
  } finally {
    await vite.close();
  }
});
