// Listeners: how they are added, taken off and called.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { closeAll, login, newUser, sendVote } from './support/chat.js';
import { startServer } from './support/server.js';
import { until } from './support/wait.js';

let server;
let alice;
let bob;
let mine;
let UPDATED;
let DELETED;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  alice = await login(server.url, newUser('alice'));
  bob = await login(server.url, newUser('bob'));
  [mine] = await sendVote(alice, 'C2C', bob.userID);
  ({ MESSAGE_EXTENSIONS_UPDATED: UPDATED, MESSAGE_EXTENSIONS_DELETED: DELETED } = alice.module.EVENT);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await closeAll();
});

let last = 0;
/** Makes one change, and waits until both have been told. */
async function change() {
  last += 1;
  const value = String(last);
  await alice.setMessageExtensions(mine, [{ key: 'a', value }]);
  const has = (chat) => chat.changes().some(({ extensions }) => extensions?.[0].value === value);
  await until('both are told', () => has(alice) && has(bob));
  return { messageID: mine.ID, extensions: [{ key: 'a', value }] };
}

describe('on', () => {
  test('calls the handler with {name, data} at each event of that name, and at no other', async () => {
    const handler = vi.fn();
    bob.on(UPDATED, handler);
    const first = await change();
    const second = await change();
    await bob.deleteMessageExtensions(mine, ['a']);
    await until('the delete is told', () => bob.data('MESSAGE_EXTENSIONS_DELETED').length);
    expect(handler.mock.calls).toEqual([[{ name: UPDATED, data: first }], [{ name: UPDATED, data: second }]]);
  });

  test('calls a function that was added twice twice', async () => {
    const handler = vi.fn();
    bob.on(UPDATED, handler);
    bob.on(UPDATED, handler);
    await change();
    expect(handler).toHaveBeenCalledTimes(2);
  });

  test('calls with the context that was given', async () => {
    const context = { name: 'mine' };
    const handler = vi.fn();
    bob.on(UPDATED, handler, context);
    await change();
    expect(handler.mock.contexts[0]).toBe(context);
  });

  test('calls the handlers in the order in which they were added', async () => {
    const order = [];
    for (const name of ['first', 'second', 'third']) bob.on(UPDATED, () => order.push(name));
    await change();
    expect(order).toEqual(['first', 'second', 'third']);
  });

  test('of what is no function does no harm', async () => {
    const reported = vi.spyOn(console, 'error').mockImplementation(() => {});
    bob.on(UPDATED, undefined);
    bob.on(UPDATED, 'alert');
    const handler = vi.fn();
    bob.on(UPDATED, handler);
    await change();
    expect(handler).toHaveBeenCalledTimes(1);
    expect(reported).not.toHaveBeenCalled();
  });
});

describe('off', () => {
  test('takes a function off as often as it was added', async () => {
    const handler = vi.fn();
    bob.on(UPDATED, handler);
    bob.on(UPDATED, handler, {});
    bob.off(UPDATED, handler);
    await change();
    expect(handler).not.toHaveBeenCalled();
  });

  test('takes off that function only, and of that event only', async () => {
    const [handler, other] = [vi.fn(), vi.fn()];
    bob.on(UPDATED, handler);
    bob.on(UPDATED, other);
    bob.on(DELETED, other);
    bob.off(UPDATED, () => {});
    bob.off(DELETED, handler);
    bob.off('no such event', handler);
    await change();
    expect([handler.mock.calls.length, other.mock.calls.length]).toEqual([1, 1]);
    await bob.deleteMessageExtensions(mine, ['a']);
    await until('the delete is told', () => other.mock.calls.length === 2);
  });

  test('works inside the handler', async () => {
    const handler = vi.fn(() => bob.off(UPDATED, handler));
    const after = vi.fn();
    bob.on(UPDATED, handler);
    bob.on(UPDATED, after);
    await change();
    await change();
    expect([handler.mock.calls.length, after.mock.calls.length]).toEqual([1, 2]);
  });
});

describe('once', () => {
  test('calls the handler at the next event only', async () => {
    const handler = vi.fn();
    bob.once(UPDATED, handler);
    const first = await change();
    await change();
    expect(handler.mock.calls).toEqual([[{ name: UPDATED, data: first }]]);
  });

  test('is taken off by off', async () => {
    const handler = vi.fn();
    bob.once(UPDATED, handler);
    bob.off(UPDATED, handler);
    await change();
    expect(handler).not.toHaveBeenCalled();
  });
});

test('a handler that throws stops neither the others nor the client, and is reported', async () => {
  const reported = vi.spyOn(console, 'error').mockImplementation(() => {});
  const mistake = new Error('a mistake in the page');
  const after = vi.fn();
  bob.on(UPDATED, () => {
    throw mistake;
  });
  bob.on(UPDATED, after);
  await change();
  await change();
  expect(after).toHaveBeenCalledTimes(2);
  expect(reported.mock.calls).toEqual([[mistake], [mistake]]);
  await expect(bob.setMessageExtensions(mine, [{ key: 'b', value: '1' }])).resolves.toMatchObject({ code: 0 });
});

test('a handler may call the client: what it starts settles, and is told after what is being told', async () => {
  const order = [];
  bob.on(UPDATED, ({ data }) => {
    order.push(data.extensions[0].value);
    if (data.extensions[0].key === 'question') bob.setMessageExtensions(mine, [{ key: 'answer', value: 'yes' }]);
  });
  bob.on(UPDATED, ({ data }) => order.push(data.extensions[0].value));
  await alice.setMessageExtensions(mine, [{ key: 'question', value: 'lunch?' }]);
  await until('the answer is told', () => order.length === 4);
  expect(order).toEqual(['lunch?', 'lunch?', 'yes', 'yes']);
});

test('a listener that changes the data of an event changes nothing that the client gives later', async () => {
  await bob.getMessageExtensions(mine);
  bob.on(UPDATED, ({ data }) => {
    data.extensions[0].value = 'spoilt';
    data.extensions.length = 0;
  });
  const { extensions } = await change();
  expect((await bob.getMessageExtensions(mine)).data.extensions).toEqual(extensions);
});

test('no listener is called after destroy', async () => {
  const handler = vi.fn();
  const seen = bob.seen.length;
  bob.on(UPDATED, handler);
  await bob.destroy();
  await alice.setMessageExtensions(mine, [{ key: 'a', value: '1' }]);
  await until('the author is told', () => alice.changes().length);
  expect(handler).not.toHaveBeenCalled();
  expect(bob.seen.slice(seen).map(({ name }) => name)).toEqual(['sdkStateNotReady']);
});
