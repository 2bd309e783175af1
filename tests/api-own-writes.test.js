// A client's own writes, when the pushes that tell of them are late: the next write builds on them all the same, and
// every change is told once, in order.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeAll, login, newUser, sendVote } from './support/chat.js';
import { startGateway } from './support/gateway.js';
import { startServer } from './support/server.js';
import { until } from './support/wait.js';

let server;
let gateway;
let alice;
let bob;
let mine;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  gateway = await startGateway(server);
  alice = await login(gateway.url, newUser('alice'));
  bob = await login(server.url, newUser('bob'));
  [mine] = await sendVote(alice, 'C2C', bob.userID);
});
afterEach(async () => {
  await closeAll();
  await gateway.close();
});

const set = (chat, value) => chat.setMessageExtensions(mine, [{ key: 'a', value }]);
const remove = (chat, ...keyList) => chat.deleteMessageExtensions(mine, ...keyList);
const codes = ({ data }) => data.extensions.map(({ code }) => code);

describe.each([
  ['before the message was read', async () => {}],
  ['after the message was read', () => alice.getMessageExtensions(mine)],
])('%s', (_, prepare) => {
  test('set, set, delete, set, clear, set: each succeeds, and is told once, in order', async () => {
    await prepare();
    const release = gateway.holdPush();
    expect(codes(await set(alice, '1'))).toEqual([0]);
    expect(codes(await set(alice, '2'))).toEqual([0]);
    expect(codes(await remove(alice, ['a']))).toEqual([0]);
    expect(codes(await set(alice, '3'))).toEqual([0]);
    expect(codes(await remove(alice))).toEqual([]);
    expect(codes(await set(alice, '4'))).toEqual([0]);
    release();
    await until(() => `every change: ${JSON.stringify(alice.changes())}`, () => alice.changes().length >= 6);
    const told = (value) => ({ messageID: mine.ID, extensions: [{ key: 'a', value }] });
    const gone = { messageID: mine.ID, keyList: ['a'] };
    await until('the other user has not been told', () => bob.changes().length >= 6);
    expect(alice.changes()).toEqual([told('1'), told('2'), gone, told('3'), gone, told('4')]);
    expect(bob.changes()).toEqual(alice.changes());
  });
});

test('a get right after an own set gives what was set', async () => {
  await alice.getMessageExtensions(mine);
  gateway.holdPush();
  await set(alice, '1');
  expect((await alice.getMessageExtensions(mine)).data.extensions).toEqual([{ key: 'a', value: '1' }]);
});

test('writes that are not waited for go out at once; of those on one key only the first counts', async () => {
  const [first, second] = await Promise.all([set(alice, '1'), set(alice, '2')]);
  expect([codes(first), codes(second)].flat().sort()).toEqual([0, 23001]);
  const [won] = [first, second].filter((reply) => codes(reply)[0] === 0);
  await until('the change has not been told', () => bob.changes().length);
  expect(bob.changes()[0].extensions).toEqual([{ key: 'a', value: won.data.extensions[0].value }]);
});
