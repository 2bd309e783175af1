// The in-page server of message-extensions/testing says what the real one says: one story on both, call by call, with codes,
// texts and events.

import { createTestServer, EVENT } from 'message-extensions/testing';
import { afterAll, afterEach, expect, test } from 'vitest';
import { closeAll, login } from './support/chat.js';
import { must, startServer } from './support/server.js';
import { tell } from './support/story.js';
import { until } from './support/wait.js';

const servers = [];
afterEach(closeAll);
afterAll(() => Promise.all(servers.map((server) => server.stop())));

/** A world with a server in this page. */
function inPage(options) {
  const server = createTestServer(options);
  /** How many events each user has heard of after each step. */
  const heard = [];
  return {
    server,
    heard,
    login: async (user, clientOptions) => {
      const chat = server.create(clientOptions);
      chat.seen = [];
      for (const name of Object.values(EVENT)) chat.on(name, (event) => chat.seen.push(structuredClone(event)));
      await chat.login({ userID: user, userSig: 'any' });
      return chat;
    },
    createGroup: (groupID, members, type) => server.createGroup(groupID, members, { type }),
    addMembers: (groupID, members) => server.addMembers(groupID, members),
    removeMembers: (groupID, members) => server.removeMembers(groupID, members),
    destroyGroup: (groupID) => server.destroyGroup(groupID),
    settle: async (clients) => {
      await server.idle();
      heard.push(new Map([...clients].map(([user, chat]) => [user, chat.seen.length])));
    },
  };
}

/** The same with the real server; it waits after each step until everybody has heard of as much as there. */
async function onAServer(heard, flags = []) {
  const server = await startServer({ flags });
  servers.push(server);
  const rest = async (command, body) => {
    await must(server.call(`group_open_http_svc/${command}`, body));
  };
  const list = (members) => members.map((user) => ({ Member_Account: user }));
  return {
    login: (user, options) => login(server.url, user, options),
    createGroup: (groupID, members, type = 'Public') =>
      rest('create_group', { Type: type, Name: groupID, GroupId: groupID, MemberList: list(members) }),
    addMembers: (groupID, members) => rest('add_group_member', { GroupId: groupID, MemberList: list(members) }),
    removeMembers: (groupID, members) => rest('delete_group_member', { GroupId: groupID, MemberToDel_Account: members }),
    destroyGroup: (groupID) => rest('destroy_group', { GroupId: groupID }),
    settle: async (clients, step) => {
      for (const [user, chat] of clients) {
        const wanted = heard[step].get(user);
        await until(() => `${user} has heard ${JSON.stringify(chat.seen)}, not ${wanted} events, in step ${step}`, () => chat.seen.length >= wanted);
      }
      // What is told too much would come about now.
      await new Promise((resolve) => setTimeout(resolve, 25));
    },
  };
}

async function expectParity(story, { limits, flags, calls } = {}) {
  const page = inPage({ limits });
  const transcript = await tell(story, page);
  await page.server.reset();
  const real = await tell(story, await onAServer(page.heard, flags));
  expect(transcript.length).toBeGreaterThanOrEqual(calls);
  for (const [i, said] of transcript.entries()) expect(said).toEqual(real[i]);
  expect(transcript).toEqual(real);
  return transcript;
}

const FOR_LUNCH = { to: 'lunch', conversationType: 'GROUP' };
const text = (length, character = 'x') => character.repeat(length);

