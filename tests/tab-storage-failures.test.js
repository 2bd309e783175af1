// Where IndexedDB cannot be used, or not any more, one event says so; everything else works, and lasts as long as the page.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startBrowser } from './support/browsers.js';
import { closeAll, login, newUser } from './support/chat.js';
import { get, makeMessage, set } from './support/messages.js';
import { brief, startNetwork, startTabSite, Tab } from './support/tabs.js';
import { until } from './support/wait.js';

let server;
let network;
let alice;
let bob;
let message;

beforeAll(async () => {
  server = await startTabSite();
});
afterAll(() => server?.stopSite());

beforeEach(async () => {
  network = await startNetwork(server);
  alice = newUser('alice');
  bob = await login(server.url, newUser('bob'));
  message = await makeMessage(server, alice, bob.userID);
});
afterEach(async () => {
  await closeAll();
  await network.close();
});

const ready = { data: { actionStatus: 'OK', errorCode: 0, errorInfo: '' } };

/** Alice's page reads, watches, writes, and writes offline. */
async function everythingWorks(tab) {
  await set(server, message, { theirs: '1' });
  const watch = await tab.do('watch', message);
  await tab.showing(watch, 'not shown', ({ synced }) => synced);
  expect(await tab.call('getMessageExtensions', message, ['theirs'])).toEqual({ data: { extensions: [{ key: 'theirs', value: '1' }] } });
  await tab.call('setMessageExtensions', message, [{ key: 'mine', value: '1' }]);
  // Whatever is to be stored is.
  await tab.do('look', false);
  await tab.do('look', true);

  network.goDown();
  await tab.showing(watch, 'not offline', ({ synced }) => !synced);
  const { data } = await tab.call('setMessageExtensions', message, [{ key: 'mine', value: '2' }]);
  expect(data).toEqual({ extensions: [{ code: 0, key: 'mine', value: '2', queued: true }] });
  expect(brief(await tab.do('shown', watch))).toEqual([['theirs', '1', 'confirmed'], ['mine', '2', 'queued']]);
  network.goUp();
  await tab.do('online');
  const shown = await tab.showing(watch, 'not sent', ({ entries, synced }) => synced && entries.every(({ status }) => status === 'confirmed'));
  expect(shown).toEqual([['theirs', '1', 'confirmed'], ['mine', '2', 'confirmed']]);
  await until('Bob was not told', () => bob.changes().filter(({ messageID }) => messageID === message.ID).length === 3);
  expect(await get(server, message)).toEqual({ seq: 3, values: { theirs: '1', mine: '2' } });
  expect(await tab.told('onMessageExtensionsConflict')).toEqual([]);
}

/** One event has told of it, and the page has nothing to complain about. */
async function isTold(tab, times, because) {
  await until('it was not told', async () => (await tab.told('error')).length >= times);
  const errors = await tab.told('error');
  expect(errors.map(({ code }) => code)).toEqual(Array(times).fill(9007));
  if (times) expect(errors[0].message).toMatch(because);
  expect(await tab.do('mistakes')).toEqual([]);
}

