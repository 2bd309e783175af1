// message-extensions/testing in the place of message-extensions, for an app that knows nothing of it.

import * as main from 'message-extensions/inline';
import { isMessageExtensionError, server } from 'message-extensions/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { connect, connectAsBefore, vote } from './support/testing/app.js';

vi.mock('message-extensions', () => import('message-extensions/testing'));

afterEach(() => server.reset());

test("the app's client talks to the server of the test", async () => {
  server.createGroup('lunch', ['alice']);
  const message = server.sendMessage({ from: 'bob', to: 'lunch', conversationType: 'GROUP' });
  const chat = connect();
  await chat.login({ userID: 'alice', userSig: 'of some backend' });
  expect(await vote(chat, message, 'Pizza')).toEqual([{ key: 'vote', value: 'Pizza' }]);
  expect(server.extensions(message)).toMatchObject([{ key: 'vote', value: 'Pizza', author: 'alice' }]);
});

test('create gives the same client for an SDKAppID until it is destroyed, and another one after a reset', async () => {
  const chat = connect();
  expect(connect()).toBe(chat);
  expect(connectAsBefore()).toBe(chat);
  expect(server.create({ SDKAppID: 1_400_000_001 })).not.toBe(chat);
  await chat.destroy();
  const next = connect();
  expect(next).not.toBe(chat);
  await chat.destroy();
  expect(connect()).toBe(next);
  await server.reset();
  expect(connect()).not.toBe(next);
});

test('it exports what the main entry does, and its errors are known by that one', async () => {
  const testing = await import('message-extensions');
  for (const [name, value] of Object.entries(main)) {
    expect(typeof testing[name], name).toBe(typeof value);
    if (['EVENT', 'TYPES', 'VERSION', 'ENDPOINTS'].includes(name)) expect(testing[name]).toEqual(value);
  }
  const names = Object.keys(main);
  expect(Object.keys(await import('message-extensions/testing')).filter((name) => !names.includes(name)).sort()).toEqual(['createTestServer', 'server']);
  const error = await connect().setMessageExtensions({}, []).catch((error) => error);
  expect([isMessageExtensionError(error), main.isMessageExtensionError(error)]).toEqual([true, true]);
});

test.each([
  [undefined, 'SDKAppID'],
  [{ SDKAppID: 0 }, 'SDKAppID'],
  [{ SDKAppID: 1, endpoint: 'ws://x' }, 'endpoint'],
])('its create refuses %j as that one does', async (options, name) => {
  const testing = await import('message-extensions');
  expect(() => testing.create(options)).toThrow(expect.objectContaining({ code: 9001, message: expect.stringContaining(name) }));
});
