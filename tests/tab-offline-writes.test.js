// Writes made offline wait in the browser, for all tabs of the user, and arrive once each, in order.

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
  // He is told of every change that the server accepts, once.
  bob = await login(server.url, newUser('bob'));
  message = await makeMessage(server, alice, bob.userID);
});
afterEach(async () => {
  await closeAll();
  await network.close();
});

const OFFLINE = { offline: true };
const confirmed = ({ entries, synced }) => synced && entries.every(({ status }) => status === 'confirmed');
const queued = (key, value) => ({ data: { extensions: [{ code: 0, key, value, queued: true }] } });

/** The writes that have reached the server's door: the request id of each. */
const sent = () => network.of('openim_msg_ext_http_svc/set_key_values').map(({ url }) => url.searchParams.get('requestid'));
/** What Bob was told, one change after the other. */
const told = () => bob.changes().map(({ extensions, keyList }) => extensions?.map(({ key, value }) => `${key}=${value}`).join() ?? `-${keyList}`);

describe.each(['Chromium', 'Firefox'])('in %s', (browser) => {
  let driver;
  let tab;
  beforeAll(async () => {
    driver = await startBrowser(browser);
  });
  afterAll(() => driver?.quit());

  /** Alice's tab is loaded, logged in, and shows the message; gives the watch. */
  async function shows(on) {
    await on.load(network, OFFLINE);
    const watch = await on.do('watch', message);
    await on.login(alice);
    await on.showing(watch, 'not shown', () => true);
    return watch;
  }
  beforeEach(async () => {
    tab = await Tab.first(driver, server);
  });

  const setIn = (on, key, value) => on.call('setMessageExtensions', message, [{ key, value }]);
  const goDown = async (...watches) => {
    network.goDown();
    for (const [on, watch] of watches) await on.showing(watch, 'not offline', ({ synced }) => !synced);
  };
  const goUp = async (...tabs) => {
    network.goUp();
    for (const on of tabs) await on.do('online');
  };
  const stored = async () => (await tab.do('stored', alice)).queued;
  /** Nothing waits any more: a page that is loaded again sends nothing. */
  async function nothingIsLeft() {
    const before = sent().length;
    await until('something is left', async () => (await stored()).length === 0);
    const watch = await shows(tab);
    await tab.showing(watch, 'not up to date', confirmed);
    // One more goes behind all that might wait.
    await setIn(tab, 'last', 'z');
    expect(sent()).toHaveLength(before + 1);
    await until('it has not arrived', () => told().at(-1) === 'last=z');
  }

  test('made in two tabs, one of which is loaded again before the network is back, they arrive once each', async () => {
    const one = await shows(tab);
    const other = await tab.another();
    const two = await shows(other);
    await goDown([tab, one], [other, two]);
    expect(await setIn(tab, 'a', '1')).toEqual(queued('a', '1'));
    expect(await setIn(other, 'b', '1')).toEqual(queued('b', '1'));
    expect(brief(await tab.do('shown', one))).toEqual([['a', '1', 'queued']]);
    expect(brief(await other.do('shown', two))).toEqual([['b', '1', 'queued']]);

    const again = await shows(tab);
    expect(brief(await tab.do('shown', again))).toEqual([['a', '1', 'queued'], ['b', '1', 'queued']]);
    expect(await setIn(tab, 'c', '1')).toEqual(queued('c', '1'));
    expect((await stored()).map(({ ExtensionList }) => ExtensionList[0].Key)).toEqual(['a', 'b', 'c']);
    expect(sent()).toEqual([]);

    await goUp(tab, other);
    for (const [on, watch] of [[tab, again], [other, two]]) {
      const shown = await on.showing(watch, 'not confirmed', (snapshot) => confirmed(snapshot) && snapshot.entries.length === 3);
      expect(shown.sort()).toEqual([['a', '1', 'confirmed'], ['b', '1', 'confirmed'], ['c', '1', 'confirmed']]);
      expect(await on.told('onMessageExtensionsConflict')).toEqual([]);
      expect(await on.do('mistakes')).toEqual([]);
    }
    expect(sent()).toHaveLength(3);
    expect(new Set(sent()).size).toBe(3);
    await other.close();
    await nothingIsLeft();
    expect(told()).toEqual(['a=1', 'b=1', 'c=1', 'last=z']);
    expect((await get(server, message)).seq).toBe(4);
  });

  test.each([
    ['closed', (other) => other.close()],
    ['left for another page', (other) => other.leave()],
  ])('one of a tab that is %s is sent by another, which has made none, once', async (_, goes) => {
    const one = await shows(tab);
    const other = await tab.another();
    const two = await shows(other);
    await goDown([tab, one], [other, two]);
    expect(await setIn(other, 'k', '1')).toEqual(queued('k', '1'));
    await goes(other);
    expect(brief(await tab.do('shown', one))).toEqual([]);
    expect(sent()).toEqual([]);

    await goUp(tab);
    await tab.showing(one, 'not sent', (snapshot) => confirmed(snapshot) && snapshot.entries.length === 1);
    expect(sent()).toHaveLength(1);
    expect(await tab.told('onMessageExtensionsConflict')).toEqual([]);
    await nothingIsLeft();
    expect(told()).toEqual(['k=1', 'last=z']);
  });

  test('each is made on top of the one before, also over a reload: all are accepted, in order', async () => {
    await set(server, message, { k: '0' });
    const before = await shows(tab);
    await tab.showing(before, 'not up to date', confirmed);
    await goDown([tab, before]);
    await setIn(tab, 'k', '1');
    await setIn(tab, 'k', '2');
    expect(brief(await tab.do('shown', before))).toEqual([['k', '2', 'queued']]);
    const watch = await shows(tab);
    expect(brief(await tab.do('shown', watch))).toEqual([['k', '2', 'queued']]);
    expect(await tab.call('deleteMessageExtensions', message, ['k'])).toEqual(queued('k', ''));
    await setIn(tab, 'k', '4');

    await goUp(tab);
    expect(await tab.showing(watch, 'not confirmed', confirmed)).toEqual([['k', '4', 'confirmed']]);
    expect(await tab.told('onMessageExtensionsConflict')).toEqual([]);
    await nothingIsLeft();
    expect(told()).toEqual(['k=0', 'k=1', 'k=2', '-k', 'k=4', 'last=z']);
  });

  test('one that has lost against another user is told with both values, after a reload too', async () => {
    const before = await shows(tab);
    await goDown([tab, before]);
    await setIn(tab, 'k', 'mine');
    const watch = await shows(tab);
    await set(server, message, { k: 'theirs' });
    await goUp(tab);
    await tab.showing(watch, 'no conflict', ({ entries }) => entries[0].status === 'conflict');
    expect(brief(await tab.do('shown', watch))).toEqual([['k', 'theirs', 'conflict']]);
    expect(await tab.told('onMessageExtensionsConflict')).toEqual([
      { messageID: message.ID, extensions: [{ code: 23001, key: 'k', value: 'mine', current: 'theirs' }] },
    ]);
    await nothingIsLeft();
    expect(told()).toEqual(['k=theirs', 'last=z']);
  });

  test('one whose answer was lost with the page is not done twice', async () => {
    const before = await shows(tab);
    await goDown([tab, before]);
    await setIn(tab, 'k', '1');
    // The server gets it and answers, and the answer does not arrive.
    network.treatAnswer = () => {
      network.goDown();
      return 'lost';
    };
    await goUp(tab);
    await until('it has not arrived', () => told().length === 1);
    network.treatAnswer = () => undefined;
    const watch = await shows(tab);
    expect(brief(await tab.do('shown', watch))).toEqual([['k', '1', 'queued']]);
    await goUp(tab);
    expect(await tab.showing(watch, 'not confirmed', confirmed)).toEqual([['k', '1', 'confirmed']]);
    expect(await tab.told('onMessageExtensionsConflict')).toEqual([]);
    expect(new Set(sent()).size).toBe(1);
    await nothingIsLeft();
    expect(told()).toEqual(['k=1', 'last=z']);
  });

  test('logout({clear: true}) forgets those that wait', async () => {
    const before = await shows(tab);
    await goDown([tab, before]);
    await setIn(tab, 'k', '1');
    expect(await stored()).toHaveLength(1);
    await tab.call('logout', { clear: true });
    expect(await stored()).toEqual([]);
    await goUp(tab);
    await nothingIsLeft();
    expect(told()).toEqual(['last=z']);
  });

  test('after logout without it they wait for the next login', async () => {
    const before = await shows(tab);
    await goDown([tab, before]);
    await setIn(tab, 'k', '1');
    await tab.call('logout');
    expect(await stored()).toHaveLength(1);
    await goUp(tab);
    await tab.login(alice);
    await until('it has not arrived', () => told().length === 1);
    await nothingIsLeft();
    expect(told()).toEqual(['k=1', 'last=z']);
  });
});
