// Watching a message, and counting a vote.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeAll, freshModule, login, newUser, recorded, sendVote, WASM } from './support/chat.js';
import { CUT, startGateway } from './support/gateway.js';
import { APP, sign, startServer } from './support/server.js';
import { deferred, until } from './support/wait.js';

let server;
let gateway;
let alice;
let bob;
let mine;
let theirs;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  gateway = await startGateway(server);
  alice = await login(gateway.url, newUser('alice'));
  bob = await login(server.url, newUser('bob'));
  [mine, theirs] = await sendVote(alice, 'C2C', bob.userID, [bob]);
});
afterEach(async () => {
  await closeAll();
  await gateway.close();
});

/** Watches, and keeps every snapshot. */
function watching(chat, message, options) {
  const snapshots = [];
  const stop = chat.watchMessageExtensions(message, (snapshot) => snapshots.push(snapshot), options);
  return { snapshots, stop, last: () => snapshots.at(-1) };
}

const shown = (snapshot) => snapshot?.entries.map(({ key, value, status }) => [key, value, status]);
const set = (chat, message, key, value) => chat.setMessageExtensions(message, [{ key, value }]);

test('shows what is there, then every change, with who made it', async () => {
  await set(bob, theirs, 'b', '1');
  const watch = watching(alice, mine);
  await until('nothing is shown', () => watch.last()?.synced);
  expect(shown(watch.last())).toEqual([['b', '1', 'confirmed']]);
  expect(watch.last().entries[0].author).toBe(bob.userID);
  expect(watch.last().entries[0].time).toBeGreaterThan(1_600_000_000_000);
  await set(bob, theirs, 'c', '2');
  await bob.deleteMessageExtensions(theirs, ['b']);
  await until('the changes are not shown', () => JSON.stringify(shown(watch.last())) === '[["c","2","confirmed"]]');
  await bob.deleteMessageExtensions(theirs);
  await until('the clear is not shown', () => watch.last().entries.length === 0);
});

test('snapshots cannot be changed, and what has not changed is the same object', async () => {
  await set(bob, theirs, 'b', '1');
  const watch = watching(alice, mine);
  await until('nothing is shown', () => watch.last()?.synced);
  const [before] = watch.last().entries;
  await set(bob, theirs, 'c', '2');
  await until('the change is not shown', () => watch.last().entries.length === 2);
  expect(watch.last().entries[0]).toBe(before);
  expect(Object.isFrozen(watch.last()) && Object.isFrozen(watch.last().entries) && Object.isFrozen(before)).toBe(true);
});

test('an own write is shown at once as pending, then confirmed', async () => {
  const watch = watching(alice, mine);
  await until('nothing is shown', () => watch.last()?.synced);
  const { promise: answered, resolve: answer } = deferred();
  const release = gateway.holdPush();
  const written = set(alice, mine, 'a', '1').then(answer);
  await until('the write is not shown', () => watch.last().entries.length);
  expect(shown(watch.last())).toEqual([['a', '1', 'pending']]);
  await written;
  await answered;
  expect(shown(watch.last())).toEqual([['a', '1', 'confirmed']]);
  release();
});

// Until the answer comes, the own write is last, and it stays there.
test('entries are in the order in which they were written, also if an own write is answered late', async () => {
  const watch = watching(alice, mine);
  await until('nothing is shown', () => watch.last()?.synced);
  const { promise: held, resolve: release } = deferred();
  gateway.treatAnswer = ({ command }) => (command.endsWith('set_key_values') ? held : undefined);
  const written = set(alice, mine, 'first', '1');
  await until('the write has not arrived', () => bob.changes().length);
  await set(bob, theirs, 'second', '2');
  await until('the change is not shown', () => watch.last().entries.length === 2);
  release();
  await written;
  await until('not confirmed', () => watch.last().entries.every(({ status }) => status === 'confirmed'));
  expect(watch.last().entries.map(({ key }) => key)).toEqual(['first', 'second']);
});

test('an own write that loses is rolled back to what has won, marked as a conflict until the key is written again', async () => {
  const watch = watching(alice, mine);
  await until('nothing is shown', () => watch.last()?.synced);
  const release = gateway.holdPush();
  await set(bob, theirs, 'a', 'theirs');
  const { data } = await set(alice, mine, 'a', 'mine');
  expect(data.extensions).toEqual([{ code: 23001, key: 'a', value: 'theirs' }]);
  expect(shown(watch.last())).toEqual([['a', 'theirs', 'conflict']]);
  release();
  await set(alice, mine, 'a', 'mine after all');
  expect(shown(watch.last())).toEqual([['a', 'mine after all', 'confirmed']]);
});