test('votes: sets, deletes, clears, reads, those who come later', async () => {
  const transcript = await expectParity(
    async ({ world, step, client, send }) => {
      await world.createGroup('lunch', ['alice', 'bob', 'carol']);
      const alice = await client('alice');
      const bob = await client('bob');
      const vote = await send('vote', alice, FOR_LUNCH);
      const set = (who, key, value) => step(`set ${key}`, () => who.setMessageExtensions(vote, [{ key, value }]));
      await set(alice, 'a', '1');
      await set(bob, 'a', '2');
      await set(bob, 'b', '点 👍');
      await set(bob, 'b', '点 👍');
      await step('set several', () => alice.setMessageExtensions(vote, ['x', 'y', 'z'].map((key) => ({ key, value: key }))));
      await step('read', () => bob.getMessageExtensions(vote));
      await step('read from the cache', () => bob.getMessageExtensions(vote, undefined, { source: 'cache' }));
      await step('read some from the server', () => bob.getMessageExtensions(vote, ['a', 'none'], { source: 'server' }));
      await step('delete', () => alice.deleteMessageExtensions(vote, ['a', 'none']));
      await step('delete again', () => bob.deleteMessageExtensions(vote, ['a']));
      await set(bob, 'a', 'again');
      await step('mutate', () => alice.mutateMessageExtension(vote, 'count', (value) => String(Number(value ?? 0) + 1)));
      await step('mutate', () => bob.mutateMessageExtension(vote, 'count', (value) => String(Number(value ?? 0) + 1)));
      await step('mutate away', () => bob.mutateMessageExtension(vote, 'count', () => undefined));
      const carol = await client('carol');
      await step('write without having read', () => carol.setMessageExtensions(vote, [{ key: 'a', value: "carol's" }, { key: 'c', value: '3' }]));
      await step('delete without having read', () => carol.deleteMessageExtensions(vote, ['b', 'x']));
      await step('read', () => carol.getMessageExtensions(vote));
      await step('clear', () => carol.deleteMessageExtensions(vote));
      await step('clear what is empty', () => alice.deleteMessageExtensions(vote, []));
      await step('read', () => alice.getMessageExtensions(vote, undefined, { source: 'server' }));
      await set(alice, 'a', 'after');
      const watched = [];
      const stop = bob.watchMessageExtensions(vote, ({ entries, synced }) => watched.push([entries.map(({ key, value, author, status }) => [key, value, author, status]), synced]));
      await set(alice, 'w', 'seen');
      await set(bob, 'w', 'own');
      await step('watched', () => {
        stop();
        return watched.at(-1);
      });
    },
    { calls: 25 },
  );
  const codes = transcript.flatMap(({ result }) => result?.data?.extensions ?? []).map(({ code }) => code);
  expect(codes).toContain(0);
});

test('refusals, with their texts', async () => {
  const transcript = await expectParity(
    async ({ world, step, client, send }) => {
      await world.createGroup('lunch', ['alice', 'bob']);
      await world.createGroup('hall', ['alice', 'bob'], 'Community');
      await world.createGroup('theirs', ['dave']);
      const alice = await client('alice');
      const bob = await client('bob');
      const carol = await client('carol');
      const vote = await send('vote', alice, FOR_LUNCH);
      const plain = await send('plain', alice, { ...FOR_LUNCH, isSupportExtension: false });
      const loud = await send('loud', alice, { to: 'hall', conversationType: 'GROUP' });
      await send('to nobody', alice, { to: 'nowhere', conversationType: 'GROUP' });
      await send('to strangers', alice, { to: 'theirs', conversationType: 'GROUP' });
      await send('too long', alice, { ...FOR_LUNCH, payload: { data: text(13_000) } });
      await send('a long name', alice, { to: text(300), conversationType: 'C2C' });
      const set = (label, who, message, extensions) => step(label, () => who.setMessageExtensions(message, extensions));
      const one = [{ key: 'a', value: '1' }];
      await set('a stranger', carol, vote, one);
      await step('a stranger reads', () => carol.getMessageExtensions(vote));
      await step('a stranger clears', () => carol.deleteMessageExtensions(vote));
      await set('no such message', bob, { ...vote, sequence: 77 }, one);
      await set('no support, as the sender knows', alice, plain, one);
      await set('no support, and it is claimed', bob, { ...plain, isSupportExtension: true }, one);
      await step('a read without support', () => bob.getMessageExtensions({ ...plain, isSupportExtension: true }, undefined, { source: 'server' }));
      await set('a community', bob, loud, one);
      await set('a long group ID', bob, { ...vote, to: text(49) }, one);
      await set('a control character', bob, { ...vote, to: 'a\u0001b' }, one);
      await set('an empty list', bob, vote, []);
      await set('a long key', bob, vote, [{ key: text(101), value: '1' }]);
      await set('a long value', bob, vote, [{ key: 'a', value: text(334, '点') }]);
      await set('a key twice', bob, vote, [...one, ...one]);
      await set('not sent', bob, { ...vote, status: 'unSend' }, one);
      await step('nothing listed', () => carol.getMessageList({ conversationID: 'GROUPlunch' }));
      await step('nothing there', () => carol.getMessageList({ conversationID: 'GROUPnowhere' }));
      await step('a list of a long name', () => carol.getMessageList({ conversationID: `C2C${text(300)}` }));
    },
    { calls: 25 },
  );
  const errors = transcript.map(({ error }) => error?.code);
  for (const code of [10004, 10010, 23002, 23004, 9001, 9002, 9003]) expect(errors).toContain(code);
});

