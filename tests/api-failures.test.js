// A bad network and a bad server: every call settles, with a code.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { closeAll, login, newClient, newUser, recorded, sendVote } from './support/chat.js';
import { CUT, HOLD, startGateway } from './support/gateway.js';
import { sign, startServer } from './support/server.js';
import { jump, pass, stopTime } from './support/time.js';
import { until, watched } from './support/wait.js';

const EXTENSIONS = [{ key: 'a', value: '1' }];
const refusal = (ErrorCode, ErrorInfo) => JSON.stringify({ ActionStatus: 'FAIL', ErrorCode, ErrorInfo });

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
  [message] = await sendVote(alice, 'C2C', newUser('bob'));
});
afterEach(async () => {
  vi.useRealTimers();
  await closeAll();
  await gateway.close();
});

const CALLS = [
  ['setMessageExtensions', () => alice.setMessageExtensions(message, EXTENSIONS)],
  ['getMessageExtensions', () => alice.getMessageExtensions(message)],
  ['deleteMessageExtensions', () => alice.deleteMessageExtensions(message, ['a'])],
  ['sendMessage', () => alice.sendMessage(alice.createCustomMessage({ to: 'bob', conversationType: 'C2C', payload: { data: '' } }))],
  ['getMessageList', () => alice.getMessageList({ conversationID: 'C2Cbob' })],
];

describe.each(CALLS)('%s', (_, call) => {
  test('rejects with 2801 when no answer has come after 15 seconds, not before', async () => {
    gateway.treat = () => HOLD;
    const before = gateway.requests.length;
    stopTime();
    const open = watched(call());
    await until('the request has not been sent', () => gateway.requests.length > before);
    await jump(14_900);
    expect(open.status).toBe('pending');
    await jump(200);
    await until('the call is still open', () => open.status !== 'pending');
    expect(open).toMatchObject({ status: 'rejected', value: { name: 'MessageExtensionError', code: 2801 } });
  });

  test('is sent again when the connection breaks or the server is out of order, and resolves', async () => {
    const failures = [CUT, refusal(10002, 'out of order')];
    gateway.treat = () => failures.shift();
    await expect(call()).resolves.toMatchObject({ code: 0 });
    expect(failures).toEqual([]);
  });

  test('rejects with 2800, within 15 seconds, when the connection breaks again and again, and works afterwards', async () => {
    gateway.treat = () => CUT;
    stopTime();
    const open = watched(call());
    expect(await pass(() => open.status !== 'pending')).toBeLessThanOrEqual(15_000);
    expect(open).toMatchObject({ status: 'rejected', value: { name: 'MessageExtensionError', code: 2800 } });
    gateway.treat = () => undefined;
    await expect(call()).resolves.toMatchObject({ code: 0 });
  });

  test.each([
    ['HTML', '<h1>Bad gateway</h1>'],
    ['nothing', ''],
    ['JSON that is no object', '[]'],
    ['an object without a status', '{}'],
    ['a status that is neither', '{"ActionStatus":"MAYBE","ErrorCode":0}'],
  ])('rejects with 2903 when the reply is %s', async (_, reply) => {
    gateway.treat = () => reply;
    await expect(call()).rejects.toMatchObject({ name: 'MessageExtensionError', code: 2903 });
  });

  test('rejects at once with the code and the text of a server that refuses', async () => {
    const before = gateway.requests.length;
    gateway.treat = () => refusal(10004, 'not like that');
    await expect(call()).rejects.toMatchObject({ name: 'MessageExtensionError', code: 10004, message: 'not like that' });
    expect(gateway.requests).toHaveLength(before + 1);
  });
});

test('a set whose answer is lost is sent again as the same request, and counts once', async () => {
  const answered = [];
  gateway.treatAnswer = ({ url }) => (answered.push(url.searchParams.get('requestid')) === 1 ? CUT : undefined);
  await expect(alice.setMessageExtensions(message, EXTENSIONS)).resolves.toEqual({
    code: 0,
    data: { extensions: [{ code: 0, ...EXTENSIONS[0] }] },
  });
  expect(answered).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), answered[0]]);
  await alice.setMessageExtensions(message, [{ key: 'last', value: '1' }]);
  await until('the last change has not been told', () => alice.changes().some(({ extensions }) => extensions[0].key === 'last'));
  expect(alice.changes()).toHaveLength(2);
});

