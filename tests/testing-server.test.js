// message-extensions/testing in an app's unit tests, in Node: several users, a network that is slow, gone, or loses answers,
// and a server that refuses.

import { createTestServer, EVENT, server } from 'message-extensions/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { until, watched } from './support/wait.js';

afterEach(async () => {
  vi.useRealTimers();
  await server.reset();
});

/** A group with these members logged in, and a message of the first. */
async function lunch(names, options) {
  server.createGroup('lunch', names);
  const chats = await Promise.all(names.map((name) => server.login(name, options)));
  for (const chat of chats) {
    chat.told = [];
    for (const name of Object.values(EVENT)) chat.on(name, ({ data }) => chat.told.push([name, data]));
  }
  const message = server.sendMessage({ from: names[0], to: 'lunch', conversationType: 'GROUP' });
  await server.idle();
  return { chats, message };
}

const vote = (key, value = '1') => [{ key, value }];
const updates = (chat) => chat.told.filter(([name]) => name === EVENT.MESSAGE_EXTENSIONS_UPDATED).map(([, data]) => data);

describe('several users', () => {
  test('see what each of them writes, and so does the test', async () => {
    const { chats: [alice, bob], message } = await lunch(['alice', 'bob']);
    await alice.setMessageExtensions(message, vote('a'));
    await server.idle();
    expect(updates(bob)).toEqual([{ messageID: message.ID, extensions: vote('a') }]);
    const { data } = await bob.getMessageExtensions(message);
    expect(data.extensions).toEqual(vote('a'));
    expect(server.extensions(message)).toEqual([{ key: 'a', value: '1', seq: 1, author: 'alice', time: expect.any(Number) }]);
  });

  test('send messages to each other, which everybody receives', async () => {
    const { chats: [alice, bob] } = await lunch(['alice', 'bob']);
    const draft = alice.createCustomMessage({ to: 'bob', conversationType: 'C2C', payload: { data: 'hi' }, isSupportExtension: true });
    const { data } = await alice.sendMessage(draft);
    await server.idle();
    const received = bob.told.filter(([name]) => name === EVENT.MESSAGE_RECEIVED).flatMap(([, messages]) => messages);
    expect(received.at(-1)).toMatchObject({ ID: data.message.ID, from: 'alice', payload: { data: 'hi' } });
    await bob.setMessageExtensions(received.at(-1), vote('seen'));
    expect(server.extensions(data.message)).toMatchObject([{ key: 'seen', author: 'bob' }]);
  });

  test('on two devices of one user, both hear', async () => {
    const { chats: [alice, again], message } = await lunch(['alice', 'alice']);
    await alice.setMessageExtensions(message, vote('a'));
    await server.idle();
    expect([updates(alice).length, updates(again).length]).toEqual([1, 1]);
  });

  test('who leaves the group sees nothing more, and learns of it', async () => {
    const { chats: [, bob], message } = await lunch(['alice', 'bob']);
    const shown = [];
    bob.watchMessageExtensions(message, ({ entries, synced }) => shown.push([entries.length, synced]));
    server.set(message, vote('a'));
    await server.idle();
    server.removeMembers('lunch', ['bob']);
    await server.idle();
    expect(shown.at(-1)).toEqual([0, false]);
    await expect(bob.setMessageExtensions(message, vote('b'))).rejects.toMatchObject({ code: 23004 });
    server.addMembers('lunch', ['bob']);
    await expect(bob.setMessageExtensions(message, vote('b'))).resolves.toMatchObject({ code: 0 });
    server.destroyGroup('lunch');
    await expect(bob.setMessageExtensions(message, vote('b', '2'))).rejects.toMatchObject({ code: 23004 });
  });
});

