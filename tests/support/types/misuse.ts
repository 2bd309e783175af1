// What must not compile. A line that does is reported, since its `@ts-expect-error` is then unused.

import { create, EVENT, MessageExtensionError, TYPES } from 'message-extensions';
import type { Chat, ChatEvent, CustomMessagePayload, Message, MessageExtensionConflict, MessageExtensionErrorCode, MessageExtensionWriteResult, WatchedExtension } from 'message-extensions';

declare const chat: Chat;
declare const message: Message;

// @ts-expect-error no options
create();
// @ts-expect-error no SDKAppID
create({});
// @ts-expect-error an option that does not exist
create({ SDKAppID: 1, sdkAppId: 1 });
// @ts-expect-error no number
create({ SDKAppID: true });
// @ts-expect-error a string for a switch
create({ SDKAppID: 1, offline: 'yes' });
// @ts-expect-error the name of a kind of storage
create({ SDKAppID: 1, persistence: 'indexeddb' });
// @ts-expect-error an option of the machine below
create({ SDKAppID: 1, persists: true });
// @ts-expect-error what the package exports cannot be changed
EVENT.SDK_READY = 'x';
// @ts-expect-error made by the package only
new MessageExtensionError();

// @ts-expect-error no userSig
chat.login({ userID: 'alice' });

// @ts-expect-error a boolean for the options
chat.logout(true);
// @ts-expect-error an option that does not exist
chat.logout({ forget: true });

// @ts-expect-error no message
chat.setMessageExtensions();
// @ts-expect-error no extensions
chat.setMessageExtensions(message);
// @ts-expect-error no list
chat.setMessageExtensions(message, { key: 'a', value: '1' });
// @ts-expect-error a number for a value
chat.setMessageExtensions(message, [{ key: 'a', value: 1 }]);
// @ts-expect-error no value
chat.setMessageExtensions(message, [{ key: 'a' }]);
// @ts-expect-error a string for a list
chat.deleteMessageExtensions(message, 'a');
// @ts-expect-error numbers for keys
chat.getMessageExtensions(message, [1]);
// @ts-expect-error no such source
chat.getMessageExtensions(message, ['a'], { source: 'network' });
// @ts-expect-error options in the place of the keys
chat.getMessageExtensions(message, { source: 'cache' });
// @ts-expect-error the name of a source for the options
chat.getMessageExtensions(message, ['a'], 'cache');
// @ts-expect-error null for a message
chat.getMessageExtensions(null);
// @ts-expect-error a one-to-one message without what its key is made of
chat.getMessageExtensions({ conversationType: 'C2C', to: 'bob', sequence: 'x', status: 'success', isSupportExtension: true });

// @ts-expect-error a type of conversation that has no extensions
chat.createCustomMessage({ to: 'x', conversationType: TYPES.GRP_AVCHATROOM, payload: { data: '' } });
// @ts-expect-error no payload
chat.createCustomMessage({ to: 'bob', conversationType: TYPES.CONV_C2C });
// @ts-expect-error not one of our messages
chat.sendMessage({ to: 'bob' });
// @ts-expect-error no conversationID
chat.getMessageList({});

// @ts-expect-error no such event
chat.on('onMessageExtensionsChanged', () => {});
// @ts-expect-error the data of another event
chat.on(EVENT.MESSAGE_EXTENSIONS_DELETED, ({ data }) => data.extensions);
// @ts-expect-error of a conflict there are keys with both values, not a list of keys
chat.on(EVENT.MESSAGE_EXTENSIONS_CONFLICT, ({ data }) => data.keyList);
// @ts-expect-error the author of what won is not told
chat.on(EVENT.MESSAGE_EXTENSIONS_CONFLICT, ({ data }) => data.extensions[0]?.author);
// @ts-expect-error a number for a handler
chat.on(EVENT.SDK_READY, 1);
// @ts-expect-error a field that messages do not have
chat.on(EVENT.MESSAGE_RECEIVED, ({ data }) => data[0]?.seq);

// @ts-expect-error a handler of another event
chat.on(EVENT.MESSAGE_EXTENSIONS_UPDATED, (event: ChatEvent<'onMessageExtensionsDeleted'>) => event);
// @ts-expect-error a handler of another event
chat.off(EVENT.ERROR, (event: ChatEvent<'onMessageReceived'>) => event);
// @ts-expect-error a handler with a parameter that events do not fill
chat.once(EVENT.SDK_READY, (event: ChatEvent, more: number) => [event, more]);
// @ts-expect-error a name that is no name of an event, with a handler that says nothing
chat.on('MESSAGE_EXTENSIONS_UPDATED', (() => {}) as Function);
// @ts-expect-error a name that is no name of an event
chat.off('MESSAGE_EXTENSIONS_UPDATED', () => {});

declare const custom: Message<CustomMessagePayload>;
// @ts-expect-error a custom message has no text
custom.payload.text;
// @ts-expect-error any message, where one with a payload is wanted
const wanted: typeof custom = message;
void wanted;
// @ts-expect-error what names a message is missing, and it is no declared one either
chat.getMessageExtensions({ ID: 'x', conversationType: 'C2C', to: 'bob', status: 'success', isSupportExtension: true });

const draft = { to: 'bob', conversationType: 'C2C', payload: { data: '' }, isSupportExtension: true } as const;
// @ts-expect-error a rule that does not exist
chat.createCustomMessage({ ...draft, extensionRules: { keyowner: { suffix: '' } } });
// @ts-expect-error an owner without the suffix
chat.createCustomMessage({ ...draft, extensionRules: { keyOwner: {} } });
// @ts-expect-error somebody who cannot be named
chat.createCustomMessage({ ...draft, extensionRules: { clearBy: 'owner' } });
// @ts-expect-error a time that is no number
chat.createCustomMessage({ ...draft, extensionRules: { closesAt: new Date() } });

async function answers() {
  const { data } = await chat.setMessageExtensions(message, []);
  // @ts-expect-error Seq is not shown
  data.extensions[0]?.seq;
  // @ts-expect-error a code that items do not have
  data.extensions.filter(({ code }) => code === 23004);
  // @ts-expect-error true or not there
  data.extensions.filter(({ queued }) => queued === false);
  // @ts-expect-error what is read does not wait
  (await chat.getMessageExtensions(message)).data.extensions[0]?.queued;
  // @ts-expect-error a mutation is never queued
  (await chat.mutateMessageExtension(message, 'a', () => 'b')).data.extensions[0]?.queued;
  // @ts-expect-error the data of another call
  data.messageList;
  // @ts-expect-error the payload depends on the type
  message.payload.text;
}
void answers();

// @ts-expect-error no code of the list
const code: MessageExtensionErrorCode = 1;
void code;

// @ts-expect-error an item that does not wait says nothing of it
const waits: MessageExtensionWriteResult = { code: 0, key: 'a', value: '1', queued: false };
void waits;
// @ts-expect-error what the server has is always said
const conflict: MessageExtensionConflict = { code: 23001, key: 'a', value: '1' };
void conflict;
chat.watchMessageExtensions(message, ({ entries }) => {
  // @ts-expect-error no such status
  entries.filter(({ status }) => status === 'offline');
  // @ts-expect-error snapshots cannot be changed
  entries.push({ key: 'a', value: '1', author: '', time: 0, status: 'queued' });
});
// @ts-expect-error an entry's status is one of four
const status: WatchedExtension['status'] = 'failed';
void status;