test('rules: what they forbid, and what is wrong with them', async () => {
  const transcript = await expectParity(
    async ({ world, step, client, send }) => {
      await world.createGroup('lunch', ['alice', 'bob']);
      const alice = await client('alice');
      const bob = await client('bob');
      const ruled = (label, extensionRules) => send(label, alice, { ...FOR_LUNCH, extensionRules });
      const set = (label, who, message, ...pairs) =>
        step(label, () => who.setMessageExtensions(message, pairs.map(([key, value]) => ({ key, value }))));
      const owned = await ruled('owned', { keyOwner: { suffix: '_0' }, values: ['0', '1'] });
      await set("somebody else's key", bob, owned, ['alice_0', '1'], ['bob_0', '1']);
      await set('a value that is not listed', bob, owned, ['bob_0', '2']);
      await step("delete somebody else's", () => alice.deleteMessageExtensions(owned, ['bob_0']));
      await step('clear by another', () => bob.deleteMessageExtensions(owned));
      await step('clear by the sender', () => alice.deleteMessageExtensions(owned));
      const once = await ruled('once', { writeOnce: true, clearBy: 'admin' });
      await set('the first', bob, once, ['a', '1']);
      await set('the second', alice, once, ['a', '2'], ['b', '2']);
      await step('delete', () => bob.deleteMessageExtensions(once, ['a']));
      await step('clear', () => alice.deleteMessageExtensions(once));
      const seats = await ruled('seats', { maxKeys: 2 });
      await set('seats', bob, seats, ['a', '1'], ['b', '1'], ['c', '1']);
      await step('leave', () => bob.deleteMessageExtensions(seats, ['a']));
      await set('take the seat', alice, seats, ['c', '1']);
      const closed = await ruled('closed', { closesAt: 1 });
      await set('closed', bob, closed, ['a', '1']);
      await step('clear what is closed', () => bob.deleteMessageExtensions(closed));
      await ruled('no seats', { maxKeys: 0 });
      await ruled('too many seats', { maxKeys: 301 });
      await ruled('seats in words', { maxKeys: 'two' });
      await ruled('no values', { values: [] });
      await ruled('a value twice', { values: ['a', 'a'] });
      await ruled('values of numbers', { values: [1] });
      await ruled('misspelt', { writeonce: true });
      await ruled('no flag', { writeOnce: 'yes' });
      await ruled('nobody', { clearBy: 'nobody' });
      await ruled('a suffix for nothing', { keyOwner: { suffix: text(100) } });
      await ruled('an owner of another shape', { keyOwner: '_0' });
      await ruled('no time', { closesAt: 0 });
      await ruled('a list of rules', ['writeOnce']);
      await send('rules of what has none', alice, { ...FOR_LUNCH, isSupportExtension: false, extensionRules: { writeOnce: true } });
      await step('as listed', () => bob.getMessageList({ conversationID: 'GROUPlunch' }));
    },
    { calls: 30 },
  );
  const codes = transcript.flatMap(({ result }) => result?.data?.extensions ?? []).map(({ code }) => code);
  for (const code of [23102, 23103, 23104, 23105, 23106]) expect(codes).toContain(code);
  const refused = transcript.filter(({ error }) => error);
  expect(refused.map(({ error }) => error.code)).toContain(23107);
  expect(refused.map(({ error }) => error.message).join()).toContain('maxKeys'.slice(1));
});