describe('somebody without a client', () => {
  test('writes, deletes and clears; everybody is told', async () => {
    const { chats: [alice], message } = await lunch(['alice', 'bob']);
    expect(server.set(message, [...vote('a'), ...vote('b')], { by: 'bob' })).toEqual([{ code: 0, ...vote('a')[0] }, { code: 0, ...vote('b')[0] }]);
    expect(server.set(message, vote('a', '2'), { by: 'bob' })).toEqual([{ code: 0, key: 'a', value: '2' }]);
    expect(server.delete(message, ['a', 'none'], { by: 'bob' })).toEqual([{ code: 0, key: 'a', value: '' }, { code: 0, key: 'none', value: '' }]);
    expect(server.extensions(message).map(({ key, author }) => [key, author])).toEqual([['b', 'bob']]);
    expect(server.delete(message)).toEqual([]);
    await server.idle();
    expect(alice.told.slice(-4).map(([name, data]) => [name, data.keyList ?? data.extensions])).toEqual([
      [EVENT.MESSAGE_EXTENSIONS_UPDATED, [...vote('a'), ...vote('b')]],
      [EVENT.MESSAGE_EXTENSIONS_UPDATED, vote('a', '2')],
      [EVENT.MESSAGE_EXTENSIONS_DELETED, ['a']],
      [EVENT.MESSAGE_EXTENSIONS_DELETED, ['b']],
    ]);
  });

  test('is bound by membership and rules, as the test is not', async () => {
    await lunch(['alice', 'bob']);
    const message = server.sendMessage({ from: 'alice', to: 'lunch', conversationType: 'GROUP', extensionRules: { keyOwner: { suffix: '_0' } } });
    expect(() => server.set(message, vote('a'), { by: 'carol' })).toThrow(expect.objectContaining({ code: 23004 }));
    expect(server.set(message, vote('alice_0'), { by: 'bob' })).toEqual([{ code: 23102, key: 'alice_0', value: '' }]);
    expect(server.set(message, vote('alice_0'))).toEqual([{ code: 0, ...vote('alice_0')[0] }]);
  });

  test('has more keys than a page holds', async () => {
    const { message } = await lunch(['alice']);
    for (let i = 0; i < 300; i += 20) server.set(message, Array.from({ length: 20 }, (_, k) => ({ key: `k${i + k}`, value: 'v' })));
    expect(server.extensions(message)).toHaveLength(300);
    expect(() => server.set(message, vote('more'))).toThrow(expect.objectContaining({ code: 10004, message: expect.stringContaining('301') }));
  });
});

describe('conflicts', () => {
  test('come when they are asked for: 23001 with what the other one wrote, and everybody is told', async () => {
    const { chats: [alice, bob], message } = await lunch(['alice', 'bob']);
    server.conflict(message, vote('a', 'theirs'), { by: 'bob' });
    const { data } = await alice.setMessageExtensions(message, [...vote('a'), ...vote('b')]);
    expect(data.extensions).toEqual([{ code: 23001, key: 'a', value: 'theirs' }, { code: 0, ...vote('b')[0] }]);
    await server.idle();
    expect(updates(bob)).toHaveLength(2);
    await expect(alice.setMessageExtensions(message, vote('a'))).resolves.toMatchObject({ data: { extensions: [{ code: 0 }] } });
  });

  test('have a mutation start again with their value', async () => {
    const { chats: [alice], message } = await lunch(['alice']);
    server.conflict(message, vote('n', '41'));
    const seen = [];
    await alice.mutateMessageExtension(message, 'n', (value) => {
      seen.push(value);
      return String(Number(value ?? 0) + 1);
    });
    expect(seen).toEqual([undefined, '41']);
    expect(server.extensions(message)).toMatchObject([{ key: 'n', value: '42' }]);
  });

  test('lie in latency, too: of two who write at once one is refused', async () => {
    const { chats: [alice, bob], message } = await lunch(['alice', 'bob']);
    server.latency = 5;
    const both = await Promise.all([alice.setMessageExtensions(message, vote('a', 'x')), bob.setMessageExtensions(message, vote('a', 'y'))]);
    expect(both.map(({ data }) => data.extensions[0].code)).toEqual([0, 23001]);
  });
});

