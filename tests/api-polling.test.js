// An endpoint that knows no push: messages that are watched are asked for, ever more seldom while nothing changes.

import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { closeAll, newClient, newUser, recorded } from './support/chat.js';
import { startGateway } from './support/gateway.js';
import { makeMessage, set } from './support/messages.js';
import { sign, startServer } from './support/server.js';
import { pass, stopTime } from './support/time.js';
import { until, watched } from './support/wait.js';

let server;
let gateway;
let alice;
let message;
let userID;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  gateway = await startGateway(server);
  gateway.hasPush = false;
  userID = newUser('alice');
  message = await makeMessage(server, userID, newUser('bob'));
  await set(server, message, { a: '1' });
  alice = recorded(await newClient(gateway.url));
  stopTime();
});
afterEach(async () => {
  vi.useRealTimers();
  await closeAll();
  await gateway.close();
});

const PULL = 'openim_msg_ext_http_svc/get_key_values';
const pulls = () => gateway.of(PULL);
const startSeqs = () => pulls().map(({ body }) => JSON.parse(body).StartSeq);
/** Logs in. Node may not say that a socket was turned away: then it is given up after a while. */
async function ready() {
  const login = watched(alice.login({ userID, userSig: sign(userID) }));
  await pass(() => login.status !== 'pending');
  expect(login).toMatchObject({ status: 'resolved', value: { code: 0 } });
}

function watching(of) {
  const snapshots = [];
  const stop = alice.watchMessageExtensions(of, (snapshot) => snapshots.push(snapshot));
  return { stop, snapshots, values: () => snapshots.at(-1)?.entries.map(({ key, value }) => `${key}=${value}`).join() };
}
/** Lets time pass until a watch shows just this. */
const shows = (watch, values) => pass(() => watch.values() === values);

test('the login resolves, and a message can be read and written', async () => {
  await ready();
  expect((await alice.getMessageExtensions(message)).data.extensions).toEqual([{ key: 'a', value: '1' }]);
  await expect(alice.setMessageExtensions(message, [{ key: 'b', value: '1' }])).resolves.toMatchObject({ data: { extensions: [{ code: 0 }] } });
  expect(alice.changes()).toEqual([{ messageID: message.ID, extensions: [{ key: 'b', value: '1' }] }]);
});

test('who watches is shown every change, and only what is new is asked for', async () => {
  await ready();
  const watch = watching(message);
  await shows(watch, 'a=1');
  expect(watch.snapshots.at(-1).synced).toBe(true);
  await set(server, message, { b: '2' });
  await shows(watch, 'a=1,b=2');
  await set(server, message, { a: '3' });
  await shows(watch, 'b=2,a=3');
  expect(alice.changes()).toEqual([
    { messageID: message.ID, extensions: [{ key: 'b', value: '2' }] },
    { messageID: message.ID, extensions: [{ key: 'a', value: '3' }] },
  ]);
  // From the beginning, then from behind what is known.
  expect(startSeqs()[0]).toBe(undefined);
  expect(new Set(startSeqs().slice(1))).toEqual(new Set([2, 3]));
});

test('while nothing changes it asks ever more seldom, and often again when something has', async () => {
  await ready();
  const watch = watching(message);
  await shows(watch, 'a=1');
  const next = () => {
    const { length } = pulls();
    return pass(() => pulls().length > length);
  };
  const waits = [];
  for (let i = 0; i < 10; i += 1) waits.push(await next());
  // A wait is up to a quarter shorter than 2 s, 3 s, 4.5 s, … 30 s.
  expect(waits[0]).toBeLessThanOrEqual(3_100);
  waits.forEach((wait) => expect(wait).toBeLessThanOrEqual(30_100));
  expect(waits.at(-1)).toBeGreaterThanOrEqual(22_400);
  await set(server, message, { b: '2' });
  await next();
  expect(watch.values()).toBe('a=1,b=2');
  expect(await next()).toBeLessThanOrEqual(2_100);
});

test('a message that nobody watches is not asked for', async () => {
  await ready();
  const other = await makeMessage(server, userID, newUser('bob'));
  await alice.getMessageExtensions(other);
  const watch = watching(message);
  await shows(watch, 'a=1');
  gateway.requests.splice(0);
  await pass(() => pulls().length >= 3);
  expect(new Set(pulls().map(({ body }) => JSON.parse(body).MsgKey.split('_')[1]))).toEqual(new Set([String(message.random)]));
});

// The poll that was planned when the watch ended is made all the same.
test('a message that is watched no more is not asked for', async () => {
  await ready();
  const watch = watching(message);
  await shows(watch, 'a=1');
  watch.stop();
  const { length: before } = pulls();
  // Time passes: sockets are tried on.
  const { length: tries } = gateway.upgrades;
  await pass(() => gateway.upgrades.length >= tries + 4);
  expect(pulls().length).toBe(before);
});

test('sockets are tried on, and when push is there, nothing is asked for any more', async () => {
  await ready();
  const watch = watching(message);
  await shows(watch, 'a=1');
  const { length: before } = gateway.upgrades;
  await pass(() => gateway.upgrades.length >= before + 3);
  gateway.hasPush = true;
  await pass(() => gateway.frames.length);
  await until('it does not resume', () => gateway.frames.some(({ Type }) => Type === 'resume'));
  await set(server, message, { b: '2' });
  await until('it was not pushed', () => watch.values() === 'a=1,b=2');
  const { length: asked } = pulls();
  // Longer than any wait between two polls; pings go on.
  for (let i = 0; i < 10; i += 1) {
    const { length } = gateway.frames;
    await pass(() => gateway.frames.length > length);
  }
  expect(pulls()).toHaveLength(asked);
  expect(gateway.frames.at(-1).Type).toBe('ping');
  expect(watch.snapshots.at(-1).synced).toBe(true);
});

test('where push is lost for good, it asks instead', async () => {
  gateway.hasPush = true;
  await ready();
  const watch = watching(message);
  await shows(watch, 'a=1');
  gateway.hasPush = false;
  gateway.cut();
  await until('the loss is not noticed', () => !watch.snapshots.at(-1).synced);
  await set(server, message, { b: '2' });
  await shows(watch, 'a=1,b=2');
  expect(watch.snapshots.at(-1).synced).toBe(true);
});
