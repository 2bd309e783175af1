// Every JavaScript sample of seeds 000 and 001, letter by letter (`samples/`; in 001 the line breaks are restored), runs
// unchanged in real browsers, in pages of the real server, by the author of the message and by the other user.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { callPage, startBrowser } from './support/browsers.js';
import { startGateway } from './support/gateway.js';
import { APP, must, sign, startServer } from './support/server.js';
import { makeSite } from './support/site.js';
import { until } from './support/wait.js';

const A1 = { key: 'a', value: '1' };
const B2 = { key: 'b', value: '2' };
const UPDATED = 'onMessageExtensionsUpdated';
const DELETED = 'onMessageExtensionsDeleted';

let site;
let server;
/** The other user's client goes through it. */
let gateway;

beforeAll(async () => {
  site = makeSite();
  server = await startServer({ staticDir: site.folder });
  gateway = await startGateway(server);
});
afterAll(async () => {
  await gateway.close();
  await server.stop();
  site.remove();
});

let pages = 0;

describe.each(['Chromium', 'Firefox'])('in %s', (browser) => {
  let driver;
  beforeAll(async () => {
    driver = await startBrowser(browser);
  });
  afterAll(() => driver?.quit());

  describe.each([
    ['000', 'C2C'],
    ['000', 'GROUP'],
    ['001', 'C2C'],
    ['001', 'GROUP'],
  ])('the samples of seed %s on a %s message', (seed, conversationType) => {
    const stage = (method, ...args) => callPage(driver, 'stage', method, ...args);
    const run = (name, sample) => stage('run', name, `${seed}_${sample}`);
    const set = (name, ...extensions) => stage('call', name, 'setMessageExtensions', extensions);
    const read = async (name) => (await stage('call', name, 'getMessageExtensions')).data.extensions;
    let messageID;

    beforeEach(async () => {
      pages += 1;
      const [author, other] = [`author-${pages}`, `other-${pages}`];
      let to = other;
      if (conversationType === 'GROUP') {
        to = `lunch-${pages}`;
        const group = { Owner_Account: author, Type: 'Public', Name: 'Lunch', GroupId: to, MemberList: [{ Member_Account: other }] };
        await must(server.call('group_open_http_svc/create_group', group));
      }
      const users = [
        { name: 'author', userID: author, userSig: sign(author) },
        { name: 'other', userID: other, userSig: sign(other), endpoint: gateway.url },
      ];
      const fragment = encodeURIComponent(JSON.stringify({ app: APP, conversationType, to, users }));
      await driver.get(`${server.url}/two-users.html?${pages}#${fragment}`);
      messageID = await stage('open');
      // The event samples add the handlers whose calls the other tests look at.
      for (const { name } of users) {
        await run(name, 'updated');
        await run(name, 'deleted');
      }
    });

    const updated = (...extensions) => ({ name: UPDATED, data: { messageID, extensions } });
    const deleted = (...keyList) => ({ name: DELETED, data: { messageID, keyList } });

    /** The handlers of both users' samples were called with just these; nothing was warned of, nothing thrown. */
    async function handled(...events) {
      for (const name of ['author', 'other']) {
        let record;
        await until(
          () => `${name} was told ${JSON.stringify(events)}: ${JSON.stringify(record)}`,
          async () => (record = await stage('record', name)).handled.length >= events.length,
        );
        for (const { data } of record.handled) data.keyList?.sort();
        expect(record).toMatchObject({ handled: events, warn: [], errors: [] });
      }
    }

    describe.each(['author', 'other'])('run by the %s', (name) => {
      test('set: every item is set, and both are told', async () => {
        await run(name, 'set');
        expect(await stage('result', name)).toEqual({ code: 0, data: { extensions: [{ code: 0, ...A1 }, { code: 0, ...B2 }] } });
        await handled(updated(A1, B2));
      });

      test('get: every key and value is there', async () => {
        await set('author', A1, B2);
        await run(name, 'get');
        expect(await stage('result', name)).toEqual({ code: 0, data: { extensions: [A1, B2] } });
        await handled(updated(A1, B2));
      });

      test('delete: the named keys are gone, and both are told', async () => {
        await set('author', A1, B2, { key: 'c', value: '3' });
        await handled(updated(A1, B2, { key: 'c', value: '3' }));
        await run(name, 'delete');
        const gone = ['a', 'b'].map((key) => ({ code: 0, key, value: '' }));
        expect(await stage('result', name)).toEqual({ code: 0, data: { extensions: gone } });
        await handled(updated(A1, B2, { key: 'c', value: '3' }), deleted('a', 'b'));
        expect(await read(name)).toEqual([{ key: 'c', value: '3' }]);
      });

      test('clear: every key is gone, and both are told which', async () => {
        await set('author', A1, B2);
        await set('author', { key: 'c', value: '3' });
        await handled(updated(A1, B2), updated({ key: 'c', value: '3' }));
        await run(name, 'clear');
        const answer = { code: 0, data: { extensions: [] } };
        expect(await stage('result', name)).toEqual(answer);
        await handled(updated(A1, B2), updated({ key: 'c', value: '3' }), deleted('a', 'b', 'c'));
        expect((await stage('record', name)).log).toEqual([['deleteMessageExtensions ok:', answer]]);
        expect(await read(name)).toEqual([]);
      });

      test('the calls alone, as the interface is written', async () => {
        await stage('give', name, { extensions: [A1, B2], keyList: ['a'] });
        await run(name, 'set_interface');
        await handled(updated(A1, B2));
        await run(name, 'get_interface');
        await run(name, 'delete_interface');
        await handled(updated(A1, B2), deleted('a'));
        expect(await read(name)).toEqual([B2]);
      });
    });

    const A9 = { key: 'a', value: '9' };

    test('set, when the other has written first: 23001 with their value; tried again it is set', async () => {
      const hear = gateway.holdPush();
      await set('author', A9);
      await run('other', 'set');
      expect(await stage('result', 'other')).toEqual({ code: 0, data: { extensions: [{ code: 23001, ...A9 }, { code: 0, ...B2 }] } });
      expect(await set('other', A1)).toEqual({ code: 0, data: { extensions: [{ code: 0, ...A1 }] } });
      hear();
      await handled(updated(A9), updated(B2), updated(A1));
    });

    test('delete, when the other has written first: 23001 with their value; tried again it is deleted', async () => {
      const hear = gateway.holdPush();
      await set('author', A9);
      await run('other', 'delete');
      expect(await stage('result', 'other')).toEqual({
        code: 0,
        data: { extensions: [{ code: 23001, ...A9 }, { code: 0, key: 'b', value: '' }] },
      });
      await stage('call', 'other', 'deleteMessageExtensions', ['a']);
      hear();
      await handled(updated(A9), deleted('a'));
    });
  });
});
