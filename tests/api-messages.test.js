// Messages: made, sent, received, listed.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeAll, login, newClient, newUser, sendVote } from './support/chat.js';
import { CUT, startGateway } from './support/gateway.js';
import { must, sign, startServer } from './support/server.js';
import { until } from './support/wait.js';

let server;
let gateway;
let alice;
let bob;

beforeAll(async () => {
  server = await startServer();
  gateway = await startGateway(server);
});
afterAll(async () => {
  await gateway.close();
  await server.stop();
});

beforeEach(async () => {
  gateway.treat = gateway.treatAnswer = () => undefined;
  alice = await login(gateway.url, newUser('alice'));
  bob = await login(server.url, newUser('bob'));
});
afterEach(closeAll);

async function createGroup(fields = {}) {
  const GroupId = fields.GroupId ?? newUser('lunch');
  const group = { Owner_Account: alice.userID, Type: 'Public', Name: 'Lunch', GroupId, MemberList: [{ Member_Account: bob.userID }] };
  await must(server.call('group_open_http_svc/create_group', { ...group, ...fields }));
  return GroupId;
}

const PAYLOAD = { data: '{"title":"Lunch?"}', description: 'vote', extension: 'x' };
const draft = (options) =>
  alice.createCustomMessage({ to: bob.userID, conversationType: 'C2C', payload: PAYLOAD, isSupportExtension: true, ...options });

describe('createCustomMessage', () => {
  test('gives an unsent message at once, without a request', () => {
    const before = gateway.requests.length;
    const message = draft();
    expect(message).toMatchObject({
      conversationID: `C2C${bob.userID}`,
      conversationType: 'C2C',
      type: 'TIMCustomElem',
      from: alice.userID,
      to: bob.userID,
      flow: 'out',
      status: 'unSend',
      isSupportExtension: true,
      payload: PAYLOAD,
    });
    expect(message.ID).toBe(`${alice.userID}-${message.clientTime}-${message.random}`);
    expect(gateway.requests).toHaveLength(before);
  });

  test('gives each message an ID of its own', () => {
    expect(new Set(Array.from({ length: 100 }, () => draft().ID)).size).toBe(100);
  });

  test('supports no extensions unless it is told to, and fills the payload up', () => {
    const message = alice.createCustomMessage({ to: 'bob', conversationType: 'C2C', payload: { data: 'x' } });
    expect(message).toMatchObject({ isSupportExtension: false, payload: { data: 'x', description: '', extension: '' } });
  });

  test('makes a message before login that can be sent after it, as the user who then is logged in', async () => {
    const chat = await newClient(server.url);
    const early = chat.createCustomMessage({ to: bob.userID, conversationType: 'C2C', payload: PAYLOAD, isSupportExtension: true });
    const userID = newUser('carol');
    await chat.login({ userID, userSig: sign(userID) });
    const { data } = await chat.sendMessage(early);
    expect(data.message).toMatchObject({ from: userID, status: 'success', ID: expect.stringMatching(`^${userID}-`) });
    await expect(chat.setMessageExtensions(early, [{ key: 'a', value: '1' }])).resolves.toMatchObject({ code: 0 });
  });
});