test('while the connection is down it says that it may not show everything, and catches up by itself', async () => {
  const watch = watching(alice, mine);
  await until('nothing is shown', () => watch.last()?.synced);
  const open = gateway.shut();
  await until('it still claims to show everything', () => watch.last().synced === false);
  await set(bob, theirs, 'b', '1');
  open();
  await until('it has not caught up', () => watch.last().synced && watch.last().entries.length === 1);
});

test('after stop nothing is told any more', async () => {
  const watch = watching(alice, mine);
  await until('nothing is shown', () => watch.last()?.synced);
  watch.stop();
  watch.stop();
  const count = watch.snapshots.length;
  await set(alice, mine, 'a', '1');
  await until('the change has not come', () => alice.changes().length);
  expect(watch.snapshots.length).toBe(count);
});

test('it may begin before the login, and goes on after another', async () => {
  await set(alice, mine, 'a', '1');
  const chat = (await freshModule()).create({ SDKAppID: APP, endpoint: server.url, wasm: WASM });
  const watch = watching(chat, theirs);
  await chat.login({ userID: bob.userID, userSig: sign(bob.userID) });
  await until('nothing is shown', () => watch.last()?.synced && watch.last().entries.length === 1);
  await chat.logout();
  await set(alice, mine, 'c', '2');
  await chat.login({ userID: bob.userID, userSig: sign(bob.userID) });
  await until('it does not go on', () => watch.last().entries.length === 2);
  await chat.destroy();
});

describe.each([
  ['logout', () => alice.logout()],
  [
    'the signature has expired',
    async () => {
      gateway.treat = () => JSON.stringify({ ActionStatus: 'FAIL', ErrorCode: 70001, ErrorInfo: 'expired' });
      await alice.getMessageExtensions(mine, undefined, { source: 'server' }).catch(() => {});
      gateway.treat = () => undefined;
    },
  ],
  [
    'another user, who may not see the message, logs in',
    async () => {
      const carol = newUser('carol');
      await alice.login({ userID: carol, userSig: sign(carol) });
      await until('she is not told', () => alice.data('ERROR').some(({ code }) => code === 23004));
    },
  ],
])('when the session ends (%s)', (_, end) => {
  test('it says that it may not show everything, shows the same, and goes on after the next login', async () => {
    await set(alice, mine, 'a', '1');
    const watch = watching(alice, mine);
    await until('nothing is shown', () => watch.last()?.synced && watch.last().entries.length);
    const { length } = watch.snapshots;
    const before = watch.last();
    await end();
    expect(alice.data('SDK_NOT_READY')).toHaveLength(1);
    const [last, ...later] = watch.snapshots.slice(length);
    expect(last.synced).toBe(false);
    expect(last.entries).toEqual(before.entries);
    expect(last.entries[0]).toBe(before.entries[0]);
    expect(later.filter(({ entries, synced }) => synced || entries.length)).toEqual([]);

    await set(bob, theirs, 'b', '1');
    await alice.login({ userID: alice.userID, userSig: sign(alice.userID) });
    await until('it does not go on', () => watch.last().synced && watch.last().entries.length === 2);
    expect(shown(watch.last())).toEqual([['a', '1', 'confirmed'], ['b', '1', 'confirmed']]);
    await set(bob, theirs, 'c', '1');
    await until('the change is not shown', () => watch.last().entries.length === 3);
  });
});

test('stopped before the WebAssembly part is there, it never begins', async () => {
  await set(alice, mine, 'a', '1');
  const { promise: wasm, resolve: arrives } = deferred();
  const chat = (await freshModule()).create({ SDKAppID: APP, endpoint: gateway.url, wasm });
  const pulls = () => gateway.of('openim_msg_ext_http_svc/get_key_values').length;
  const before = pulls();
  const first = watching(chat, mine);
  const loggingIn = chat.login({ userID: alice.userID, userSig: sign(alice.userID) });
  const second = watching(chat, mine);
  first.stop();
  second.stop();
  arrives(WASM);
  await loggingIn;
  // Whatever was asked for has been.
  const [other] = await sendVote(chat, 'C2C', bob.userID);
  await chat.getMessageExtensions(other);
  expect(pulls()).toBe(before + 1);
  expect([...first.snapshots, ...second.snapshots]).toEqual([]);
  await chat.destroy();
});

