// An app's test that uses all of the entry for tests.

import * as main from 'message-extensions';
import TestSdk, {
  create,
  createTestServer,
  EVENT,
  server,
  type Chat,
  type CustomMessage,
  type TestClientOptions,
  type TestExtension,
  type TestServer,
} from 'message-extensions/testing';

// It stands where the main entry does.
const standIn: Omit<typeof main, never> = await import('message-extensions/testing');
const same: main.MessageExtensionsModule = TestSdk;
const chat: main.Chat = create({ SDKAppID: 1_400_000_001 });

const own: TestServer = createTestServer({ limits: { userWritesPerMinute: 5, liveKeys: 0 }, latency: [10, 20], now: () => 0 });
own.latency = 5;
own.latency = [1, 2];

const options: TestClientOptions = { offline: true };
const alice: Chat = await own.login('alice', options);
const page: Chat = server.create();
alice.on(EVENT.MESSAGE_EXTENSIONS_UPDATED, ({ data }) => data.extensions.length);

own.createGroup('lunch', ['alice', 'bob'], { type: main.TYPES.GRP_WORK });
own.addMembers('lunch', ['carol']);
own.removeMembers('lunch', ['carol']);
const message: CustomMessage = own.sendMessage({
  from: 'bob',
  to: 'lunch',
  conversationType: main.TYPES.CONV_GROUP,
  payload: { data: '{}' },
  extensionRules: { keyOwner: { suffix: '_0' } },
});
const had: TestExtension[] = own.extensions(message);
const written: main.MessageExtensionResult[] = own.set(message, [{ key: 'a', value: '1' }], { by: 'bob' });
own.delete(message, ['a']);
own.delete(message, undefined, { by: 'bob' });
own.refuse(10002, { call: 'write', user: 'alice', times: Infinity });
own.refuse(80001);
own.loseAnswer({ call: 'send' });
own.conflict(message, [{ key: 'a', value: '1' }], { by: 'bob' });
own.heal();
own.goOffline(alice);
own.goOnline();
await own.idle();
await own.reset();
own.destroyGroup('lunch');

export { chat, had, page, same, standIn, written };
