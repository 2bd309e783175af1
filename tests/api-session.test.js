// Login, logout, and calls at the wrong time.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeAll, login, newClient, newUser, recorded, sendVote } from './support/chat.js';
import { HOLD, startGateway } from './support/gateway.js';
import { must, sign, startServer } from './support/server.js';
import { until, watched } from './support/wait.js';

const EXTENSIONS = [{ key: 'a', value: '1' }];

let server;
let gateway;
let userID;
/** A message as another SDK may hand it in: a plain object of a message that exists. */
let message;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  gateway = await startGateway(server);
  userID = newUser('alice');
  message = await plainMessage(userID, 'bob');
});
afterEach(async () => {
  await closeAll();
  await gateway.close();
});

async function plainMessage(from, to) {
  const { MsgTime, MsgKey } = await must(
    server.call('openim/sendmsg', {
      From_Account: from,
      To_Account: to,
      MsgRandom: 12,
      SupportMessageExtension: 1,
      MsgBody: [{ MsgType: 'TIMCustomElem', MsgContent: { Data: '', Desc: '', Ext: '' } }],
    }),
  );
  const [sequence] = MsgKey.split('_').map(Number);
  return { conversationType: 'C2C', from, to, sequence, random: 12, time: MsgTime, status: 'success', isSupportExtension: true };
}

/** Every call that needs a login. */
const CALLS = [
  ['setMessageExtensions', (chat) => chat.setMessageExtensions(message, EXTENSIONS)],
  ['getMessageExtensions', (chat) => chat.getMessageExtensions(message)],
  ['deleteMessageExtensions', (chat) => chat.deleteMessageExtensions(message)],
  ['sendMessage', (chat) => chat.sendMessage(chat.createCustomMessage({ to: 'bob', conversationType: 'C2C', payload: { data: '' } }))],
  ['getMessageList', (chat) => chat.getMessageList({ conversationID: 'C2Cbob' })],
];

describe.each(CALLS)('%s', (_, call) => {
  test('before login rejects with 2024', async () => {
    await expect(call(await newClient(gateway.url))).rejects.toMatchObject({ name: 'MessageExtensionError', code: 2024 });
    expect(gateway.requests).toEqual([]);
  });

  test('while logging in rejects with 3000, and works once SDK_READY has come', async () => {
    const chat = recorded(await newClient(gateway.url));
    const loggingIn = chat.login({ userID, userSig: sign(userID) });
    await expect(call(chat)).rejects.toMatchObject({ code: 3000 });
    await loggingIn;
    await until('SDK_READY has not come', () => chat.data('SDK_READY').length);
    await expect(call(chat)).resolves.toMatchObject({ code: 0 });
  });

  test('after logout rejects with 3005', async () => {
    const chat = await login(gateway.url, userID);
    await chat.logout();
    const before = gateway.requests.length;
    await expect(call(chat)).rejects.toMatchObject({ code: 3005 });
    expect(gateway.requests).toHaveLength(before);
  });

  test('open at logout rejects with 3005', async () => {
    const chat = await login(gateway.url, userID);
    gateway.treat = () => HOLD;
    const open = watched(call(chat));
    await until('the request has not been sent', () => gateway.requests.length);
    await chat.logout();
    await until('the call is still open', () => open.status !== 'pending');
    expect(open).toMatchObject({ status: 'rejected', value: { code: 3005 } });
  });

  test('open at destroy rejects with 9004', async () => {
    const chat = await login(gateway.url, userID);
    gateway.treat = () => HOLD;
    const open = watched(call(chat));
    await until('the request has not been sent', () => gateway.requests.length);
    await chat.destroy();
    await until('the call is still open', () => open.status !== 'pending');
    expect(open).toMatchObject({ status: 'rejected', value: { code: 9004 } });
  });
});

