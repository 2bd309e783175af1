// Where a read is answered from: memory when that is certain to be right, the server otherwise, or as the caller says.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeAll, login, newUser } from './support/chat.js';
import { CUT, startGateway } from './support/gateway.js';
import { makeMessage, set } from './support/messages.js';
import { startServer } from './support/server.js';
import { until } from './support/wait.js';

let server;
let gateway;
let alice;
let message;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  gateway = await startGateway(server);
  alice = await login(gateway.url, newUser('alice'));
  message = await makeMessage(server, alice.userID, newUser('bob'));
  await set(server, message, { a: '1', b: '2' });
});
afterEach(async () => {
  await closeAll();
  await gateway.close();
});

const read = async (...args) => (await alice.getMessageExtensions(message, ...args)).data.extensions;
const A = [{ key: 'a', value: '1' }];
const AB = [...A, { key: 'b', value: '2' }];

/** No connection, and none can be made. */
function goOffline() {
  gateway.treat = () => CUT;
  gateway.refuseUpgrades = true;
  gateway.cut();
}

describe('while the connection is live', () => {
  test('the first read of a message asks the server, and no later one does', async () => {
    expect(await read()).toEqual(AB);
    expect(gateway.requests).toHaveLength(1);
    expect(await read()).toEqual(AB);
    expect(await read(['a', 'c'])).toEqual(A);
    await set(server, message, { a: '3' });
    await until('the change has not come', () => alice.changes().at(-1)?.extensions[0].value === '3');
    expect(await read(['a'])).toEqual([{ key: 'a', value: '3' }]);
    expect(gateway.requests).toHaveLength(1);
  });

  test('reads at once share one request', async () => {
    const all = await Promise.all([read(), read(['a']), read(['b']), read()]);
    expect(all).toEqual([AB, A, [AB[1]], AB]);
    expect(gateway.requests).toHaveLength(1);
  });

  test('what one has written is read without a request', async () => {
    await read();
    await alice.setMessageExtensions(message, [{ key: 'c', value: '3' }]);
    expect(await read(['c'])).toEqual([{ key: 'c', value: '3' }]);
    expect(gateway.of('openim_msg_ext_http_svc/get_key_values')).toHaveLength(1);
  });

  test("source: 'server' asks the server each time, for what is new", async () => {
    await read();
    for (const requests of [2, 3]) {
      expect(await read(undefined, { source: 'server' })).toEqual(AB);
      expect(gateway.requests).toHaveLength(requests);
    }
    expect(gateway.requests.map(({ body }) => JSON.parse(body).StartSeq)).toEqual([undefined, 2, 2]);
  });
});

test("source: 'cache' answers at once without the network, as do its keys", async () => {
  await read();
  goOffline();
  const { length } = gateway.requests;
  expect(await read(undefined, { source: 'cache' })).toEqual(AB);
  expect(await read(['a'], { source: 'cache' })).toEqual(A);
  expect(gateway.requests).toHaveLength(length);
});

test("source: 'cache' of a message that was never read rejects with 9006, and asks nobody", async () => {
  await expect(read(undefined, { source: 'cache' })).rejects.toMatchObject({ name: 'MessageExtensionError', code: 9006 });
  expect(gateway.requests).toEqual([]);
  // Neither does a change that was pushed make it known.
  await set(server, message, { a: '3' });
  await until('the change has not come', () => alice.changes().length);
  await expect(read(undefined, { source: 'cache' })).rejects.toMatchObject({ code: 9006 });
  expect(gateway.requests).toEqual([]);
});

test.each([['memory'], [''], [1], [null]])('a source that is none rejects with 9001: %j', async (source) => {
  const answer = read(undefined, { source });
  await expect(answer).rejects.toMatchObject({ code: 9001, message: expect.stringContaining('source') });
  expect(gateway.requests).toEqual([]);
});

test('options without a source are as none', async () => {
  expect(await read(undefined, {})).toEqual(AB);
  expect(await read(undefined, undefined)).toEqual(AB);
  expect(gateway.requests).toHaveLength(1);
});
