// Rules of messages: given when the message is made, seen by everybody who has it, held by the server.

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { closeAll, login, newUser } from './support/chat.js';
import { startServer } from './support/server.js';
import { until } from './support/wait.js';

let server;
let alice;
let bob;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  alice = await login(server.url, newUser('alice'));
  bob = await login(server.url, newUser('bob'));
});
afterEach(closeAll);

const draft = (extensionRules, more) =>
  alice.createCustomMessage({
    to: bob.userID,
    conversationType: 'C2C',
    payload: { data: '{}' },
    isSupportExtension: true,
    extensionRules,
    ...more,
  });

/** Sends a message with these rules; gives it as alice has it and as bob received it. */
async function send(rules) {
  const { data } = await alice.sendMessage(draft(rules));
  const received = await until('the message has not been received', () =>
    bob.data('MESSAGE_RECEIVED').flat().find((message) => message.ID === data.message.ID),
  );
  return [data.message, received];
}

const write = async (chat, message, key, value) => (await chat.setMessageExtensions(message, [{ key, value }])).data.extensions[0];

const RULES = {
  keyOwner: { suffix: '_0' },
  writeOnce: true,
  closesAt: 4_102_444_800_000,
  maxKeys: 2,
  values: ['1', '{"keyOwner":2}'],
  clearBy: 'admin',
};

test('everybody who has the message sees its rules as they were given', async () => {
  const [mine, theirs] = await send(RULES);
  expect(mine.extensionRules).toEqual(RULES);
  expect(theirs.extensionRules).toEqual(RULES);
  const { data } = await bob.getMessageList({ conversationID: `C2C${alice.userID}` });
  expect(data.messageList.at(-1).extensionRules).toEqual(RULES);
});

test('a message without rules has none', async () => {
  const [mine, theirs] = await send(undefined);
  for (const message of [mine, theirs]) expect(Object.keys(message)).not.toContain('extensionRules');
});

test('what a rule forbids is an item with its code and what the server has', async () => {
  const [mine, theirs] = await send(RULES);
  const own = `${bob.userID}_0`;
  expect(await write(bob, theirs, own, '1')).toEqual({ code: 0, key: own, value: '1' });
  await until('alice has not heard of it', () => alice.changes().length === 1);
  expect(await write(alice, mine, own, '1')).toEqual({ code: 23102, key: own, value: '1' });
  expect(await write(bob, theirs, own, '{"keyOwner":2}')).toEqual({ code: 23103, key: own, value: '1' });
  expect(await write(alice, mine, `${alice.userID}_0`, '2')).toMatchObject({ code: 23106, value: '' });
  const deleted = await bob.deleteMessageExtensions(theirs, [own]);
  expect(deleted.data.extensions).toEqual([{ code: 23103, key: own, value: '1' }]);
  await expect(alice.deleteMessageExtensions(mine, [])).rejects.toMatchObject({ code: 23107 });
  // Nothing of it was shown as done.
  expect((await bob.getMessageExtensions(theirs)).data.extensions).toEqual([{ key: own, value: '1' }]);
  expect(bob.changes()).toHaveLength(1);
});

test('seats are given to those who come first', async () => {
  const [mine, theirs] = await send({ maxKeys: 1 });
  expect((await write(bob, theirs, 'bob', 'me')).code).toBe(0);
  expect((await write(alice, mine, 'alice', 'me too')).code).toBe(23105);
  await bob.deleteMessageExtensions(theirs, ['bob']);
  expect((await write(alice, mine, 'alice', 'me too')).code).toBe(0);
});

test('a message that is closed refuses all', async () => {
  const [mine, theirs] = await send({ closesAt: 1 });
  expect((await write(bob, theirs, 'k', '1')).code).toBe(23104);
  expect((await bob.mutateMessageExtension(theirs, 'k', () => '1')).data.extensions[0].code).toBe(23104);
  await expect(alice.deleteMessageExtensions(mine, [])).rejects.toMatchObject({ code: 23107 });
});

test('a watch takes back what a rule forbids', async () => {
  const [, theirs] = await send({ values: ['1'] });
  const shown = [];
  const stop = bob.watchMessageExtensions(theirs, ({ entries }) => shown.push(entries.map(({ value, status }) => `${value} ${status}`)));
  await write(bob, theirs, 'k', '2');
  await until('it is still shown', () => shown.at(-1).length === 0);
  expect(shown).toContainEqual(['2 pending']);
  stop();
});

const CIRCLE = {};

test.each([
  ['a rule that is misspelt', { keyowner: { suffix: '' } }, 'Keyowner'],
  ['a rule of another type', { maxKeys: '5' }, 'ExtensionRules.MaxKeys'],
  ['a number that is none', { maxKeys: NaN }, 'ExtensionRules.MaxKeys'],
  ['what goes round in circles', Object.assign(CIRCLE, { keyOwner: CIRCLE }), 'ExtensionRules'],
  ['what JSON does not have', { closesAt: 5n }, 'ExtensionRules'],
  ['no object', 'keyOwner', 'ExtensionRules'],
  ['a yes', true, 'ExtensionRules'],
  ['a list', [{ maxKeys: 5 }], 'ExtensionRules: invalid type: sequence, expected an object'],
])('%s is refused by name, and the message is not sent', async (_, rules, names) => {
  const message = draft(rules);
  const error = await alice.sendMessage(message).catch((error) => error);
  expect(error).toMatchObject({ code: 10004 });
  expect(error.message).toContain(names);
  expect(message.status).toBe('fail');
});

test('rules without support for extensions are refused', async () => {
  await expect(alice.sendMessage(draft({ maxKeys: 1 }, { isSupportExtension: false }))).rejects.toMatchObject({ code: 10004 });
});
