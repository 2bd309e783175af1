// mutateMessageExtension: read, compute, compare-and-set, and again when somebody was faster.

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { closeAll, login, newUser, sendVote } from './support/chat.js';
import { startServer } from './support/server.js';
import { until } from './support/wait.js';

let server;
let alice;
let bob;
let mine;
let theirs;

beforeAll(async () => {
  // Of a rush nobody is to be told that it is one.
  server = await startServer({ flags: ['--writes-per-minute', '0', '--user-writes-per-minute', '0', '--user-calls-per-second', '0'] });
});
afterAll(() => server.stop());

beforeEach(async () => {
  alice = await login(server.url, newUser('alice'));
  bob = await login(server.url, newUser('bob'));
  [mine, theirs] = await sendVote(alice, 'C2C', bob.userID, [bob]);
});
afterEach(closeAll);

const plusOne = (value) => String(Number(value ?? 0) + 1);
const value = async () => (await alice.getMessageExtensions(mine, ['n'])).data.extensions[0]?.value;

test('two who count at once lose no count', async () => {
  const rounds = Array.from({ length: 12 });
  const counted = await Promise.all(
    rounds.flatMap(() => [
      alice.mutateMessageExtension(mine, 'n', plusOne).catch((error) => error.code),
      bob.mutateMessageExtension(theirs, 'n', plusOne).catch((error) => error.code),
    ]),
  );
  // Under such a rush some may give up after ten attempts; those that say they have counted, have.
  const lost = counted.filter((result) => result === 23001).length;
  expect(counted.filter((result) => result.code === 0).length + lost).toBe(24);
  // The last write may be the other's, and not told to this client yet.
  await until('a count is lost', async () => (await value()) === String(24 - lost));
});

test('it resolves with what was written', async () => {
  const { data } = await alice.mutateMessageExtension(mine, 'n', plusOne);
  expect(data.extensions).toEqual([{ code: 0, key: 'n', value: '1' }]);
});

test('undefined deletes the key', async () => {
  await alice.mutateMessageExtension(mine, 'n', plusOne);
  await alice.mutateMessageExtension(mine, 'n', () => undefined);
  expect(await value()).toBe(undefined);
});

test('what came between reading and writing is not overwritten: fn is called again with it', async () => {
  const seen = [];
  await alice.mutateMessageExtension(mine, 'n', async (before) => {
    seen.push(before);
    if (seen.length === 1) await bob.setMessageExtensions(theirs, [{ key: 'n', value: '41' }]);
    return plusOne(before);
  });
  expect(seen).toEqual([undefined, '41']);
  expect(await value()).toBe('42');
});

test('what fn throws is what the promise rejects with, and nothing is written', async () => {
  const thrown = new Error('no');
  await expect(alice.mutateMessageExtension(mine, 'n', () => Promise.reject(thrown))).rejects.toBe(thrown);
  expect(await value()).toBe(undefined);
});

test.each([[''], [1], [null], ['x'.repeat(1001)]])('%j is no value, and is refused', async (bad) => {
  await expect(alice.mutateMessageExtension(mine, 'n', () => bad)).rejects.toMatchObject({ code: 9001 });
});

test('arguments are checked', async () => {
  await expect(alice.mutateMessageExtension(mine, 'n')).rejects.toMatchObject({ code: 9001, message: /fn/ });
  await expect(alice.mutateMessageExtension(mine, '', plusOne)).rejects.toMatchObject({ code: 9001 });
  await expect(alice.mutateMessageExtension(null, 'n', plusOne)).rejects.toMatchObject({ code: 9001 });
});
