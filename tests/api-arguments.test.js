// What calls refuse before anything reaches the network: by a rejection with a code and a text that names the argument.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeAll, login, newUser, sendVote } from './support/chat.js';
import { startGateway } from './support/gateway.js';
import { startServer } from './support/server.js';
import { until } from './support/wait.js';

const ONE = [{ key: 'a', value: '1' }];
/** 101 bytes of UTF-8 in fewer characters. */
const LONG_KEY = `${'投'.repeat(33)}ab`;
const LONG_VALUE = 'x'.repeat(1001);

let server;
let gateway;
let chat;
let message;

beforeAll(async () => {
  server = await startServer();
  gateway = await startGateway(server);
});
afterAll(async () => {
  await gateway.close();
  await server.stop();
});

beforeEach(async () => {
  chat = await login(gateway.url);
  [message] = await sendVote(chat, 'C2C', newUser('bob'));
});
afterEach(closeAll);

/** Expects that a call rejects with a code, and a text that names the argument, without a request and without throwing. */
async function refuses(call, code, named) {
  const before = gateway.requests.length;
  let promise;
  expect(() => (promise = call())).not.toThrow();
  await expect(promise).rejects.toMatchObject({
    name: 'MessageExtensionError',
    code,
    message: expect.stringContaining(named),
  });
  expect(gateway.requests).toHaveLength(before);
}

const CALLS = [
  ['setMessageExtensions', (message) => chat.setMessageExtensions(message, ONE)],
  ['getMessageExtensions', (message) => chat.getMessageExtensions(message)],
  ['deleteMessageExtensions', (message) => chat.deleteMessageExtensions(message, ['a'])],
  ['deleteMessageExtensions of all keys', (message) => chat.deleteMessageExtensions(message)],
];

describe.each(CALLS)('%s refuses', (_, call) => {
  test.each([
    ['null', () => null, 9001, 'message'],
    ['nothing', () => undefined, 9001, 'message'],
    ['a string', () => 'C2Cbob', 9001, 'message'],
    ['an empty object', () => ({}), 9001, 'message.conversationType'],
    ['a message without a recipient', () => ({ ...message, to: '' }), 9001, 'message.to'],
    ['a message without a sender', () => ({ ...message, from: undefined }), 9001, 'message.from'],
    ['a message without a time', () => ({ ...message, time: undefined }), 9001, 'message.time'],
    ['a message whose random is a fraction', () => ({ ...message, random: 1.5 }), 9001, 'message.random'],
    ['a group message without a sequence', () => ({ ...message, conversationType: 'GROUP', to: 'lunch', sequence: undefined }), 9001, 'message.sequence'],
    ['a message that was not sent', () => ({ ...message, status: 'unSend' }), 9002, 'message.status'],
    ['a message that failed', () => ({ ...message, status: 'fail' }), 9002, 'message.status'],
    ['a message without extensions', () => ({ ...message, isSupportExtension: false }), 9003, 'message.isSupportExtension'],
    ['a message of a Community', () => ({ ...message, conversationType: 'GROUP', to: '@TGS#_abc' }), 2998, 'Community'],
    ['a message of a topic', () => ({ ...message, conversationType: 'GROUP', to: '@TOPIC#_abc' }), 2998, 'Community'],
    ['a message of an AVChatRoom', () => ({ ...message, conversationType: 'AVChatRoom' }), 2998, 'message.conversationType'],
    ['a system notice', () => ({ ...message, conversationType: '@TIM#SYSTEM' }), 2998, 'message.conversationType'],
  ])('%s', (_, broken, code, named) => refuses(() => call(broken()), code, named));

  test('the draft that createCustomMessage made', () =>
    refuses(
      () => call(chat.createCustomMessage({ to: 'bob', conversationType: 'C2C', payload: { data: '' }, isSupportExtension: true })),
      9002,
      'send the message first',
    ));
});

const list = (length, item) => Array.from({ length }, (_, i) => item(`k${i}`));

describe('setMessageExtensions refuses', () => {
  test.each([
    ['no extensions', undefined, 'extensions'],
    ['null', null, 'extensions'],
    ['an object', { key: 'a', value: '1' }, 'extensions'],
    ['a string', 'a=1', 'extensions'],
    ['something like an array', { length: 1, 0: ONE[0] }, 'extensions'],
    ['an empty list', [], 'extensions'],
    ['21 items', list(21, (key) => ({ key, value: '1' })), 'extensions'],
    ['null for an item', [null], 'extensions[0]'],
    ['a hole for an item', new Array(1), 'extensions[0]'],
    ['a key that is a number', [...ONE, { key: 7, value: '1' }], 'extensions[1]'],
    ['an empty key', [{ key: '', value: '1' }], 'extensions[0]'],
    ['a key of 101 bytes', [{ key: LONG_KEY, value: '1' }], 'extensions[0]'],
    ['a key that is there twice', [...ONE, { key: 'b', value: '1' }, ...ONE], 'extensions[2]'],
    ['no value', [{ key: 'a' }], 'extensions[0].value'],
    ['an empty value', [{ key: 'a', value: '' }], 'extensions[0].value'],
    ['a value that is a number', [{ key: 'a', value: 1 }], 'extensions[0].value'],
    ['a value of 1,001 bytes', [...ONE, { key: 'b', value: LONG_VALUE }], 'extensions[1].value'],
  ])('%s', (_, extensions, named) => refuses(() => chat.setMessageExtensions(message, extensions), 9001, named));

  test('nothing of what is just short enough', async () => {
    const extensions = list(20, (key) => ({ key: key + '投'.repeat(32), value: 'x'.repeat(1000) }));
    extensions[0].key = '投'.repeat(33) + 'a';
    const { data } = await chat.setMessageExtensions(message, extensions);
    expect(data.extensions.map(({ code }) => code)).toEqual(new Array(20).fill(0));
    expect((await chat.getMessageExtensions(message)).data.extensions).toEqual(expect.arrayContaining(extensions));
  });
});

