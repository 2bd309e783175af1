// Set, get, delete, clear and conflicts, one-to-one and in groups, by two users' clients.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeAll, login, newUser, sendVote } from './support/chat.js';
import { startGateway } from './support/gateway.js';
import { must, startServer } from './support/server.js';
import { until } from './support/wait.js';

let server;
/** The author's client goes through this one, the other's through that. */
let gateway;
let otherGateway;

beforeAll(async () => {
  server = await startServer();
  [gateway, otherGateway] = await Promise.all([startGateway(server), startGateway(server)]);
});
afterAll(async () => {
  await Promise.all([gateway.close(), otherGateway.close()]);
  await server.stop();
});

/** Keys and values sorted, so that the order in which a client keeps them does not matter. */
const sorted = (extensions) => [...extensions].sort((a, b) => (a.key < b.key ? -1 : 1));
const read = async (chat, message, keyList) => sorted((await chat.getMessageExtensions(message, keyList)).data.extensions);
const set = async (chat, message, ...extensions) => (await chat.setMessageExtensions(message, extensions)).data.extensions;
const A1 = { key: 'a', value: '1' };
const B2 = { key: 'b', value: '2' };

describe.each([
  ['one-to-one', 'C2C'],
  ['in a group', 'GROUP'],
])('%s', (_, conversationType) => {
  let alice;
  let bob;
  /** The message as each of them has it: sent, received. */
  let mine;
  let theirs;

  beforeEach(async () => {
    alice = await login(gateway.url, newUser('alice'));
    bob = await login(otherGateway.url, newUser('bob'));
    let to = bob.userID;
    if (conversationType === 'GROUP') {
      to = newUser('lunch');
      const group = { Owner_Account: alice.userID, Type: 'Public', Name: 'Lunch', GroupId: to, MemberList: [{ Member_Account: bob.userID }] };
      await must(server.call('group_open_http_svc/create_group', group));
    }
    [mine, theirs] = await sendVote(alice, conversationType, to, [bob]);
  });
  afterEach(closeAll);

  /** Both clients have been told so many changes. */
  const told = (count) =>
    until(
      () => `${count} changes: ${JSON.stringify([alice.changes(), bob.changes()])}`,
      () => [alice, bob].every((chat) => chat.changes().length >= count),
    );

  test('a set resolves with each key, is read by both, and told to both once', async () => {
    await expect(alice.setMessageExtensions(mine, [A1, B2])).resolves.toEqual({
      code: 0,
      data: { extensions: [{ code: 0, ...A1 }, { code: 0, ...B2 }] },
    });
    await told(1);
    const event = { name: 'onMessageExtensionsUpdated', data: { messageID: mine.ID, extensions: [A1, B2] } };
    for (const chat of [alice, bob]) {
      expect(chat.seen.filter(({ name }) => name.startsWith('onMessageExtensions'))).toEqual([event]);
    }
    expect(theirs.ID).toBe(mine.ID);
    await expect(alice.getMessageExtensions(mine)).resolves.toEqual({ code: 0, data: { extensions: [A1, B2] } });
    expect(await read(bob, theirs)).toEqual([A1, B2]);
  });

  test('the user who did not send the message may set, and the author is told', async () => {
    await set(bob, theirs, A1);
    await told(1);
    expect(alice.changes()).toEqual([{ messageID: mine.ID, extensions: [A1] }]);
    expect(await read(alice, mine)).toEqual([A1]);
  });

  test('a key is set again without a get in between, also to the value that it has', async () => {
    for (const value of ['1', '2', '2', '3']) {
      expect(await set(alice, mine, { key: 'a', value })).toEqual([{ code: 0, key: 'a', value }]);
    }
    await told(4);
    expect(bob.changes().map(({ extensions }) => extensions[0].value)).toEqual(['1', '2', '2', '3']);
    expect(await read(bob, theirs)).toEqual([{ key: 'a', value: '3' }]);
  });

  test('a key that somebody else wrote first resolves with 23001 and their value; set again it succeeds', async () => {
    const hear = otherGateway.holdPush();
    await set(alice, mine, A1);
    const first = await bob.setMessageExtensions(theirs, [{ key: 'a', value: 'mine' }, B2]);
    expect(first).toEqual({ code: 0, data: { extensions: [{ code: 23001, ...A1 }, { code: 0, ...B2 }] } });
    expect(await set(bob, theirs, { key: 'a', value: 'mine' })).toEqual([{ code: 0, key: 'a', value: 'mine' }]);
    hear();
    await told(3);
    expect(bob.changes()).toEqual(alice.changes());
    expect(alice.changes().map(({ extensions }) => extensions)).toEqual([[A1], [B2], [{ key: 'a', value: 'mine' }]]);
    expect(await read(alice, mine)).toEqual([{ key: 'a', value: 'mine' }, B2]);
  });

  test('of two who set one key in the same moment one wins, and both then see the same', async () => {
    await Promise.all([read(alice, mine), read(bob, theirs)]);
    const both = await Promise.all([set(alice, mine, { key: 'a', value: 'alice' }), set(bob, theirs, { key: 'a', value: 'bob' })]);
    const [[won], [lost]] = both.sort(([a], [b]) => a.code - b.code);
    expect([won.code, lost.code]).toEqual([0, 23001]);
    expect(lost.value).toBe(won.value);
    await told(1);
    expect(await read(alice, mine)).toEqual([{ key: 'a', value: won.value }]);
    expect(await read(bob, theirs)).toEqual([{ key: 'a', value: won.value }]);
  });

  test.each([
    ['has read the message', () => read(bob, theirs)],
    ['has only listened', () => {}],
  ])('who %s and is told of a value may overwrite it', async (_, prepare) => {
    await prepare();
    await set(alice, mine, A1);
    await told(1);
    expect(await set(bob, theirs, { key: 'a', value: '2' })).toEqual([{ code: 0, key: 'a', value: '2' }]);
    await told(2);
    expect(await set(alice, mine, { key: 'a', value: '3' })).toEqual([{ code: 0, key: 'a', value: '3' }]);
  });

  test('a delete resolves with each key, and both are told', async () => {
    await set(alice, mine, A1, B2);
    await expect(alice.deleteMessageExtensions(mine, ['a', 'b'])).resolves.toEqual({
      code: 0,
      data: { extensions: [{ code: 0, key: 'a', value: '' }, { code: 0, key: 'b', value: '' }] },
    });
    await told(2);
    for (const chat of [alice, bob]) {
      expect(chat.data('MESSAGE_EXTENSIONS_DELETED')).toEqual([{ messageID: mine.ID, keyList: ['a', 'b'] }]);
    }
    expect(await read(alice, mine)).toEqual([]);
    expect(await read(bob, theirs)).toEqual([]);
  });

  test('a key that somebody else wrote since is not deleted: 23001, with their value', async () => {
    await read(alice, mine);
    const hear = gateway.holdPush();
    await set(bob, theirs, A1);
    expect((await alice.deleteMessageExtensions(mine, ['a'])).data.extensions).toEqual([{ code: 23001, ...A1 }]);
    expect((await alice.deleteMessageExtensions(mine, ['a'])).data.extensions).toEqual([{ code: 0, key: 'a', value: '' }]);
    hear();
    await told(2);
    expect(alice.changes()).toEqual(bob.changes());
  });

  test('a key that is not there is deleted without a change', async () => {
    expect((await alice.deleteMessageExtensions(mine, ['a'])).data.extensions).toEqual([{ code: 0, key: 'a', value: '' }]);
    await set(alice, mine, B2);
    await told(1);
    expect(bob.changes()).toEqual([{ messageID: mine.ID, extensions: [B2] }]);
  });

  test('a deleted key can be set again, by both', async () => {
    await set(alice, mine, A1);
    await alice.deleteMessageExtensions(mine, ['a']);
    await told(2);
    expect(await set(bob, theirs, { key: 'a', value: '2' })).toEqual([{ code: 0, key: 'a', value: '2' }]);
    await told(3);
    await alice.deleteMessageExtensions(mine, ['a']);
    expect(await set(alice, mine, A1)).toEqual([{ code: 0, ...A1 }]);
  });

  test.each([
    ['without keys', []],
    ['with undefined', [undefined]],
    ['with an empty list', [[]]],
  ])('a delete %s clears the message: nothing is resolved, every key is told as deleted', async (_, keyList) => {
    await set(alice, mine, A1, B2);
    await told(1);
    await expect(bob.deleteMessageExtensions(theirs, ...keyList)).resolves.toEqual({ code: 0, data: { extensions: [] } });
    await told(2);
    for (const chat of [alice, bob]) {
      const [{ messageID, keyList }] = chat.data('MESSAGE_EXTENSIONS_DELETED');
      expect([messageID, [...keyList].sort()]).toEqual([mine.ID, ['a', 'b']]);
    }
    expect(await read(alice, mine)).toEqual([]);
    expect(await set(alice, mine, A1)).toEqual([{ code: 0, ...A1 }]);
  });

  test('a get with keys gives those only', async () => {
    await set(alice, mine, A1, B2, { key: 'c', value: '3' });
    expect(await read(alice, mine, ['b', 'a', 'absent'])).toEqual([A1, B2]);
    expect(await read(bob, theirs, ['c'])).toEqual([{ key: 'c', value: '3' }]);
    expect(await read(bob, theirs, [])).toEqual([]);
    expect(await read(bob, theirs)).toHaveLength(3);
  });

  test('a get while connected makes one request; later ones none, whatever is written meanwhile', async () => {
    const pulls = () => gateway.requests.filter(({ command }) => command.includes('get_key_values')).length;
    const before = pulls();
    await read(alice, mine);
    expect(pulls()).toBe(before + 1);
    await set(alice, mine, A1);
    await set(bob, theirs, B2);
    await told(2);
    expect(await read(alice, mine)).toEqual([A1, B2]);
    expect(await read(alice, mine, ['a'])).toEqual([A1]);
    expect(pulls()).toBe(before + 1);
  });

  test('gets that wait for the same answer share one request', async () => {
    const before = gateway.requests.length;
    await Promise.all([read(alice, mine), read(alice, mine), read(alice, mine)]);
    expect(gateway.requests).toHaveLength(before + 1);
  });

  test('a plain object with the fields of the message will do, and its own ID is used in events', async () => {
    const { time, random, clientSequence, sequence, from, to } = theirs;
    const plain = { ID: 'as I call it', conversationType, time, random, clientSequence, sequence, from, to, status: 'success', isSupportExtension: true };
    expect(await read(bob, plain)).toEqual([]);
    await set(alice, mine, A1);
    await told(1);
    expect(bob.changes()).toEqual([{ messageID: 'as I call it', extensions: [A1] }]);
  });

  test('300 keys are set, read in pages, and the one past them is refused as a whole', async () => {
    const keys = Array.from({ length: 300 }, (_, i) => ({ key: `k${String(i).padStart(3, '0')}`, value: String(i) }));
    for (let i = 0; i < 300; i += 20) await set(alice, mine, ...keys.slice(i, i + 20));
    expect(await read(bob, theirs)).toEqual(keys);
    await expect(alice.setMessageExtensions(mine, [{ key: 'k000', value: 'x' }, { key: 'one more', value: 'x' }])).rejects.toMatchObject({ code: 10004 });
    expect(await read(bob, theirs, ['k000'])).toEqual([{ key: 'k000', value: '0' }]);
  });

  test('what a stranger asks about the message does not exist', async () => {
    const carol = await login(server.url, newUser('carol'));
    await expect(carol.getMessageExtensions(mine)).rejects.toMatchObject({ name: 'MessageExtensionError', code: 23004 });
    await expect(carol.setMessageExtensions(mine, [A1])).rejects.toMatchObject({ code: 23004 });
    await expect(carol.deleteMessageExtensions(mine)).rejects.toMatchObject({ code: 23004 });
  });
});