test('null for its options is none', async () => {
  await set(alice, mine, 'a', '1');
  const watch = watching(alice, mine, null);
  await until('nothing is shown', () => watch.last()?.synced);
  expect(shown(watch.last())).toEqual([['a', '1', 'confirmed']]);
  expect('tally' in watch.last()).toBe(false);
});

test('a message that cannot be watched is told as an error', async () => {
  const chat = recorded(alice);
  watching(chat, { ...mine, status: 'unSend' });
  await until('no error', () => chat.data('ERROR').length);
  expect(chat.data('ERROR')[0].code).toBe(9002);
});

test('a listener that throws keeps no other from being told', async () => {
  const reported = [];
  globalThis.reportError = (error) => reported.push(error.message);
  alice.watchMessageExtensions(mine, () => {
    throw new Error('mine');
  });
  const watch = watching(alice, mine);
  await until('nothing is shown', () => watch.last()?.synced);
  delete globalThis.reportError;
  expect(reported).toContain('mine');
});

test('a vote is counted live: counts, shares of the voters, and who', async () => {
  const tallies = [];
  const options = { options: [0, 1, 2], suffix: '_0', separator: '_' };
  const stop = alice.tally(mine, options, (tally) => tallies.push(tally));
  await until('nothing is told', () => tallies.at(-1)?.synced);
  expect(tallies.at(-1).options.map(({ option, count, share }) => [option, count, share])).toEqual([['0', 0, 0], ['1', 0, 0], ['2', 0, 0]]);
  await set(alice, mine, 'alice_0', '0_2');
  await set(bob, theirs, 'bob_0', '2');
  await set(bob, theirs, 'closed', '1');
  await until('not counted', () => tallies.at(-1).voters === 2);
  expect(tallies.at(-1).options).toEqual([
    { option: '0', count: 1, share: 0.5, voters: ['alice'] },
    { option: '1', count: 0, share: 0, voters: [] },
    { option: '2', count: 2, share: 1, voters: ['alice', 'bob'] },
  ]);
  await alice.deleteMessageExtensions(mine, ['alice_0']);
  await until('not taken back', () => tallies.at(-1).voters === 1);
  expect(tallies.at(-1).options.map(({ count }) => count)).toEqual([0, 0, 1]);
  stop();
});

test('an optionsOf that throws is reported, that entry counts for no option, and the others are told', async () => {
  const reported = [];
  globalThis.reportError = (error) => reported.push(error.message);
  const tallies = [];
  alice.tally(mine, { optionsOf: ({ value }) => JSON.parse(value) }, (tally) => tallies.push(tally));
  await set(alice, mine, 'alice', '["a"]');
  await set(bob, theirs, 'bob', 'no JSON');
  await set(bob, theirs, 'carol', '["a","b"]');
  await until('not counted', () => tallies.at(-1)?.voters === 3);
  delete globalThis.reportError;
  expect(tallies.at(-1).options.map(({ option, voters }) => [option, voters])).toEqual([['a', ['alice', 'carol']], ['b', ['carol']]]);
  expect(reported[0]).toMatch(/JSON/);
});

test('a lost reply does not show a conflict with oneself', async () => {
  const watch = watching(alice, mine);
  await until('nothing is shown', () => watch.last()?.synced);
  let cut = 0;
  // The server has it, and the answer is lost.
  gateway.treatAnswer = ({ command }) => (command.endsWith('set_key_values') && (cut += 1) === 1 ? CUT : undefined);
  const { data } = await set(alice, mine, 'a', '1');
  expect(data.extensions).toEqual([{ code: 0, key: 'a', value: '1' }]);
  expect(gateway.of('openim_msg_ext_http_svc/set_key_values').length).toBe(2);
  expect(new Set(gateway.of('openim_msg_ext_http_svc/set_key_values').map(({ url }) => url.searchParams.get('requestid'))).size).toBe(1);
  expect(shown(watch.last())).toEqual([['a', '1', 'confirmed']]);
});
