// What an app does with the package; compiles strictly, and every type is what the comments and annotations say.

import MessageExtensions, {
  create,
  ENDPOINTS,
  EVENT,
  isMessageExtensionError,
  MessageExtensionError,
  TencentCloudChat,
  TIM,
  TYPES,
  VERSION,
} from 'message-extensions';
import type {
  Chat,
  ChatEvent,
  ChatEventHandler,
  CustomMessage,
  CustomMessagePayload,
  ExtensionRules,
  Message,
  MessageExtension,
  MessageExtensionConflict,
  MessageExtensionErrorCode,
  MessageExtensionItemCode,
  MessageExtensionResult,
  MessageExtensionWriteResult,
  MessageLike,
  TextMessagePayload,
  WatchedExtension,
} from 'message-extensions';

/** Only the very same type passes, neither a wider nor a narrower one. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<A, B>(_same: Same<A, B>): void {}

const chat: Chat = create({ SDKAppID: 1400000000, endpoint: ENDPOINTS.FRANKFURT });
const version: string = VERSION;
is<typeof TIM, typeof MessageExtensions>(true);
is<typeof TencentCloudChat, typeof MessageExtensions>(true);
MessageExtensions.create({ SDKAppID: 1, wasm: new URL('x.wasm', 'https://example.org') });
create({ SDKAppID: 1, wasm: fetch('x.wasm'), refuseEmptyKeyList: true });
create({ SDKAppID: 1, wasm: new Uint8Array(8) });
create({ SDKAppID: 1, persistence: false, offline: true });

async function vote(): Promise<void> {
  const login = await chat.login({ userID: 'alice', userSig: version });
  is<typeof login.code, 0>(true);

  const draft = chat.createCustomMessage({
    to: 'bob',
    conversationType: TYPES.CONV_C2C,
    payload: { data: '{}' },
    isSupportExtension: true,
    extensionRules: { keyOwner: { suffix: '_0' }, values: ['0', '1'], closesAt: Date.now() + 3_600_000, clearBy: 'admin' },
  });
  is<typeof draft.extensionRules, ExtensionRules | undefined>(true);
  is<typeof draft, CustomMessage>(true);
  const { data } = await chat.sendMessage(draft);
  is<typeof data.message, CustomMessage>(true);

  const written = await chat.setMessageExtensions(data.message, [{ key: 'alice_0', value: '2' }] as const);
  for (const { code, key, value } of written.data.extensions) {
    is<typeof key, string>(true);
    is<typeof value, string>(true);
    if (code === 23001) console.log(key, value);
  }
  is<typeof written.data.extensions, MessageExtensionWriteResult[]>(true);
  // Only ever true, or not there.
  const waiting = written.data.extensions.filter((item) => item.queued);
  is<MessageExtensionWriteResult['queued'], true>(false);
  is<NonNullable<MessageExtensionWriteResult['queued']>, true>(true);
  // Whoever takes the mirrored API's items takes these.
  const items: MessageExtensionResult[] = waiting;
  items.forEach(({ code }) => is<typeof code, MessageExtensionItemCode>(true));
  const read = await chat.getMessageExtensions(data.message, ['alice_0']);
  is<typeof read.data.extensions, MessageExtension[]>(true);
  const cached = await chat.getMessageExtensions(data.message, undefined, { source: 'cache' });
  is<typeof cached, typeof read>(true);
  await chat.getMessageExtensions(data.message, ['alice_0'], { source: 'server' });
  await chat.getMessageExtensions(data.message, [], {});
  await chat.deleteMessageExtensions(data.message);
  await chat.deleteMessageExtensions(data.message, undefined);
  const deleted = await chat.deleteMessageExtensions(data.message, ['alice_0']);
  is<typeof deleted, typeof written>(true);
  const mutated = await chat.mutateMessageExtension(data.message, 'count', (value) => `${Number(value ?? 0) + 1}`);
  is<typeof mutated.data.extensions, MessageExtensionResult[]>(true);

  const list = await chat.getMessageList({ conversationID: 'GROUPlunch' });
  is<typeof list.data.messageList, Message[]>(true);
  for (const message of list.data.messageList) {
    if (message.type === 'TIMCustomElem') is<typeof message.payload.data, string>(true);
    else if (message.type === 'TIMTextElem') is<typeof message.payload.text, string>(true);
    else is<typeof message.payload, unknown>(true);
  }

  // A message by its payload: one of ours, or of the app's own reading.
  const votes = list.data.messageList.filter((message): message is Message<CustomMessagePayload> => message.type === 'TIMCustomElem');
  is<(typeof votes)[number]['payload'], CustomMessagePayload>(true);
  const sent: Message<CustomMessagePayload> = draft;
  await chat.sendMessage(sent);
  is<Message<TextMessagePayload>['payload'], TextMessagePayload>(true);
  is<Message<{ url: string }>['payload'], { url: string }>(true);
  is<Message, Message<unknown>>(true);

  const out = await chat.logout();
  is<typeof out.data.actionStatus, 'OK'>(true);
  await chat.logout({});
  await chat.logout({ clear: true });
}

// Plain objects, as other SDKs have them.
const oneToOne: MessageLike = {
  conversationType: 'C2C',
  from: 'alice',
  to: 'bob',
  sequence: 1,
  random: 2,
  time: 3,
  status: 'success',
  isSupportExtension: true,
};
const group: MessageLike = { conversationType: 'GROUP', to: 'lunch', sequence: 158, status: 'success', isSupportExtension: true };
void chat.getMessageExtensions(oneToOne).then(() => chat.getMessageExtensions(group));

const onUpdated: ChatEventHandler<'onMessageExtensionsUpdated'> = ({ name, data: { messageID, extensions } }) => {
  is<typeof name, 'onMessageExtensionsUpdated'>(true);
  is<typeof messageID, string>(true);
  is<typeof extensions, MessageExtension[]>(true);
};
chat.on(EVENT.MESSAGE_EXTENSIONS_UPDATED, onUpdated);
chat.off(EVENT.MESSAGE_EXTENSIONS_UPDATED, onUpdated);
chat.on(EVENT.MESSAGE_EXTENSIONS_DELETED, ({ data }) => is<typeof data.keyList, string[]>(true));
is<typeof EVENT.MESSAGE_EXTENSIONS_CONFLICT, 'onMessageExtensionsConflict'>(true);
chat.on(EVENT.MESSAGE_EXTENSIONS_CONFLICT, ({ data: { messageID, extensions } }) => {
  is<typeof messageID, string>(true);
  is<typeof extensions, MessageExtensionConflict[]>(true);
  for (const { code, key, value, current } of extensions) {
    // Of the server's too, also one that this package does not know.
    if (code === 23001 || code === 23004 || code === 12345) console.log(key.length, value.length, current.length);
  }
});
chat.on(EVENT.ERROR, ({ data: { code, message } }) => {
  is<typeof message, string>(true);
  if (code === 9007) console.log('in memory only', message);
});
chat.on(EVENT.MESSAGE_RECEIVED, ({ data }) => is<typeof data, Message[]>(true));
chat.once(EVENT.SDK_READY, (event: ChatEvent<'sdkStateReady'>) => is<typeof event.data, undefined>(true));
chat.on(EVENT.SDK_READY, function () {
  const { seen } = this;
  is<typeof seen, number>(true);
}, { seen: 0 });

const stop = chat.watchMessageExtensions(group, ({ entries, synced }) => {
  is<typeof entries, readonly WatchedExtension[]>(true);
  is<typeof synced, boolean>(true);
  for (const { status, value } of entries) {
    is<typeof status, 'confirmed' | 'pending' | 'queued' | 'conflict'>(true);
    if (status === 'queued') console.log(value);
  }
});
is<typeof stop, () => void>(true);
chat.watchMessageExtensions(group, ({ tally }) => is<typeof tally.voters, number>(true), { tally: { suffix: '_0' } });

function tell(error: unknown): string {
  if (!isMessageExtensionError(error)) return 'something else';
  is<typeof error, MessageExtensionError>(true);
  const known: MessageExtensionErrorCode = 2801;
  // Not cached; not kept.
  const news: MessageExtensionErrorCode[] = [9006, 9007];
  if (news.includes(known)) return '';
  return error.code === known || error instanceof MessageExtensionError ? error.message : '';
}

vote().catch(tell);
