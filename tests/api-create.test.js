// `create`, the constants, and what the package's module holds.

import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { closeAll, freshModule, newClient, WASM } from './support/chat.js';
import { PACKAGE } from './support/paths.js';
import { APP } from './support/server.js';
import { jump, stopTime } from './support/time.js';
import { deferred, until, watched } from './support/wait.js';

const endpoint = 'http://127.0.0.1:9';
let sdk;

beforeAll(async () => {
  sdk = await freshModule();
});
afterEach(async () => {
  vi.useRealTimers();
  await closeAll();
});

describe('create', () => {
  test('gives the same instance for the same SDKAppID, also as a string, and another for another', () => {
    const chat = sdk.create({ SDKAppID: 1_400_000_777, endpoint, wasm: WASM });
    expect(sdk.create({ SDKAppID: 1_400_000_777, endpoint, wasm: WASM })).toBe(chat);
    expect(sdk.create({ SDKAppID: '1400000777', endpoint, wasm: WASM })).toBe(chat);
    expect(sdk.create({ SDKAppID: 1_400_000_778, endpoint, wasm: WASM })).not.toBe(chat);
  });

  test.each([
    ['no options', undefined],
    ['null', null],
    ['no SDKAppID', { endpoint }],
    ['an empty SDKAppID', { SDKAppID: ' ', endpoint }],
    ['a word', { SDKAppID: 'lunch', endpoint }],
    ['zero', { SDKAppID: 0, endpoint }],
    ['a negative number', { SDKAppID: -1, endpoint }],
    ['a fraction', { SDKAppID: 1.5, endpoint }],
    ['NaN', { SDKAppID: NaN, endpoint }],
    ['true', { SDKAppID: true, endpoint }],
  ])('throws a coded error that names SDKAppID, given %s', (_, options) => {
    const error = thrownBy(() => sdk.create(options));
    expect(sdk.isMessageExtensionError(error)).toBe(true);
    expect(error).toMatchObject({ code: 9001, message: expect.stringContaining('SDKAppID') });
  });

  test.each([
    ['a path', '/chat'],
    ['another protocol', 'ws://127.0.0.1'],
    ['a number', 80],
    ['nothing, in a host without an origin', undefined],
  ])('throws a coded error that names endpoint, given %s', (_, endpoint) => {
    const error = thrownBy(() => sdk.create({ SDKAppID: 1_400_000_779, endpoint }));
    expect(error).toBeInstanceOf(sdk.MessageExtensionError);
    expect(error).toMatchObject({ code: 9001, message: expect.stringContaining('endpoint') });
  });

  test('after destroy gives a new instance; the old one rejects with 9004', async () => {
    const old = await newClient(endpoint);
    const createAgain = () => old.module.create({ SDKAppID: APP, endpoint, wasm: WASM });
    expect(createAgain()).toBe(old);
    await old.destroy();
    const next = createAgain();
    expect(next).not.toBe(old);
    await expect(next.logout()).resolves.toMatchObject({ code: 0 });
    await expect(old.login({ userID: 'alice', userSig: 'x' })).rejects.toMatchObject({ code: 9004 });
    await expect(old.getMessageExtensions({})).rejects.toMatchObject({ code: 9004 });
  });
});

test('the module exports the mirrored API by default and under both of its names', async () => {
  expect(sdk.TIM).toBe(sdk.default);
  expect(sdk.TencentCloudChat).toBe(sdk.default);
  expect(sdk.default).toEqual({
    create: sdk.create,
    EVENT: sdk.EVENT,
    TYPES: sdk.TYPES,
    VERSION: sdk.VERSION,
    ENDPOINTS: sdk.ENDPOINTS,
  });
  expect(sdk.VERSION).toBe(JSON.parse(readFileSync(`${PACKAGE}/package.json`, 'utf8')).version);
});

