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
import type { Chat, ChatEvent, ChatEventHandler, CustomMessage, Message, MessageExtension, MessageExtensionErrorCode, MessageLike } from 'message-extensions';

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

async function vote(): Promise<void> {
  const login = await chat.login({ userID: 'alice', userSig: version });
  is<typeof login.code, 0>(true);

  const draft = chat.createCustomMessage({
    to: 'bob',
    conversationType: TYPES.CONV_C2C,
    payload: { data: '{}' },
    isSupportExtension: true,
  });
  is<typeof draft, CustomMessage>(true);
  const { data } = await chat.sendMessage(draft);
  is<typeof data.message, CustomMessage>(true);

  const written = await chat.setMessageExtensions(data.message, [{ key: 'alice_0', value: '2' }] as const);
  for (const { code, key, value } of written.data.extensions) {
    is<typeof key, string>(true);
    is<typeof value, string>(true);
    if (code === 23001) console.log(key, value);
  }
  const read = await chat.getMessageExtensions(data.message, ['alice_0']);
  is<typeof read.data.extensions, MessageExtension[]>(true);
  await chat.deleteMessageExtensions(data.message);
  await chat.deleteMessageExtensions(data.message, undefined);
  await chat.deleteMessageExtensions(data.message, ['alice_0']);

  const list = await chat.getMessageList({ conversationID: 'GROUPlunch' });
  is<typeof list.data.messageList, Message[]>(true);
  for (const message of list.data.messageList) {
    if (message.type === 'TIMCustomElem') is<typeof message.payload.data, string>(true);
    else if (message.type === 'TIMTextElem') is<typeof message.payload.text, string>(true);
    else is<typeof message.payload, unknown>(true);
  }
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
chat.on(EVENT.MESSAGE_RECEIVED, ({ data }) => is<typeof data, Message[]>(true));
chat.once(EVENT.SDK_READY, (event: ChatEvent<'sdkStateReady'>) => is<typeof event.data, undefined>(true));
chat.on(EVENT.SDK_READY, function () {
  const { seen } = this;
  is<typeof seen, number>(true);
}, { seen: 0 });

function tell(error: unknown): string {
  if (!isMessageExtensionError(error)) return 'something else';
  is<typeof error, MessageExtensionError>(true);
  const known: MessageExtensionErrorCode = 2801;
  return error.code === known || error instanceof MessageExtensionError ? error.message : '';
}

vote().catch(tell);