describe('refusals', () => {
  test.each([
    ['write', (chat, message) => chat.setMessageExtensions(message, vote('a')), 10008],
    ['write', (chat, message) => chat.deleteMessageExtensions(message, ['a']), 23002],
    ['read', (chat, message) => chat.getMessageExtensions(message, undefined, { source: 'server' }), 23004],
    ['list', (chat) => chat.getMessageList({ conversationID: 'GROUPlunch' }), 10010],
    ['send', (chat) => chat.sendMessage(chat.createCustomMessage({ to: 'lunch', conversationType: 'GROUP', payload: { data: '' } })), 10004],
    [undefined, (chat, message) => chat.setMessageExtensions(message, vote('a')), 80001],
  ])('of the next %s, for the user who is meant', async (call, act, code) => {
    const { chats: [alice, bob], message } = await lunch(['alice', 'bob']);
    await alice.getMessageExtensions(message);
    server.refuse(code, { call, user: 'alice' });
    await expect(bob.setMessageExtensions(message, vote('b'))).resolves.toMatchObject({ code: 0 });
    const error = await act(alice, message).catch((error) => error);
    expect(error).toMatchObject({ name: 'MessageExtensionError', code, message: expect.stringMatching(/./) });
    await expect(act(alice, message)).resolves.toMatchObject({ code: 0 });
  });

  test('of a login', async () => {
    server.refuse(70001, { call: 'login', user: 'bob' });
    await expect(server.login('alice')).resolves.toBeTruthy();
    await expect(server.login('bob')).rejects.toMatchObject({ code: 70001 });
    await expect(server.login('bob')).resolves.toBeTruthy();
  });

  test('that last until they are healed', async () => {
    const { chats: [alice], message } = await lunch(['alice']);
    server.refuse(10008, { times: Infinity });
    for (let i = 0; i < 3; i += 1) await expect(alice.setMessageExtensions(message, vote('a'))).rejects.toMatchObject({ code: 10008 });
    server.heal();
    await expect(alice.setMessageExtensions(message, vote('a'))).resolves.toMatchObject({ code: 0 });
  });

  test('10002 once is nothing that the caller sees: the client tries again', async () => {
    const { chats: [alice], message } = await lunch(['alice']);
    server.refuse(10002, { call: 'write' });
    await expect(alice.setMessageExtensions(message, vote('a'))).resolves.toMatchObject({ code: 0 });
  });

  test('23003 by the limits, told after 15 seconds of trying, which fake timers pass at once', async () => {
    const strict = createTestServer({ limits: { userWritesPerMinute: 2 } });
    strict.createGroup('lunch', ['alice']);
    const message = strict.sendMessage({ from: 'alice', to: 'lunch', conversationType: 'GROUP' });
    const alice = await strict.login('alice');
    for (const key of ['a', 'b']) await alice.setMessageExtensions(message, vote(key));
    vi.useFakeTimers();
    const third = watched(alice.setMessageExtensions(message, vote('c')));
    await vi.advanceTimersByTimeAsync(15_000);
    expect(third).toMatchObject({ status: 'rejected', value: { code: 23003 } });
    await vi.advanceTimersByTimeAsync(60_000);
    await expect(alice.setMessageExtensions(message, vote('c'))).resolves.toMatchObject({ code: 0 });
    await strict.reset();
  });
});