describe('deleteMessageExtensions refuses', () => {
  test.each([
    ['a string', 'a', 'keyList'],
    ['an object', {}, 'keyList'],
    ['21 keys', list(21, (key) => key), 'keyList'],
    ['a key that is a number', ['a', 7], 'keyList[1]'],
    ['null for a key', [null], 'keyList[0]'],
    ['an empty key', [''], 'keyList[0]'],
    ['a key of 101 bytes', [LONG_KEY], 'keyList[0]'],
    ['a key that is there twice', ['a', 'a'], 'keyList[1]'],
  ])('%s', (_, keyList, named) => refuses(() => chat.deleteMessageExtensions(message, keyList), 9001, named));

  test('an empty list, when create was told to', async () => {
    const careful = await login(gateway.url, undefined, { refuseEmptyKeyList: true });
    const [mine] = await sendVote(careful, 'C2C', newUser('bob'));
    await careful.setMessageExtensions(mine, ONE);
    await refuses(() => careful.deleteMessageExtensions(mine, []), 9001, 'keyList');
    expect((await careful.getMessageExtensions(mine)).data.extensions).toEqual(ONE);
    await careful.deleteMessageExtensions(mine);
    expect((await careful.getMessageExtensions(mine)).data.extensions).toEqual([]);
  });
});

describe('getMessageExtensions refuses', () => {
  test.each([
    ['a string', 'a', 'keyList'],
    ['an object', {}, 'keyList'],
    ['a list with a number', ['a', 7], 'keyList'],
  ])('%s', (_, keyList, named) => refuses(() => chat.getMessageExtensions(message, keyList), 9001, named));
});

describe('what throws when it is read is refused', () => {
  const thrower = () => {
    throw new Error('by the page');
  };
  const revoked = () => {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    return proxy;
  };
  const broken = () => Object.defineProperty([], 0, { get: thrower });

  test.each([
    ['set', 'extensions', (list) => chat.setMessageExtensions(message, list)],
    ['get', 'keyList', (list) => chat.getMessageExtensions(message, list)],
    ['delete', 'keyList', (list) => chat.deleteMessageExtensions(message, list)],
  ])('a list, by %s, however often', async (_, named, call) => {
    for (let n = 0; n < 200; n += 1) {
      await refuses(() => call(revoked()), 9001, named);
      await refuses(() => call(broken()), 9001, named);
    }
    await refuses(() => chat.setMessageExtensions(message, Array(1e6)), 9001, 'extensions');
    await chat.setMessageExtensions(message, ONE);
  });

  test('options', async () => {
    const options = Object.defineProperties({}, { source: { get: thrower }, userID: { get: thrower } });
    await refuses(() => chat.getMessageExtensions(message, undefined, options), 9001, 'source');
    await refuses(() => chat.login(options), 9001, 'userID');
    await refuses(() => chat.login(), 9001, 'userID');
  });

  test('rules, by the server, since none of them may be left out', async () => {
    const closing = Object.defineProperty({}, 'closesAt', { get: thrower, enumerable: true });
    for (const extensionRules of [revoked(), { keyOwner: revoked() }, closing]) {
      const mine = { to: 'bob', conversationType: 'C2C', payload: { data: '' }, isSupportExtension: true, extensionRules };
      await expect((async () => chat.sendMessage(chat.createCustomMessage(mine)))()).rejects.toMatchObject({ code: expect.any(Number) });
    }
    await chat.setMessageExtensions(message, ONE);
  });

  test('a tally without options counts what is chosen', async () => {
    let counted;
    chat.tally(message, { options: null }, (tally) => (counted = tally));
    await chat.setMessageExtensions(message, ONE);
    await until('it is not counted', () => counted?.voters === 1);
  });
});

describe('sendMessage refuses', () => {
  const draft = () => chat.createCustomMessage({ to: 'bob', conversationType: 'C2C', payload: { data: '' } });

  test.each([
    ['null', () => null, 'message'],
    ['an empty object', () => ({}), 'message'],
    ['a message without a payload', () => ({ ...draft(), payload: undefined }), 'payload'],
    ['a message without a recipient', () => ({ ...draft(), to: '' }), 'message.to'],
    ['a message of another conversation type', () => ({ ...draft(), conversationType: 'AVChatRoom' }), 'message.conversationType'],
    ['a message of somebody else', () => ({ ...draft(), from: 'mallory' }), 'message.from'],
    ['a message that was sent already', () => message, 'message'],
  ])('%s', (_, broken, named) => refuses(() => chat.sendMessage(broken()), 9001, named));
});

describe('getMessageList refuses', () => {
  test.each([
    ['nothing', undefined],
    ['null', null],
    ['no conversationID', {}],
    ['a conversationID that names nobody', { conversationID: 'C2C' }],
    ['a conversationID of another kind', { conversationID: '@TIM#SYSTEM' }],
  ])('%s', (_, options) => refuses(() => chat.getMessageList(options), 9001, 'conversationID'));
});