describe.each([
  ['one-to-one', 'C2C'],
  ['in a group', 'GROUP'],
])('sendMessage, %s', (_, conversationType) => {
  let to;
  beforeEach(async () => {
    to = conversationType === 'C2C' ? bob.userID : await createGroup();
  });

  test('resolves with the same object, sent, under the same ID', async () => {
    const message = draft({ to, conversationType });
    const { ID } = message;
    const { code, data } = await alice.sendMessage(message);
    expect(code).toBe(0);
    expect(data.message).toBe(message);
    expect(message).toMatchObject({ ID, status: 'success', time: expect.any(Number), sequence: expect.any(Number) });
  });

  test('that is frozen, as state of an app may be, is sent, and a copy says so', async () => {
    const message = Object.freeze(draft({ to, conversationType }));
    const { data } = await alice.sendMessage(message);
    expect(data.message).toMatchObject({ ID: message.ID, status: 'success', payload: message.payload });
    gateway.treat = () => '{"ActionStatus":"FAIL","ErrorCode":10004,"ErrorInfo":"not now"}';
    await expect(alice.sendMessage(Object.freeze(draft({ to, conversationType })))).rejects.toMatchObject({ code: 10004 });
    gateway.treat = () => undefined;
  });

  test('is received by the other user once, as an incoming message with the same ID, and not by the sender', async () => {
    const [sent, received] = await sendVote(alice, conversationType, to, [bob]);
    expect(received).toMatchObject({
      ID: sent.ID,
      conversationID: conversationType === 'C2C' ? `C2C${alice.userID}` : `GROUP${to}`,
      conversationType,
      type: 'TIMCustomElem',
      from: alice.userID,
      to,
      flow: 'in',
      status: 'success',
      isSupportExtension: true,
      time: sent.time,
      random: sent.random,
      payload: sent.payload,
    });
    // What is told last comes after everything before it.
    await bob.setMessageExtensions(received, [{ key: 'a', value: '1' }]);
    await until('the change is told', () => alice.changes().length);
    expect(alice.data('MESSAGE_RECEIVED')).toEqual([]);
    expect(bob.data('MESSAGE_RECEIVED')).toHaveLength(1);
  });

  test('that fails rejects, marks the message, and sends the same message when it is sent again', async () => {
    const message = draft({ to, conversationType });
    const { ID } = message;
    gateway.treat = () => '{"ActionStatus":"FAIL","ErrorCode":10004,"ErrorInfo":"not now"}';
    await expect(alice.sendMessage(message)).rejects.toMatchObject({ code: 10004 });
    expect(message.status).toBe('fail');
    gateway.treat = () => undefined;
    await alice.sendMessage(message);
    expect(message).toMatchObject({ ID, status: 'success' });
  });

  test('whose answer is lost is repeated, and received once', async () => {
    let answers = 0;
    gateway.treatAnswer = () => ((answers += 1) === 1 ? CUT : undefined);
    const [sent] = await sendVote(alice, conversationType, to, [bob]);
    expect(answers).toBe(2);
    const [last] = await sendVote(alice, conversationType, to, [bob]);
    expect(bob.data('MESSAGE_RECEIVED').flat().map(({ ID }) => ID)).toEqual([sent.ID, last.ID]);
  });
});

test('a message to a group of a type without extensions is sent, and its extensions are refused with 23002', async () => {
  const GroupId = await createGroup({ Type: 'AVChatRoom' });
  const [message] = await sendVote(alice, 'GROUP', GroupId, [bob]);
  await expect(alice.setMessageExtensions(message, [{ key: 'a', value: '1' }])).rejects.toMatchObject({ code: 23002 });
});

test('a message to a group of which the sender is no member is refused', async () => {
  const GroupId = await createGroup({ Owner_Account: bob.userID, MemberList: [] });
  const message = draft({ to: GroupId, conversationType: 'GROUP' });
  await expect(alice.sendMessage(message)).rejects.toMatchObject({ name: 'MessageExtensionError', code: 10010 });
  expect(message.status).toBe('fail');
});

describe.each([
  ['one-to-one', 'C2C'],
  ['in a group', 'GROUP'],
])('getMessageList, %s', (_, conversationType) => {
  test('gives pages from the newest back, oldest first within each, until it is complete', async () => {
    const to = conversationType === 'C2C' ? bob.userID : await createGroup();
    const conversationID = conversationType + (conversationType === 'C2C' ? alice.userID : to);
    const sent = [];
    for (let i = 0; i < 23; i += 1) sent.push((await sendVote(alice, conversationType, to))[0].ID);

    const pages = [];
    let next;
    do {
      const { code, data } = await bob.getMessageList({ conversationID, nextReqMessageID: next, count: 10 });
      expect(code).toBe(0);
      pages.push(data.messageList.map(({ ID }) => ID));
      expect(data.isCompleted).toBe(pages.length === 3);
      next = data.nextReqMessageID;
      expect(next === '').toBe(data.isCompleted);
    } while (next);
    expect(pages.map((page) => page.length)).toEqual([10, 10, 3]);
    expect(pages.reverse().flat()).toEqual(sent);

    const { data } = await bob.getMessageList({ conversationID });
    expect(data.messageList.map(({ ID }) => ID)).toEqual(sent.slice(-15));
  });

  test('gives messages that can be extended, and says who sent them', async () => {
    const to = conversationType === 'C2C' ? bob.userID : await createGroup();
    const [sent] = await sendVote(alice, conversationType, to);
    for (const [chat, flow, peer] of [
      [alice, 'out', to],
      [bob, 'in', conversationType === 'C2C' ? alice.userID : to],
    ]) {
      const { data } = await chat.getMessageList({ conversationID: `${conversationType}${peer}` });
      const [listed] = data.messageList;
      expect(listed).toMatchObject({ ID: sent.ID, from: alice.userID, flow, status: 'success', isSupportExtension: true, payload: sent.payload });
      const [item] = (await chat.setMessageExtensions(listed, [{ key: chat.userID, value: '1' }])).data.extensions;
      expect(item.code).toBe(0);
    }
  });
});

test('an empty conversation is complete', async () => {
  const { data } = await alice.getMessageList({ conversationID: `C2C${newUser('nobody')}` });
  expect(data).toEqual({ messageList: [], nextReqMessageID: '', isCompleted: true });
});