const OK = { ActionStatus: 'OK', ErrorCode: 0, ErrorInfo: '' };

test('a set whose reply has an item without Extension rejects with 2903', async () => {
  gateway.treat = () => JSON.stringify({ ...OK, ExtensionList: [{ ErrorCode: 0 }] });
  await expect(alice.setMessageExtensions(message, EXTENSIONS)).rejects.toMatchObject({ code: 2903 });
});

test.each([
  ['an incomplete page without an item', { CompleteFlag: 0, LatestSeq: 2, ClearSeq: 0, ExtensionList: [] }],
  ['pages that never go on', { CompleteFlag: 0, LatestSeq: 2, ClearSeq: 0, ExtensionList: [{ Key: 'a', Value: '1', Seq: 1 }] }],
])('a get that is answered with %s rejects with 2903 and does not go on for ever', async (_, page) => {
  gateway.treat = () => JSON.stringify({ ...OK, ...page });
  const before = gateway.requests.length;
  await expect(alice.getMessageExtensions(message)).rejects.toMatchObject({ code: 2903 });
  expect(gateway.requests.length - before).toBeLessThanOrEqual(2);
});

test('a signature that the server refuses during a session ends it, and ERROR says so', async () => {
  gateway.treat = () => refusal(70001, 'expired');
  await expect(alice.getMessageExtensions(message)).rejects.toMatchObject({ code: expect.toBeOneOf([70001, 3005]) });
  await until('ERROR has not come', () => alice.data('ERROR').length);
  expect(alice.data('ERROR')).toEqual([{ code: 70001, message: 'expired' }]);
  expect(alice.data('SDK_NOT_READY')).toHaveLength(1);
  await expect(alice.getMessageExtensions(message)).rejects.toMatchObject({ code: 3005 });
});

describe('login', () => {
  let userID;
  let chat;
  beforeEach(async () => {
    userID = newUser('carol');
    chat = recorded(await newClient(gateway.url));
    // Loads the WebAssembly part in real time.
    await chat.logout();
    stopTime();
  });

  /** Node 20 does not tell of a socket that cannot be opened, as browsers do; the client gives it up after 10 seconds. */
  function start() {
    const open = watched(chat.login({ userID, userSig: sign(userID) }));
    return jump(10_000).then(() => open);
  }
  const settled = (open) => until('login is still open', () => open.status !== 'pending');

  test('where nobody listens rejects with 2800, and works once somebody does', async () => {
    gateway.isOpen = false;
    gateway.cut();
    const open = await start();
    await settled(open);
    expect(open).toMatchObject({ status: 'rejected', value: { code: 2800 } });
    gateway.isOpen = true;
    const again = await start();
    await settled(again);
    expect(again).toMatchObject({ status: 'resolved', value: { code: 0 } });
  });

  test('rejects with 2801 when nothing answers for 15 seconds', async () => {
    gateway.treat = () => HOLD;
    gateway.refuseUpgrades = true;
    const open = await start();
    await until('the endpoint has not been asked', () => gateway.requests.length);
    expect(open.status).toBe('pending');
    await jump(5_000);
    await settled(open);
    expect(open).toMatchObject({ status: 'rejected', value: { code: 2801 } });
  });

  test('where sockets fail but REST works resolves; calls work, and own writes are told', async () => {
    gateway.refuseUpgrades = true;
    const open = await start();
    await settled(open);
    expect(open).toMatchObject({ status: 'resolved', value: { code: 0 } });
    const [mine] = await sendVote(chat, 'C2C', newUser('bob'));
    await expect(chat.setMessageExtensions(mine, EXTENSIONS)).resolves.toMatchObject({ data: { extensions: [{ code: 0 }] } });
    expect(chat.changes()).toEqual([{ messageID: mine.ID, extensions: EXTENSIONS }]);
    await expect(chat.getMessageExtensions(mine)).resolves.toEqual({ code: 0, data: { extensions: EXTENSIONS } });
  });
});
