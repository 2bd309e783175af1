// Reads of a message that was read before: what JavaScript has of it already is handed out again as long as nothing has changed,
// and never otherwise.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeAll, login, newUser } from './support/chat.js';
import { startGateway } from './support/gateway.js';
import { makeMessage, set } from './support/messages.js';
import { sign, startServer } from './support/server.js';
import { until } from './support/wait.js';

let server;
let gateway;
let alice;
let bob;
let message;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  gateway = await startGateway(server);
  alice = await login(gateway.url, newUser('alice'));
  bob = await login(server.url, newUser('bob'));
  message = await makeMessage(server, alice.userID, bob.userID);
  await set(server, message, { a: '1', b: '2' });
  await heard(1);
  alice.seen.length = 0;
  expect(await read()).toEqual({ a: '1', b: '2' });
});
afterEach(async () => {
  await closeAll();
  await gateway.close();
});

/** What a read shows now, from memory. */
async function read(about = message, keyList = undefined) {
  const { data } = await alice.getMessageExtensions(about, keyList);
  return Object.fromEntries(data.extensions.map(({ key, value }) => [key, value]));
}

/** Until alice's listeners have heard of so many changes. */
const heard = (amount) => until(`${amount} changes have not come`, () => alice.changes().length >= amount);

test('what a reader does to the answer is not seen by the next one', async () => {
  const { data } = await alice.getMessageExtensions(message);
  data.extensions[0].value = 'spoilt';
  delete data.extensions[1].key;
  data.extensions.push({ key: 'c', value: 'made up' });
  const { data: next } = await alice.getMessageExtensions(message);
  expect(next).toEqual({ extensions: [{ key: 'a', value: '1' }, { key: 'b', value: '2' }] });
  next.extensions.length = 0;
  expect(await read()).toEqual({ a: '1', b: '2' });
});

describe('a change is seen by the next read', () => {
  test('of somebody else: a set, a delete, a clear', async () => {
    await bob.getMessageExtensions(message);
    await bob.setMessageExtensions(message, [{ key: 'b', value: '3' }, { key: 'c', value: '4' }]);
    await heard(1);
    expect(await read()).toEqual({ a: '1', b: '3', c: '4' });
    await bob.deleteMessageExtensions(message, ['a']);
    await heard(2);
    expect(await read()).toEqual({ b: '3', c: '4' });
    await bob.deleteMessageExtensions(message);
    await heard(3);
    expect(await read()).toEqual({});
    await bob.setMessageExtensions(message, [{ key: 'a', value: '1' }]);
    await heard(4);
    expect(await read()).toEqual({ a: '1' });
    expect(gateway.of('openim_msg_ext_http_svc/get_key_values')).toHaveLength(1);
  });

  test('of its own: a set, a delete, a clear, each as soon as it is answered', async () => {
    await alice.setMessageExtensions(message, [{ key: 'b', value: '3' }]);
    expect(await read()).toEqual({ a: '1', b: '3' });
    await alice.deleteMessageExtensions(message, ['a']);
    expect(await read()).toEqual({ b: '3' });
    await alice.deleteMessageExtensions(message);
    expect(await read()).toEqual({});
  });

  test('of its own while it is on its way, refused, or gone', async () => {
    let answer;
    gateway.treatAnswer = () => new Promise((resolve) => (answer = resolve));
    const write = alice.setMessageExtensions(message, [{ key: 'a', value: '5' }]);
    await until('the write has not gone out', () => answer);
    await heard(1);
    expect(await read()).toEqual({ a: '5', b: '2' });
    answer();
    await write;
    gateway.treatAnswer = () => undefined;
    expect(await read()).toEqual({ a: '5', b: '2' });
    // Bob's write is unknown to alice when she makes hers, which meets it and says what is there.
    await bob.getMessageExtensions(message);
    const goOn = gateway.holdPush();
    await bob.setMessageExtensions(message, [{ key: 'b', value: '6' }]);
    const { data } = await alice.setMessageExtensions(message, [{ key: 'b', value: '7' }]);
    expect(data.extensions[0].code).not.toBe(0);
    const { data: cached } = await alice.getMessageExtensions(message, undefined, { source: 'cache' });
    expect(cached.extensions).toEqual([{ key: 'a', value: '5' }, { key: 'b', value: '6' }]);
    goOn();
  });
});

test('each of more messages than are remembered is read as it is', async () => {
  const messages = [];
  for (let n = 0; n < 40; n += 1) {
    messages.push(await makeMessage(server, alice.userID, bob.userID));
    await set(server, messages[n], { a: `${n}`, [`only-${n}`]: 'here' });
  }
  const isRight = async (value) => {
    for (const [n, about] of messages.entries()) expect(await read(about)).toEqual({ a: value(n), [`only-${n}`]: 'here' });
  };
  await isRight((n) => `${n}`);
  // At once, so that all are asked before the first is told.
  const answers = await Promise.all([...messages, ...messages].map((about) => read(about)));
  expect(answers.map(({ a }) => a)).toEqual([...messages, ...messages].map((_, n) => `${n % 40}`));
  await heard(40);
  const { length } = alice.changes();
  for (const about of messages.slice(0, 20)) await set(server, about, { a: 'new' });
  await heard(length + 20);
  await isRight((n) => (n < 20 ? 'new' : `${n}`));
  expect(await read(messages[3], ['a'])).toEqual({ a: 'new' });
  expect(await read(messages[3])).toEqual({ a: 'new', 'only-3': 'here' });
});

test('after a logout, whoever logs in next reads what is there', async () => {
  const { userID } = alice;
  await alice.logout();
  await set(server, message, { a: '3' });
  await alice.login({ userID, userSig: sign(userID) });
  expect(await read()).toEqual({ a: '3', b: '2' });
  await alice.logout();
  await set(server, message, { a: '4' });
  await alice.login({ userID: bob.userID, userSig: sign(bob.userID) });
  expect(await read()).toEqual({ a: '4', b: '2' });
  const mallory = newUser('mallory');
  await alice.logout();
  await alice.login({ userID: mallory, userSig: sign(mallory) });
  await expect(alice.getMessageExtensions(message)).rejects.toMatchObject({ name: 'MessageExtensionError' });
});

test('any string is read as it was written, the first time and again', async () => {
  const values = { '\0': '\0\0', é: 'ü'.repeat(500), '😀': '😀'.repeat(250), long: 'x'.repeat(1000), '\u{10FFFF}': '127:\x7f\x80', '中文': '，' };
  await set(server, message, values);
  await heard(1);
  for (let n = 0; n < 3; n += 1) expect(await read()).toEqual({ a: '1', b: '2', ...values });
  expect(await read(message, ['😀', 'é'])).toEqual({ é: values.é, '😀': values['😀'] });
});