describe('login', () => {
  test('with a UserSig of tls-sig-api-v2 resolves, and SDK_READY comes once', async () => {
    const chat = recorded(await newClient(gateway.url));
    await expect(chat.login({ userID, userSig: sign(userID) })).resolves.toEqual({
      code: 0,
      data: { actionStatus: 'OK', errorCode: 0, errorInfo: '' },
    });
    await until('SDK_READY has not come', () => chat.seen.length);
    expect(chat.seen).toEqual([{ name: 'sdkStateReady', data: undefined }]);
  });

  test('as a user whose name needs escaping in a URL works', async () => {
    const name = `Zoë & co/${newUser('x')}?`;
    const mine = await plainMessage(name, 'bob');
    const chat = await login(gateway.url, name);
    await expect(chat.setMessageExtensions(mine, EXTENSIONS)).resolves.toMatchObject({ data: { extensions: [{ code: 0 }] } });
  });

  /** A UserSig that says it was made so many seconds ago; the library has no such parameter. */
  function signedInThePast(user, secondsAgo, expire) {
    const now = Date.now;
    Date.now = () => now() - secondsAgo * 1000;
    try {
      return sign(user, { expire });
    } finally {
      Date.now = now;
    }
  }

  test.each([
    ['with another secret', 70009, (user) => sign(user, { secret: 'another' })],
    ['for another user', 70013, () => sign('mallory')],
    ['for another app', 70014, (user) => sign(user, { app: 1_400_000_999 })],
    ['and cut short', 70003, (user) => sign(user).slice(0, 40)],
    ['and expired', 70001, (user) => signedInThePast(user, 7200, 3600)],
  ])('with a signature made %s rejects with %i, and a good one logs in afterwards', async (_, code, userSig) => {
    const chat = recorded(await newClient(gateway.url));
    const error = await chat.login({ userID, userSig: userSig(userID) }).catch((caught) => caught);
    expect(error).toMatchObject({ name: 'MessageExtensionError', code, message: expect.stringMatching(/.{10}/) });
    expect(chat.seen).toEqual([]);
    await expect(chat.login({ userID, userSig: sign(userID) })).resolves.toMatchObject({ code: 0 });
  });

  test.each([
    ['userID', undefined],
    ['userID', {}],
    ['userID', { userID: '', userSig: 'x' }],
    ['userID', { userID: 7, userSig: 'x' }],
    ['userSig', { userID: 'alice' }],
    ['userSig', { userID: 'alice', userSig: '' }],
  ])('without a usable %s rejects with 9001, which names it: %j', async (name, options) => {
    const chat = await newClient(gateway.url);
    await expect(chat.login(options)).rejects.toMatchObject({ code: 9001, message: expect.stringContaining(name) });
    expect(gateway.upgrades).toEqual([]);
  });

  test('as another user ends the first login: messages are then made and sent by the second', async () => {
    const chat = await login(gateway.url, userID);
    const second = newUser('carol');
    await chat.login({ userID: second, userSig: sign(second) });
    expect(chat.seen.map(({ name }) => name)).toEqual(['sdkStateReady', 'sdkStateNotReady', 'sdkStateReady']);
    const [sent] = await sendVote(chat, 'C2C', 'bob');
    expect(sent.from).toBe(second);
  });

  test('as another user, while the first login is still open, rejects that one with 3005; messages are made by the second', async () => {
    const letIn = gateway.shut();
    const chat = recorded(await newClient(gateway.url));
    const first = watched(chat.login({ userID, userSig: sign(userID) }));
    await until('it does not connect', () => gateway.upgrades.length);
    const second = newUser('carol');
    const replacing = chat.login({ userID: second, userSig: sign(second) });
    await until('the first login is still open', () => first.status !== 'pending');
    expect(first).toMatchObject({ status: 'rejected', value: { name: 'MessageExtensionError', code: 3005 } });
    expect(chat.createCustomMessage({ to: 'bob', conversationType: 'C2C', payload: { data: '' } }).from).toBe(second);
    letIn();
    await replacing;
    expect(chat.seen.map(({ name }) => name)).toEqual(['sdkStateReady']);
    const [sent] = await sendVote(chat, 'C2C', 'bob');
    expect(sent.from).toBe(second);
  });
});

test('logout ends the session: SDK_NOT_READY comes once, and nothing is told any more', async () => {
  const chat = await login(gateway.url, userID);
  await chat.getMessageExtensions(message);
  await expect(chat.logout()).resolves.toMatchObject({ code: 0, data: { actionStatus: 'OK' } });
  await chat.logout();
  const other = await login(gateway.url, 'bob');
  await other.setMessageExtensions(message, EXTENSIONS);
  await until('the change has not been told', () => other.changes().length);
  expect(chat.seen.map(({ name }) => name)).toEqual(['sdkStateReady', 'sdkStateNotReady']);
});

test('logout(null) is a logout without options', async () => {
  const chat = await login(gateway.url, userID);
  await expect(chat.logout(null)).resolves.toEqual({ code: 0, data: { actionStatus: 'OK', errorCode: 0, errorInfo: '' } });
  await expect(chat.getMessageExtensions(message)).rejects.toMatchObject({ code: 3005 });
});

test('a client that was logged out can log in again, and sees what changed meanwhile', async () => {
  const chat = await login(gateway.url, userID);
  await chat.getMessageExtensions(message);
  await chat.logout();
  const other = await login(gateway.url, 'bob');
  await other.setMessageExtensions(message, EXTENSIONS);
  await chat.login({ userID, userSig: sign(userID) });
  expect((await chat.getMessageExtensions(message)).data.extensions).toEqual(EXTENSIONS);
});