test('one-to-one, lists page by page, members who come and go, sessions', async () => {
  await expectParity(
    async ({ world, step, client, send }) => {
      await world.createGroup('lunch', ['alice', 'bob', 'carol']);
      const alice = await client('alice');
      const bob = await client('bob');
      const carol = await client('carol');
      const toBob = { to: 'bob', conversationType: 'C2C' };
      const note = await send('note', alice, toBob);
      for (let i = 1; i < 5; i += 1) await send(`note ${i}`, i % 2 ? bob : alice, { ...toBob, to: i % 2 ? 'alice' : 'bob' });
      await send('to oneself', bob, toBob);
      await step('send again', () => alice.sendMessage(note));
      const set = (label, who, message) => step(label, () => who.setMessageExtensions(message, [{ key: label, value: '1' }]));
      await set('sender', alice, note);
      await set('recipient', bob, note);
      await set('stranger', carol, note);
      await step('newest page', () => alice.getMessageList({ conversationID: 'C2Cbob', count: 3 }));
      await step('all', () => bob.getMessageList({ conversationID: 'C2Calice' }));
      await step('nothing', () => carol.getMessageList({ conversationID: 'C2Calice' }));
      const page = async (who, conversationID) => {
        let nextReqMessageID;
        for (;;) {
          const { result } = await step(`page of ${conversationID}`, async () => {
            const { data } = await who.getMessageList({ conversationID, count: 2, nextReqMessageID });
            nextReqMessageID = data.nextReqMessageID;
            return data;
          });
          if (!result || result.isCompleted) return;
        }
      };
      await page(alice, 'C2Cbob');
      const first = await send('first', alice, FOR_LUNCH);
      for (let i = 2; i < 6; i += 1) await send(`dish ${i}`, bob, FOR_LUNCH);
      await page(carol, 'GROUPlunch');
      await set('member', carol, first);
      let shown;
      carol.watchMessageExtensions(first, ({ entries, synced }) => (shown = [entries.length, synced]));
      const isShown = async (...wanted) => {
        await until(() => `${shown} is shown, not ${wanted}`, () => String(shown) === String(wanted));
        return shown;
      };
      await step('watches', () => isShown(1, true));
      await step('leaves', () => world.removeMembers('lunch', ['carol']));
      await step('is told', () => isShown(0, false));
      await set('past member', carol, first);
      await step('past member reads', () => carol.getMessageExtensions(first));
      await step('past member lists', () => carol.getMessageList({ conversationID: 'GROUPlunch' }));
      await set('those who stay', bob, first);
      await step('comes back', () => world.addMembers('lunch', ['carol', 'bob']));
      await step('reads what was missed', () => carol.getMessageExtensions(first));
      await set('back', carol, first);
      await step('logs out', () => carol.logout());
      await set('while one is away', bob, first);
      await step('call without login', () => carol.getMessageExtensions(first));
      await step('logs in without a signature', () => carol.login({ userID: 'carol', userSig: '' }));
      await step('destroys the group', () => world.destroyGroup('lunch'));
      await set('gone', bob, first);
      await step('makes it again', () => world.createGroup('lunch', ['alice', 'bob']));
      await set('another one', bob, first);
      await send('anew', alice, FOR_LUNCH);
    },
    { calls: 40 },
  );
});

test('more keys than a page holds, more than a message may have, and too many writes', async () => {
  const transcript = await expectParity(
    async ({ world, step, client, send }) => {
      await world.createGroup('lunch', ['alice', 'bob']);
      const alice = await client('alice');
      const vote = await send('vote', alice, FOR_LUNCH);
      const many = (from, count) => Array.from({ length: count }, (_, i) => ({ key: `k${from + i}`, value: 'v' }));
      for (let i = 0; i < 300; i += 20) await step('fill', () => alice.setMessageExtensions(vote, many(i, 20)));
      await step('one too many', () => alice.setMessageExtensions(vote, many(300, 1)));
      const bob = await client('bob');
      await step('read in pages', () => bob.getMessageExtensions(vote));
      await step('in time', () => alice.setMessageExtensions(vote, many(0, 1)));
      await step('too often', () => alice.setMessageExtensions(vote, many(0, 1)));
      await step('somebody else', () => bob.setMessageExtensions(vote, many(0, 1)));
    },
    { calls: 20, limits: { userWritesPerMinute: 17 }, flags: ['--user-writes-per-minute', '17'] },
  );
  expect(transcript.map(({ error }) => error?.code)).toContain(23003);
});