describe.each(['Chromium', 'Firefox'])('in %s', (browser) => {
  let driver;
  let tab;
  beforeAll(async () => {
    driver = await startBrowser(browser);
  });
  afterAll(() => driver?.quit());
  beforeEach(async () => {
    tab = await Tab.first(driver, server);
    await tab.load(network, { offline: true });
  });

  test.each([
    ['it may not be opened', /SecurityError: storage is blocked/, { code: 9007 }],
    ['opening it never ends', /no answer in time/, { code: 9007 }],
    ['a newer version of it is there', /VersionError/, { code: 9007 }],
    ['it is full', /QuotaExceededError: no room/, ready],
    ['it turns out to be full', /AbortError/, ready],
  ])('%s: one event tells, and everything else works', async (fault, because, cleared) => {
    await tab.do('break', fault, alice);
    expect(await tab.login(alice)).toEqual(ready);
    await everythingWorks(tab);
    await isTold(tab, 1, because);
    // Nobody is told that all is forgotten when it may not be.
    expect(await tab.call('logout', { clear: true })).toEqual(cleared);
    // Another login tries again, and tells again.
    expect(await tab.login(alice)).toEqual(ready);
    expect(await tab.call('getMessageExtensions', message, ['mine'])).toEqual({ data: { extensions: [{ key: 'mine', value: '2' }] } });
    await tab.do('look', false);
    await isTold(tab, 2, because);
  });

  test('a newer version of it is wanted: it is let go, one event tells, and everything else works', async () => {
    expect(await tab.login(alice)).toEqual(ready);
    // Ends when nobody has the old one open any more.
    await tab.do('break', 'a newer version of it is wanted', alice);
    await everythingWorks(tab);
    await isTold(tab, 1, /newer version/);
  });

  test('it is busy for ever: logout({clear: true}) says that it could not be cleared', async () => {
    expect(await tab.login(alice)).toEqual(ready);
    await tab.do('break', 'it is busy', alice);
    expect(await tab.call('logout', { clear: true })).toEqual({ code: 9007 });
    expect(await tab.do('mistakes')).toEqual([]);
  });

  test.each(['before', 'after'])('it is busy for longer than is waited for, until %s a write is sent: once, and nothing is left of it', async (end) => {
    expect(await tab.login(alice)).toEqual(ready);
    const watch = await tab.do('watch', message);
    await tab.showing(watch, 'not shown', ({ synced }) => synced);
    await tab.do('break', 'it is busy', alice);
    network.goDown();
    await tab.showing(watch, 'not offline', ({ synced }) => !synced);
    const { data } = await tab.call('setMessageExtensions', message, [{ key: 'mine', value: '1' }]);
    expect(data).toEqual({ extensions: [{ code: 0, key: 'mine', value: '1', queued: true }] });
    const isBusyNoMore = async (left) => {
      await tab.do('break', 'it is busy no more', alice);
      expect((await tab.do('stored', alice)).queued).toHaveLength(left);
    };
    if (end === 'before') await isBusyNoMore(1);
    network.goUp();
    await tab.do('online');
    const isSent = ({ entries, synced }) => synced && entries.every(({ status }) => status === 'confirmed');
    expect(await tab.showing(watch, 'not sent', isSent)).toEqual([['mine', '1', 'confirmed']]);
    if (end === 'after') await isBusyNoMore(0);
    // A page that is loaded again finds nothing that waits.
    await tab.load(network, { offline: true });
    await tab.login(alice);
    await tab.call('setMessageExtensions', message, [{ key: 'last', value: 'z' }]);
    expect(network.of('openim_msg_ext_http_svc/set_key_values')).toHaveLength(2);
    expect((await tab.do('stored', alice)).queued).toEqual([]);
    expect(await tab.told('onMessageExtensionsConflict')).toEqual([]);
  });

  test('a record is rubbish: the rest is there, and nothing needs to be told', async () => {
    const other = await makeMessage(server, alice, bob.userID);
    await set(server, other, { a: '1' });
    await tab.login(alice);
    await tab.call('getMessageExtensions', other);
    await tab.call('logout');
    await tab.do('break', 'a record is rubbish', alice);
    await tab.load(network, { offline: true });
    expect(await tab.login(alice)).toEqual(ready);
    expect(await tab.call('getMessageExtensions', other, undefined, { source: 'cache' })).toEqual({
      data: { extensions: [{ key: 'a', value: '1' }] },
    });
    await everythingWorks(tab);
    await isTold(tab, 0);
  });

  test('the record of a message is rubbish: it is read again, and stored', async () => {
    await set(server, message, { a: '1' });
    await tab.login(alice);
    await tab.call('getMessageExtensions', message);
    await tab.call('logout');
    await tab.do('break', 'every record is rubbish', alice);
    await tab.load(network);
    expect(await tab.login(alice)).toEqual(ready);
    expect(await tab.call('getMessageExtensions', message)).toEqual({ data: { extensions: [{ key: 'a', value: '1' }] } });
    await tab.call('logout');
    expect((await tab.do('stored', alice)).messages.map(({ state }) => state.LatestSeq)).toEqual([1]);
    await isTold(tab, 0);
  });
});

test.each(['Chromium', 'Firefox'])('in a private window of %s everything works, and nothing needs to be told', async (browser) => {
  const driver = await startBrowser(browser, { isPrivate: true });
  try {
    const tab = await Tab.first(driver, server);
    await tab.load(network, { offline: true });
    expect(await tab.login(alice)).toEqual(ready);
    await everythingWorks(tab);
    await isTold(tab, 0);
    // As long as the window is open.
    network.goDown();
    await tab.load(network);
    expect(await tab.login(alice)).toEqual(ready);
  } finally {
    await driver.quit();
  }
});
