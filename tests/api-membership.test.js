// Who is no member of a group any more sees nothing of its messages, and nothing of them stays.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeAll, login, newUser } from './support/chat.js';
import { startGateway } from './support/gateway.js';
import { makeGroup, makeGroupMessage, makeMessage, set } from './support/messages.js';
import { must, startServer } from './support/server.js';
import { until } from './support/wait.js';

let server;
let gateway;
let alice;
let bob;
let group;
let message;
let aside;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  gateway = await startGateway(server);
  alice = await login(server.url, newUser('alice'));
  bob = await login(gateway.url, newUser('bob'));
  group = newUser('lunch');
  await makeGroup(server, group, [alice.userID, bob.userID]);
  message = await makeGroupMessage(server, alice.userID, group);
  aside = await makeMessage(server, alice.userID, bob.userID);
  await set(server, message, { a: '1' });
  await set(server, aside, { a: '1' });
});
afterEach(async () => {
  await closeAll();
  await gateway.close();
});

const command = (name, body) => must(server.call(`group_open_http_svc/${name}`, { GroupId: group, ...body }));
const remove = () => command('delete_group_member', { MemberToDel_Account: [bob.userID] });
const A1 = { data: { extensions: [{ key: 'a', value: '1' }] } };
const GONE = { name: 'MessageExtensionError', code: 23004 };

function watching(chat, of) {
  const snapshots = [];
  chat.watchMessageExtensions(of, (snapshot) => snapshots.push(snapshot));
  return { snapshots, values: () => snapshots.at(-1)?.entries.map(({ key, value }) => `${key}=${value}`) };
}
/** It shows just these; all that the server has, if there are any. */
const shows = (watch, ...values) =>
  until(
    () => `shows ${watch.values()}`,
    () => watch.values()?.join() === values.join() && watch.snapshots.at(-1).synced === values.length > 0,
  );

describe.each([
  ['is removed from the group', remove],
  ['loses the group, which is destroyed', () => command('destroy_group')],
])('who %s', (_, happens) => {
  test('is told with 23004, is shown nothing any more, and reads nothing from memory', async () => {
    const [watch, other] = [watching(bob, message), watching(bob, aside)];
    await Promise.all([shows(watch, 'a=1'), shows(other, 'a=1')]);
    await happens();
    await shows(watch);
    expect(bob.data('ERROR').map(({ code }) => code)).toEqual([23004]);
    await expect(bob.getMessageExtensions(message, undefined, { source: 'cache' })).rejects.toMatchObject({ code: 9006 });
    const { length } = gateway.requests;
    await expect(bob.getMessageExtensions(message)).rejects.toMatchObject(GONE);
    expect(gateway.requests.length).toBe(length + 1);
    await expect(bob.setMessageExtensions(message, [{ key: 'b', value: '1' }])).rejects.toMatchObject(GONE);
    // Of other conversations nothing is lost.
    expect(other.values()).toEqual(['a=1']);
    await expect(bob.getMessageExtensions(aside, undefined, { source: 'cache' })).resolves.toMatchObject(A1);
  });

  test('while away learns of it when coming back', async () => {
    const watch = watching(bob, message);
    await shows(watch, 'a=1');
    const letIn = gateway.shut();
    await happens();
    letIn();
    await shows(watch);
    expect(bob.data('ERROR').map(({ code }) => code)).toEqual([23004]);
    await expect(bob.getMessageExtensions(message)).rejects.toMatchObject(GONE);
  });

  test('hears of nobody else in it any more', async () => {
    await bob.getMessageExtensions(message);
    await happens();
    await until('not forgotten', () =>
      bob.getMessageExtensions(message, undefined, { source: 'cache' }).then(() => false, ({ code }) => code === 9006),
    );
    const before = bob.changes().length;
    await alice.setMessageExtensions(message, [{ key: 'b', value: '1' }]).catch(() => {});
    await set(server, aside, { last: '1' });
    await until('the last change has not come', () => bob.changes().length > before);
    expect(bob.changes().slice(before)).toEqual([{ messageID: aside.ID, extensions: [{ key: 'last', value: '1' }] }]);
    // Nobody watched it, so there is nothing to be told.
    expect(bob.data('ERROR')).toEqual([]);
  });
});

test('who is taken in again sees it all', async () => {
  const watch = watching(bob, message);
  await shows(watch, 'a=1');
  await remove();
  await shows(watch);
  await set(server, message, { b: '2' });
  await command('add_group_member', { MemberList: [{ Member_Account: bob.userID }] });
  await expect(bob.getMessageExtensions(message)).resolves.toMatchObject({
    data: { extensions: [{ key: 'a', value: '1' }, { key: 'b', value: '2' }] },
  });
  await shows(watch, 'a=1', 'b=2');
  await set(server, message, { c: '3' });
  await shows(watch, 'a=1', 'b=2', 'c=3');
});

test('who is taken in again and only watches is shown it all with the next change, not just what is new', async () => {
  const watch = watching(bob, message);
  await shows(watch, 'a=1');
  await remove();
  await shows(watch);
  await set(server, message, { b: '2' });
  await command('add_group_member', { MemberList: [{ Member_Account: bob.userID }] });
  const { length } = watch.snapshots;
  await set(server, message, { c: '3' });
  await shows(watch, 'a=1', 'b=2', 'c=3');
  // What is new is not shown as if it were all.
  expect(watch.snapshots.slice(length).filter(({ entries, synced }) => synced && entries.length < 3)).toEqual([]);
});
