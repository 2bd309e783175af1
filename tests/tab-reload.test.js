// What a page has read is there again when it is loaded again, for the same user, also without the network.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startBrowser } from './support/browsers.js';
import { newUser } from './support/chat.js';
import { get, makeGroup, makeGroupMessage, makeMessage, set } from './support/messages.js';
import { must } from './support/server.js';
import { loginOf, startNetwork, startTabSite, Tab } from './support/tabs.js';
import { until } from './support/wait.js';

let server;
let network;
let alice;
let message;

beforeAll(async () => {
  server = await startTabSite();
});
afterAll(() => server?.stopSite());

beforeEach(async () => {
  network = await startNetwork(server);
  alice = newUser('alice');
  message = await makeMessage(server, alice, newUser('bob'));
});
afterEach(() => network.close());

const AB = [['a', '1', 'confirmed'], ['b', '2', 'confirmed']];
const ready = { data: { actionStatus: 'OK', errorCode: 0, errorInfo: '' } };

/** The Seq up to which IndexedDB has a message; undefined when it does not have it. */
const storedSeq = async (tab, { random }) =>
  (await tab.do('stored', alice))?.messages.find(({ state }) => state.MsgKey.includes(`_${random}_`))?.state.LatestSeq;
const stored = (tab, of, seq) =>
  until('it has not been stored', async () => (await storedSeq(tab, of)) === seq);

