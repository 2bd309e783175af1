// A client that comes back brings everything that it remembers up to date with one request.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startBrowser } from './support/browsers.js';
import { newUser } from './support/chat.js';
import { each, makeGroup, makeGroupMessage, makeMessage, set } from './support/messages.js';
import { startNetwork, startTabSite, Tab } from './support/tabs.js';
import { until } from './support/wait.js';

/** As many as a client remembers. */
const MESSAGES = 1000;
const UNLIMITED = ['--admin-calls-per-second', '0', '--user-calls-per-second', '0'];

let server;
let network;
let alice;

beforeAll(async () => {
  server = await startTabSite(UNLIMITED);
});
afterAll(() => server?.stopSite());
beforeEach(async () => {
  network = await startNetwork(server);
  alice = newUser('alice');
});
afterEach(() => network.close());

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

  test(`${MESSAGES} messages that were read come up to date after a reconnect with one request, and after a reload too`, async () => {
    const bob = newUser('bob');
    const group = `lunch-${alice}`;
    await makeGroup(server, group, [alice, bob]);
    const messages = await each(Array(MESSAGES).fill(), async (_, i) => {
      const message = i % 2 ? await makeGroupMessage(server, bob, group) : await makeMessage(server, bob, alice);
      await set(server, message, { a: '1' });
      return message;
    });
    await tab.login(alice);
    expect(await tab.do('readAll', messages)).toBe(MESSAGES);
    // A busy machine may break a connection, and the client asks again.
    expect(new Set(network.requests.map(({ command, body }) => command + JSON.stringify(body))).size).toBe(MESSAGES);
    expect(network.frames.filter(({ Type }) => Type === 'resume')).toEqual([]);

    const written = new Map();
    /** Comes back when some have changed; nothing is asked for but by the one frame. */
    async function comesBack(changed, value) {
      for (const { ID } of changed) written.set(ID, (written.get(ID) ?? 1) + 1);
      await each(changed, (message) => set(server, message, { a: value, [value]: value }));
      const [requests, frames] = [network.requests.length, network.frames.length];
      const asked = () => network.frames.slice(frames).filter(({ Type }) => Type !== 'ping');
      network.goUp();
      await tab.do('online');
      await until('nothing is asked', () => asked().some(({ Type }) => Type === 'resume'));
      // These wait for the answer, and are answered from memory.
      expect(await tab.do('readAll', messages)).toBe(MESSAGES + [...written.values()].reduce((sum, count) => sum + count - 1, 0));
      for (const message of [changed.at(0), changed.at(-1)]) {
        expect(await tab.call('getMessageExtensions', message, ['a'])).toEqual({ data: { extensions: [{ key: 'a', value }] } });
      }
      expect(await tab.told('onMessageExtensionsUpdated')).toHaveLength(changed.length);
      expect(network.requests).toHaveLength(requests);
      expect(asked().map(({ Type }) => Type)).toEqual(['login', 'resume']);
      expect(asked()[1].Messages).toHaveLength(MESSAGES);
    }

    network.goDown();
    await comesBack(messages.filter((_, i) => i % 10 === 8), '2');
    // All of them are kept.
    await tab.do('look', false);
    expect((await tab.do('stored', alice)).messages).toHaveLength(MESSAGES);
    network.goDown();
    await tab.load(network);
    await tab.login(alice);
    await comesBack(messages.filter((_, i) => i % 20 === 9), '3');
    expect(await tab.do('mistakes')).toEqual([]);
  });

  describe('a client that waits to connect again', () => {
    let watch;
    beforeEach(async () => {
      watch = await tab.do('watch', await makeMessage(server, alice, newUser('bob')));
      await tab.login(alice);
      await tab.showing(watch, 'not shown', ({ synced }) => synced);
      network.goDown();
      await tab.showing(watch, 'not offline', ({ synced }) => !synced);
      // It tries no more by itself.
      await tab.do('stopTime');
      await until('an attempt has not ended', () => tab.do('isClosed'));
      network.goUp();
    });
    test.each([
      ['the browser says that the network is back', () => tab.do('online')],
      ['the page is looked at again', () => tab.do('look', true)],
    ])('does so at once when %s', async (_, happens) => {
      const before = network.upgrades.length;
      await happens();
      await tab.showing(watch, 'not connected', ({ synced }) => synced);
      expect(network.upgrades.length).toBe(before + 1);
    });

    test('does not when the page is looked at no more, but when the network is back then', async () => {
      const before = network.upgrades.length;
      await tab.do('look', false);
      expect(await tab.do('isClosed')).toBe(true);
      await tab.do('online');
      await tab.showing(watch, 'not connected', ({ synced }) => synced);
      expect(network.upgrades.length).toBe(before + 1);
    });
  });
});
