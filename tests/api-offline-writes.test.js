// Writes made offline where there is no IndexedDB: they wait in memory, as long as the page and the next login is of the
// same user.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeAll, login, newUser } from './support/chat.js';
import { HOLD, startGateway } from './support/gateway.js';
import { get, makeMessage, set } from './support/messages.js';
import { sign, startServer } from './support/server.js';
import { deferred, until } from './support/wait.js';

const SET = 'openim_msg_ext_http_svc/set_key_values';
const EXPIRED = JSON.stringify({ ActionStatus: 'FAIL', ErrorCode: 70001, ErrorInfo: 'expired' });

let server;
let gateway;
let alice;
let bob;
let message;
let snapshots;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  gateway = await startGateway(server);
  alice = await login(gateway.url, newUser('alice'), { offline: true });
  // He is told of every change that the server accepts, once.
  bob = await login(server.url, newUser('bob'));
  message = await makeMessage(server, alice.userID, bob.userID);
  snapshots = [];
  alice.watchMessageExtensions(message, (snapshot) => snapshots.push(snapshot));
  await until('nothing is shown', () => snapshots.at(-1)?.synced);
});
afterEach(async () => {
  await closeAll();
  await gateway.close();
});

const shown = () => snapshots.at(-1).entries.map(({ key, value, status }) => [key, value, status]);
const isShown = (...entries) => until(() => `shows ${shown()}`, () => JSON.stringify(shown()) === JSON.stringify(entries));
/** What Bob was told, one change after the other. */
const told = () => bob.changes().map(({ extensions, keyList }) => extensions?.map(({ key, value }) => `${key}=${value}`).join() ?? `-${keyList}`);
const isTold = (...changes) => until(() => `Bob was told ${told()}`, () => told().join() === changes.join());
/** The writes that have reached the server's door: the request id of each. */
const sent = () => gateway.of(SET).map(({ url }) => url.searchParams.get('requestid'));

const loginAs = (userID) => alice.login({ userID, userSig: sign(userID) });
const write = (value) => alice.setMessageExtensions(message, [{ key: 'a', value }]);
const queued = (value) => ({ code: 0, data: { extensions: [{ code: 0, key: 'a', value, queued: true }] } });

async function goDown() {
  gateway.isOpen = false;
  gateway.cut();
  await until('not offline', () => !snapshots.at(-1).synced);
}
const goUp = () => {
  gateway.isOpen = true;
};

/** The session ends, and nothing was sent. */
const ENDS = [
  [
    'logout',
    async () => {
      await alice.logout();
      goUp();
    },
  ],
  [
    'the signature has expired',
    async () => {
      gateway.treat = () => EXPIRED;
      goUp();
      await until('the session has not ended', () => alice.data('SDK_NOT_READY').length);
      gateway.treat = () => undefined;
    },
  ],
];

describe.each(ENDS)('one that waits when the session ends (%s)', (_, end) => {
  test('is sent after the next login of the same user, once', async () => {
    await goDown();
    expect(await write('1')).toEqual(queued('1'));
    await end();
    expect(told()).toEqual([]);
    await loginAs(alice.userID);
    await isShown(['a', '1', 'confirmed']);
    // Whatever else is sent comes first.
    await set(server, message, { last: 'z' });
    await isTold('a=1', 'last=z');
    expect(new Set(sent()).size).toBe(1);
    expect(alice.data('MESSAGE_EXTENSIONS_CONFLICT')).toEqual([]);
    // It waits no more: one more login sends nothing.
    const { length } = sent();
    await alice.logout();
    await loginAs(alice.userID);
    expect((await alice.setMessageExtensions(message, [{ key: 'b', value: '1' }])).data.extensions).toEqual([{ code: 0, key: 'b', value: '1' }]);
    expect(sent()).toHaveLength(length + 1);
  });

  test('is not sent after the login of another user', async () => {
    await goDown();
    expect(await write('1')).toEqual(queued('1'));
    await end();
    const before = sent().length;
    const carol = newUser('carol');
    const hers = await makeMessage(server, carol, bob.userID);
    await loginAs(carol);
    // Hers goes behind all that might wait.
    await alice.setMessageExtensions(hers, [{ key: 'hers', value: '1' }]);
    await isTold('hers=1');
    expect(sent()).toHaveLength(before + 1);
    expect((await get(server, message)).values).toEqual({});
  });
});

test('one that is just being kept as logout({clear: true}) ends the session is forgotten with the others', async () => {
  await goDown();
  const written = write('1');
  await alice.logout({ clear: true });
  expect(await written).toEqual(queued('1'));
  goUp();
  await loginAs(alice.userID);
  const { data } = await alice.setMessageExtensions(message, [{ key: 'b', value: '1' }]);
  expect(data.extensions).toEqual([{ code: 0, key: 'b', value: '1' }]);
  expect(sent()).toHaveLength(1);
  expect((await get(server, message)).values).toEqual({ b: '1' });
});

test('one that is answered with a web page, as by a network that wants its own login first, waits on until the server answers', async () => {
  await goDown();
  expect(await write('1')).toEqual(queued('1'));
  gateway.refuseUpgrades = true;
  gateway.treat = () => '<!doctype html><title>Welcome to our network</title>';
  goUp();
  await until('it was not tried', () => sent().length >= 2);
  await isShown(['a', '1', 'queued']);
  gateway.refuseUpgrades = false;
  gateway.treat = () => undefined;
  await isShown(['a', '1', 'confirmed']);
  await isTold('a=1');
  expect(new Set(sent()).size).toBe(1);
  expect(alice.data('MESSAGE_EXTENSIONS_CONFLICT')).toEqual([]);
  expect(alice.data('SDK_NOT_READY')).toEqual([]);
});

describe('a set that the server has, but whose answer is lost, and then a delete of the same key, are done in this order', () => {
  let written;
  let release;
  beforeEach(async () => {
    // Of the set the server's answer and the push do not arrive, of what comes after it the request.
    const { promise: never } = deferred();
    gateway.treat = ({ command }) => (command === SET && sent().length > 1 ? HOLD : undefined);
    gateway.treatAnswer = ({ command }) => (command === SET ? never : undefined);
    release = gateway.holdPush();
    written = write('1');
    await isTold('a=1');
    await isShown(['a', '1', 'pending']);
  });

  async function bothAreDone(deleted) {
    release();
    gateway.treat = () => undefined;
    gateway.treatAnswer = () => undefined;
    expect(await Promise.all([written, deleted])).toEqual([queued('1'), queued('')]);
    await until('the delete has not arrived', () => told().length > 1);
    await until('it is still shown', () => snapshots.at(-1).synced && shown().length === 0);
    expect(told()).toEqual(['a=1', '-a']);
    expect(await get(server, message)).toEqual({ seq: 2, values: {} });
    expect(alice.data('MESSAGE_EXTENSIONS_CONFLICT')).toEqual([]);
  }
  const remove = () => alice.deleteMessageExtensions(message, ['a']);

  test('when the delete is made after the connection was lost', async () => {
    gateway.cutPush();
    await until('not offline', () => !snapshots.at(-1).synced);
    await bothAreDone(remove());
  });

  test('when both are on their way as the connection is lost', async () => {
    const deleted = remove();
    await until('the delete was not sent', () => sent().length === 2);
    await goDown();
    goUp();
    await bothAreDone(deleted);
  });
});