describe('the network', () => {
  test('takes the latency in each direction, for requests and pushes', async () => {
    const { chats: [alice, bob], message } = await lunch(['alice', 'bob']);
    vi.useFakeTimers();
    server.latency = 100;
    const own = watched(alice.setMessageExtensions(message, vote('a')));
    await vi.advanceTimersByTimeAsync(99);
    expect(server.extensions(message)).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(server.extensions(message)).toHaveLength(1);
    expect([own.status, updates(bob).length]).toEqual(['pending', 0]);
    await vi.advanceTimersByTimeAsync(100);
    expect([own.status, updates(bob).length]).toEqual(['resolved', 1]);
  });

  test('with a range, takes something between', async () => {
    const { chats: [alice], message } = await lunch(['alice']);
    vi.useFakeTimers();
    server.latency = [50, 80];
    const own = watched(alice.setMessageExtensions(message, vote('a')));
    await vi.advanceTimersByTimeAsync(99);
    expect(own.status).toBe('pending');
    await vi.advanceTimersByTimeAsync(70);
    expect(own.status).toBe('resolved');
  });

  test('frames come in order, however long each takes', async () => {
    const { chats: [alice], message } = await lunch(['alice']);
    server.latency = [0, 20];
    for (let i = 0; i < 20; i += 1) server.set(message, vote('a', String(i)));
    await server.idle();
    expect(updates(alice).map(({ extensions }) => extensions[0].value)).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
  });

  test('is gone for one client: calls reject; when it is back, it learns what it has missed', async () => {
    const { chats: [alice, bob], message } = await lunch(['alice', 'bob']);
    await bob.getMessageExtensions(message);
    server.goOffline(bob);
    await alice.setMessageExtensions(message, vote('a'));
    await server.idle();
    expect(updates(bob)).toEqual([]);
    server.goOnline(bob);
    await until('bob has not caught up', () => updates(bob).length);
    expect(updates(bob)).toEqual([{ messageID: message.ID, extensions: vote('a') }]);
  });

  test('without it a write rejects with 2800', async () => {
    const { chats: [alice], message } = await lunch(['alice']);
    vi.useFakeTimers();
    server.goOffline();
    const own = watched(alice.setMessageExtensions(message, vote('a')));
    await vi.advanceTimersByTimeAsync(15_000);
    expect(own).toMatchObject({ status: 'rejected', value: { code: 2800 } });
  });

  test('is gone for those who come later, too', async () => {
    server.goOffline();
    await expect(server.login('alice')).rejects.toMatchObject({ code: 2800 });
    server.goOnline();
    await expect(server.login('alice')).resolves.toBeTruthy();
  });

  test('with offline: true, writes wait and are sent when it is back', async () => {
    const { chats: [alice, bob], message } = await lunch(['alice', 'bob'], { offline: true });
    await bob.getMessageExtensions(message);
    server.goOffline(bob);
    const { data } = await bob.setMessageExtensions(message, vote('b'));
    expect(data.extensions).toEqual([{ code: 0, queued: true, ...vote('b')[0] }]);
    expect(server.extensions(message)).toEqual([]);
    server.set(message, vote('c'));
    server.goOnline(bob);
    await until('the write was not sent', () => server.extensions(message).length === 2);
    await server.idle();
    expect(updates(alice)).toHaveLength(2);
  });

  test('a write made offline that meets another one is a conflict', async () => {
    const { chats: [, bob], message } = await lunch(['alice', 'bob'], { offline: true });
    await bob.getMessageExtensions(message);
    server.goOffline(bob);
    await bob.setMessageExtensions(message, vote('a', "bob's"));
    server.set(message, vote('a', "alice's"), { by: 'alice' });
    server.goOnline(bob);
    const conflict = await until('no conflict', () => bob.told.find(([name]) => name === EVENT.MESSAGE_EXTENSIONS_CONFLICT));
    expect(conflict[1]).toEqual({ messageID: message.ID, extensions: [{ code: 23001, key: 'a', value: "bob's", current: "alice's" }] });
  });

  test('loses an answer: the client asks again, and it is no conflict with itself', async () => {
    const { chats: [alice, bob], message } = await lunch(['alice', 'bob']);
    server.loseAnswer({ call: 'write' });
    const { data } = await alice.setMessageExtensions(message, vote('a'));
    expect(data.extensions).toEqual([{ code: 0, ...vote('a')[0] }]);
    expect(server.extensions(message)).toMatchObject([{ seq: 1 }]);
    await server.idle();
    expect(updates(bob)).toHaveLength(1);
  });

  test('that loses every answer has the call reject, though the write is done', async () => {
    const { chats: [alice], message } = await lunch(['alice']);
    vi.useFakeTimers();
    server.loseAnswer({ call: 'write', times: Infinity });
    const own = watched(alice.setMessageExtensions(message, vote('a')));
    await vi.advanceTimersByTimeAsync(15_000);
    expect(own).toMatchObject({ status: 'rejected', value: { code: 2800 } });
    expect(server.extensions(message)).toMatchObject([{ key: 'a', seq: 1 }]);
  });

  test('does not carry what is given up before it has left', async () => {
    const { chats: [alice, bob], message } = await lunch(['alice', 'bob']);
    const own = watched(alice.setMessageExtensions(message, vote('a')));
    await alice.logout();
    await server.idle();
    expect(own).toMatchObject({ status: 'rejected', value: { code: 3005 } });
    expect(server.extensions(message)).toEqual([]);
    expect(updates(bob)).toEqual([]);
  });

  test('a message whose answer is lost is sent once', async () => {
    const { chats: [alice, bob] } = await lunch(['alice', 'bob']);
    server.loseAnswer({ call: 'send' });
    const draft = alice.createCustomMessage({ to: 'lunch', conversationType: 'GROUP', payload: { data: 'once' } });
    await alice.sendMessage(draft);
    const { data } = await bob.getMessageList({ conversationID: 'GROUPlunch' });
    expect(data.messageList.filter(({ ID }) => ID === draft.ID)).toHaveLength(1);
  });
});