test('events and types have the values that existing code compares with', () => {
  expect(sdk.EVENT).toEqual({
    MESSAGE_EXTENSIONS_UPDATED: 'onMessageExtensionsUpdated',
    MESSAGE_EXTENSIONS_DELETED: 'onMessageExtensionsDeleted',
    MESSAGE_EXTENSIONS_CONFLICT: 'onMessageExtensionsConflict',
    SDK_READY: 'sdkStateReady',
    SDK_NOT_READY: 'sdkStateNotReady',
    ERROR: 'error',
    MESSAGE_RECEIVED: 'onMessageReceived',
  });
  expect(sdk.TYPES).toEqual({
    CONV_C2C: 'C2C',
    CONV_GROUP: 'GROUP',
    GRP_WORK: 'Private',
    GRP_PUBLIC: 'Public',
    GRP_MEETING: 'ChatRoom',
    GRP_AVCHATROOM: 'AVChatRoom',
    GRP_COMMUNITY: 'Community',
  });
});

test('the six regional domains of the REST documents are named', () => {
  expect(Object.values(sdk.ENDPOINTS).map((url) => new URL(url).hostname)).toEqual([
    'console.tim.qq.com',
    'adminapisgp.im.qcloud.com',
    'adminapikr.im.qcloud.com',
    'adminapiger.im.qcloud.com',
    'adminapiusa.im.qcloud.com',
    'adminapiidn.im.qcloud.com',
  ]);
});

describe('the WebAssembly part', () => {
  test('when it cannot be loaded, calls reject with 9005 and say why; the next call tries again', async () => {
    const module = await freshModule();
    const chat = module.create({ SDKAppID: 1_400_000_780, endpoint, wasm: new Uint8Array([0, 1, 2, 3]) });
    await expect(chat.logout()).rejects.toMatchObject({
      name: 'MessageExtensionError',
      code: 9005,
      message: expect.stringContaining('message_extensions_bg.wasm'),
    });
    await expect(chat.logout()).rejects.toMatchObject({ code: 9005 });
    // Another instance of the page has a source that works, for both.
    await expect(module.create({ SDKAppID: 1_400_000_781, endpoint, wasm: WASM }).logout()).resolves.toMatchObject({ code: 0 });
    await expect(chat.logout()).resolves.toMatchObject({ code: 0 });
  });

  test('when it does not arrive within 15 seconds, calls reject with 9005', async () => {
    const module = await freshModule();
    stopTime();
    const chat = module.create({ SDKAppID: 1_400_000_782, endpoint, wasm: new Promise(() => {}) });
    const open = watched(chat.login({ userID: 'alice', userSig: 'x' }));
    await jump(14_900);
    expect(open.status).toBe('pending');
    await jump(200);
    expect(open).toMatchObject({ status: 'rejected', value: { code: 9005 } });
  });

  test('when it arrives after it was given up and has come from elsewhere, clients that are there work on', async () => {
    const module = await freshModule();
    const instantiate = vi.spyOn(WebAssembly, 'instantiate');
    onTestFinished(() => instantiate.mockRestore());
    stopTime();
    const late = deferred();
    const slow = module.create({ SDKAppID: 1_400_000_783, endpoint, wasm: late.promise });
    const open = watched(slow.logout());
    await jump(15_000);
    expect(open).toMatchObject({ status: 'rejected', value: { code: 9005 } });
    vi.useRealTimers();

    const chat = module.create({ SDKAppID: 1_400_000_784, endpoint, wasm: WASM });
    await expect(chat.logout()).resolves.toMatchObject({ code: 0 });
    late.resolve(WASM);
    const arrived = await until('it has not arrived', () => instantiate.mock.results[1]);
    await arrived.value;
    for (const client of [chat, slow]) {
      await expect(client.getMessageExtensions({})).rejects.toMatchObject({ code: 2024 });
      await expect(client.logout()).resolves.toMatchObject({ code: 0 });
    }
  });
});

function thrownBy(action) {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