describe.each(['Chromium', 'Firefox'])('in %s', (browser) => {
  let driver;
  let tab;
  beforeAll(async () => {
    driver = await startBrowser(browser);
  });
  afterAll(() => driver?.quit());
  beforeEach(async () => {
    tab = await Tab.first(driver, server);
    await tab.load(network);
  });

  /** Alice's page has shown the message, and stored it. */
  async function shownAndStored() {
    await set(server, message, { a: '1' });
    await set(server, message, { b: '2' });
    await tab.login(alice);
    expect(await tab.showing(await tab.do('watch', message), 'not shown', ({ synced }) => synced)).toEqual(AB);
    await stored(tab, message, 2);
  }

  test('loaded again without the network it shows the last state, says that there may be more, and the login resolves', async () => {
    await shownAndStored();
    network.goDown();
    await tab.load(network);
    const watch = await tab.do('watch', message);
    expect(await tab.login(alice)).toEqual(ready);
    expect(await tab.showing(watch, 'not shown', () => true)).toEqual(AB);
    expect((await tab.do('shown', watch)).synced).toBe(false);
    expect(await tab.call('getMessageExtensions', message, ['a'], { source: 'cache' })).toEqual({
      data: { extensions: [{ key: 'a', value: '1' }] },
    });
    const [{ state }] = (await tab.do('stored', alice)).messages;
    expect(state.ExtensionList.map(({ Key, Value, Seq, Author }) => [Key, Value, Seq, Author])).toEqual([
      ['a', '1', 1, 'administrator'],
      ['b', '2', 2, 'administrator'],
    ]);

    await set(server, message, { c: '3' });
    network.goUp();
    await tab.do('online');
    expect(await tab.showing(watch, 'not up to date', ({ synced }) => synced)).toEqual([...AB, ['c', '3', 'confirmed']]);
    expect(await tab.told('onMessageExtensionsUpdated')).toEqual([{ messageID: message.ID, extensions: [{ key: 'c', value: '3' }] }]);
    expect(await tab.do('mistakes')).toEqual([]);
  });

  test('what was stored is shown while the login still waits for the network', async () => {
    await shownAndStored();
    const letIn = network.shut();
    await tab.load(network);
    const watch = await tab.do('watch', message);
    await tab.do('begin', 'login', { userID: alice, userSig: 'not looked at before the server is there' });
    expect(await tab.showing(watch, 'not shown', () => true)).toEqual(AB);
    expect((await tab.do('snapshots', watch)).map(({ synced }) => synced)).toEqual([false]);
    expect(await tab.do('answer')).toBe(null);
    letIn();
    await until('the login has no answer', () => tab.do('answer'));
    expect(await tab.do('answer')).toEqual({ code: 70003 });
  });

  test('without the network a user of whom nothing is stored cannot log in, and sees nothing of another', async () => {
    await shownAndStored();
    network.goDown();
    await tab.load(network);
    const watch = await tab.do('watch', message);
    expect(await tab.login(newUser('carol'))).toEqual({ code: 2800 });
    expect((await tab.do('snapshots', watch)).flatMap(({ entries }) => entries)).toEqual([]);
  });

  test('another user of the page sees nothing that the first has stored', async () => {
    await shownAndStored();
    await tab.load(network);
    const carol = newUser('carol');
    expect(await tab.login(carol)).toEqual(ready);
    expect(await tab.call('getMessageExtensions', message, undefined, { source: 'cache' })).toEqual({ code: 9006 });
    expect(await tab.call('getMessageExtensions', message)).toEqual({ code: 23004 });
    expect((await tab.do('stored', carol)).messages).toEqual([]);
    expect(await storedSeq(tab, message)).toBe(2);
  });

  test('logout keeps what is stored, and what has just come too', async () => {
    await shownAndStored();
    await tab.do('stopTime');
    await set(server, message, { c: '3' });
    await until('the change has not come', async () => (await tab.told('onMessageExtensionsUpdated')).length === 1);
    expect(await storedSeq(tab, message)).toBe(2);
    await tab.call('logout');
    expect(await storedSeq(tab, message)).toBe(3);
  });

  test('logout({clear: true}) leaves nothing of the user', async () => {
    await shownAndStored();
    expect(await tab.call('logout', { clear: true })).toEqual(ready);
    expect(await tab.do('stored', alice)).toEqual({ messages: [], queued: [] });
    network.goDown();
    await tab.load(network);
    expect(await tab.login(alice)).toEqual({ code: 2800 });
  });

  describe.each([
    ['before the wasm is there', (...calls) => tab.load(network, {}, calls)],
    [
      'before the store is open',
      async (...calls) => {
        await tab.load(network);
        // Waits for the wasm.
        await tab.call('logout');
        return tab.do('callAll', calls);
      },
    ],
  ])('logout({clear: true}) right after login, %s,', (_, callAll) => {
    const clear = ['logout', { clear: true }];

    test('leaves nothing of the user', async () => {
      await shownAndStored();
      await tab.call('logout');
      expect(await storedSeq(tab, message)).toBe(2);
      expect(await callAll(loginOf(alice), clear)).toEqual([{ code: 3005 }, ready]);
      expect(await tab.do('stored', alice)).toEqual({ messages: [], queued: [] });
      expect(await tab.told('error')).toEqual([]);
    });

    test('and right before the login of another user, leaves nothing of the first and everything of the second', async () => {
      const bob = message.to;
      await shownAndStored();
      await tab.login(bob);
      await tab.call('getMessageExtensions', message);
      await tab.call('logout');
      const before = await tab.do('stored', bob);
      expect(before.messages).toHaveLength(1);
      expect(await storedSeq(tab, message)).toBe(2);
      expect(await callAll(loginOf(alice), clear, loginOf(bob))).toEqual([{ code: 3005 }, ready, ready]);
      expect(await tab.do('stored', alice)).toEqual({ messages: [], queued: [] });
      expect(await tab.do('stored', bob)).toEqual(before);
      // Bob's is the session's store, which goes on.
      await set(server, message, { c: '3' });
      await until('the change has not come', async () => (await tab.told('onMessageExtensionsUpdated')).length);
      await tab.call('logout');
      expect((await tab.do('stored', bob)).messages.map(({ state }) => state.LatestSeq)).toEqual([3]);
      expect(await tab.do('stored', alice)).toEqual({ messages: [], queued: [] });
      expect(await tab.told('error')).toEqual([]);
    });
  });

  test('of a message that the user may not see any more nothing stays', async () => {
    const group = newUser('lunch');
    await makeGroup(server, group, [newUser('bob'), alice]);
    const theirs = await makeGroupMessage(server, alice, group);
    await tab.login(alice);
    await tab.call('getMessageExtensions', theirs);
    await tab.do('look', false);
    expect((await tab.do('stored', alice)).messages.map(({ state }) => state.GroupId)).toEqual([group]);
    await must(server.call('group_open_http_svc/delete_group_member', { GroupId: group, MemberToDel_Account: [alice] }));
    await until('it is still stored', async () => (await tab.do('stored', alice)).messages.length === 0);
  });

  test('with persistence: false nothing is stored', async () => {
    await tab.load(network, { persistence: false });
    await set(server, message, { a: '1' });
    await tab.login(alice);
    await tab.showing(await tab.do('watch', message), 'not shown', ({ synced }) => synced);
    await tab.call('logout');
    expect(await tab.do('stored', alice)).toBe(null);
  });

  test('a page that is not looked at any more stores what it has at once', async () => {
    await shownAndStored();
    await tab.do('stopTime');
    await set(server, message, { c: '3' });
    await until('the change has not come', async () => (await tab.told('onMessageExtensionsUpdated')).length === 1);
    expect(await storedSeq(tab, message)).toBe(2);
    await tab.do('look', false);
    expect(await storedSeq(tab, message)).toBe(3);
  });

  test('what one tab has stored is not overwritten by an older state of another', async () => {
    await shownAndStored();
    // The other tab has something to store, is cut off before it does, and does so when more has happened.
    const [old, other] = [await tab.another(), await makeMessage(server, alice, newUser('bob'))];
    await old.load(network);
    await old.login(alice);
    await old.call('getMessageExtensions', message);
    await old.do('stopTime');
    await old.call('getMessageExtensions', other);
    await set(server, message, { c: '3' });
    await until('the change has not come', async () => (await old.told('onMessageExtensionsUpdated')).length === 1);
    await old.do('cutOff');
    await stored(tab, message, 3);
    await set(server, message, { d: '4' });
    await stored(tab, message, 4);
    expect(await storedSeq(tab, other)).toBe(undefined);

    await old.do('look', false);
    // Of this message it knew most, so it has been stored.
    expect(await storedSeq(old, other)).toBe(0);
    expect(await storedSeq(old, message)).toBe(4);
    await old.close();
    network.goDown();
    await tab.load(network);
    await tab.login(alice);
    expect(await tab.showing(await tab.do('watch', message), 'not shown', () => true)).toEqual([
      ...AB,
      ['c', '3', 'confirmed'],
      ['d', '4', 'confirmed'],
    ]);
    expect((await get(server, message)).seq).toBe(4);
  });
});