describe('a client that comes after another one was destroyed', () => {
  const queue = async () => {
    const { chats: [alice], message } = await lunch(['alice'], { offline: true });
    server.goOffline(alice);
    await alice.setMessageExtensions(message, vote('a'));
    await alice.destroy();
    return message;
  };

  test('sends what that one had queued, as after a reload', async () => {
    const message = await queue();
    await server.login('alice', { offline: true });
    await until('nothing was sent', () => server.extensions(message).length);
  });

  test('knows nothing of it after a reset', async () => {
    await queue();
    await server.reset();
    const { message } = await lunch(['alice'], { offline: true });
    await server.idle();
    expect(server.extensions(message)).toEqual([]);
  });
});

describe('time', () => {
  test('may stand still: without latency everything goes on under fake timers', async () => {
    vi.useFakeTimers();
    const { chats: [alice, bob], message } = await lunch(['alice', 'bob']);
    await alice.setMessageExtensions(message, vote('a'));
    await server.idle();
    expect(updates(bob)).toHaveLength(1);
  });

  test("is the test's: a vote closes when it says so", async () => {
    let now = 1_000_000;
    const clocked = createTestServer({ now: () => now });
    clocked.createGroup('lunch', ['alice']);
    const message = clocked.sendMessage({ from: 'alice', to: 'lunch', conversationType: 'GROUP', extensionRules: { closesAt: 2_000_000 } });
    const alice = await clocked.login('alice');
    await alice.setMessageExtensions(message, vote('a'));
    now = 2_000_000;
    const { data } = await alice.setMessageExtensions(message, vote('a', '2'));
    expect(data.extensions).toEqual([{ code: 23104, key: 'a', value: '1' }]);
    expect(clocked.extensions(message)[0].time).toBe(1_000_000);
    await clocked.reset();
  });

  test('a connection outlives hours of silence', async () => {
    vi.useFakeTimers();
    const { chats: [alice], message } = await lunch(['alice']);
    await vi.advanceTimersByTimeAsync(3 * 60 * 60_000);
    server.set(message, vote('a'));
    await server.idle();
    expect(updates(alice)).toHaveLength(1);
  });
});

describe('reset', () => {
  test('settles what is open, ends every client, forgets everything', async () => {
    const { chats: [alice], message } = await lunch(['alice']);
    server.latency = 1000;
    const open = watched(alice.setMessageExtensions(message, vote('a')));
    const login = watched(server.login('bob'));
    await Promise.resolve();
    await server.reset();
    await until('a call is still open', () => open.status !== 'pending' && login.status !== 'pending');
    expect(open).toMatchObject({ status: 'rejected', value: { code: 9004 } });
    expect(login.status).toBe('rejected');
    await expect(alice.getMessageExtensions(message)).rejects.toMatchObject({ code: 9004 });
    expect(server.latency).toBe(0);
    expect(() => server.extensions(message)).toThrow(expect.objectContaining({ code: 23004 }));
    server.createGroup('lunch');
  });

  test('ends faults, and those who were offline', async () => {
    server.refuse(10008, { times: Infinity });
    const before = await server.login('alice').catch((error) => error);
    expect(before).toMatchObject({ code: 10008 });
    server.goOffline();
    await server.reset();
    await expect(server.login('alice')).resolves.toBeTruthy();
  });

  test('takes nothing of what was on its way over to what comes after', async () => {
    const { chats: [alice] } = await lunch(['alice']);
    server.latency = 20;
    const late = watched(alice.getMessageList({ conversationID: 'GROUPlunch' }));
    const over = server.reset();
    const { chats: [next], message } = await lunch(['alice']);
    await over;
    server.latency = 20;
    await next.setMessageExtensions(message, vote('a'));
    await server.idle();
    expect(updates(next)).toHaveLength(1);
    expect(late).toMatchObject({ status: 'rejected', value: { code: 9004 } });
  });

  test('may be called at any time, also where nothing was done', async () => {
    await createTestServer().reset();
    await server.reset();
    await Promise.all([server.reset(), server.reset()]);
  });
});

describe('servers', () => {
  test('know nothing of each other', async () => {
    const other = createTestServer();
    other.createGroup('lunch', ['alice']);
    server.createGroup('lunch', ['alice', 'bob']);
    const message = server.sendMessage({ from: 'alice', to: 'lunch', conversationType: 'GROUP' });
    server.set(message, vote('a'));
    const bob = await other.login('bob');
    await expect(bob.getMessageExtensions(message)).rejects.toMatchObject({ code: 23004 });
    expect(() => server.goOffline(bob)).toThrow(expect.objectContaining({ code: 9001 }));
    await other.reset();
  });
});

test.each([
  ['options', () => createTestServer(5), 'options'],
  ['limits', () => createTestServer({ limits: 5 }), 'limits'],
  ['a limit that there is not', () => createTestServer({ limits: { writes: 5 } }), 'writes'],
  ['a limit that is no number', () => createTestServer({ limits: { items: '5' } }), 'items'],
  ['now', () => createTestServer({ now: 5 }), 'now'],
  ['latency', () => createTestServer({ latency: -1 }), 'latency'],
  ['latency', () => (server.latency = [5, 1]), 'latency'],
  ['latency', () => (server.latency = '5'), 'latency'],
  ['SDKAppID', () => server.create({ SDKAppID: 'x' }), 'SDKAppID'],
  ['endpoint', () => server.create({ endpoint: 'x' }), 'endpoint'],
  ['a client', () => server.goOffline({}), 'chat'],
  ['members', () => server.createGroup('lunch', 'alice'), 'members'],
  ['from', () => server.sendMessage({ to: 'lunch' }), 'from'],
  ['conversationType', () => server.sendMessage({ from: 'a', to: 'b' }), 'conversationType'],
  ['extensions', () => server.set({ to: 'b', conversationType: 'GROUP' }, 'a'), 'extensions'],
  ['message', () => server.extensions(null), 'message'],
  ['message', () => server.conflict(undefined, vote('a')), 'message'],
  ['keyList', () => server.delete({ to: 'b', conversationType: 'GROUP' }, 'a'), 'keyList'],
  ['code', () => server.refuse('10002'), 'code'],
  ['a code of items', () => server.refuse(23001), 'code'],
  ['call', () => server.refuse(10002, { call: 'set' }), 'call'],
  ['times', () => server.refuse(10002, { times: 0 }), 'times'],
  ['a login without an answer', () => server.loseAnswer({ call: 'login' }), 'call'],
])('what will not do is refused at once with 9001 and named: %s', (_, act, name) => {
  let error;
  try {
    act();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ name: 'MessageExtensionError', code: 9001, message: expect.stringContaining(name) });
});

test('a userID that is none rejects the login', async () => {
  await expect(server.login('')).rejects.toMatchObject({ code: 9001, message: expect.stringContaining('userID') });
});
