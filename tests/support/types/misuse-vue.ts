// What must not compile. A line that does is reported, since its `@ts-expect-error` is then unused.

import type { Chat, Message } from 'message-extensions';
import { messageExtensions, useMessageExtension, useMessageExtensions, useTally } from 'message-extensions/vue';
import { createApp, ref } from 'vue';

declare const chat: Chat;
declare const message: Message;

// @ts-expect-error no options
createApp({}).use(messageExtensions);
// @ts-expect-error no client
createApp({}).use(messageExtensions, {});
// @ts-expect-error the client in the place of the options
createApp({}).use(messageExtensions, chat);

export function setup() {
  // @ts-expect-error no message
  useMessageExtensions();
  // @ts-expect-error the ID of a message
  useMessageExtensions(ref('alice-1-2'));
  // @ts-expect-error the client comes from the plugin
  useMessageExtensions(chat, message);
  // @ts-expect-error no key
  useMessageExtension(message);
  // @ts-expect-error a number for the key
  useMessageExtension(message, ref(1));
  // @ts-expect-error there may be no such entry
  useMessageExtension(message, 'a').value.value;
  // @ts-expect-error what is shown cannot be set
  useMessageExtensions(message).value = { entries: [], synced: true };
  // @ts-expect-error an option that does not exist
  useTally(message, () => ({ prefix: 'a' }));
  // @ts-expect-error snapshots cannot be changed
  useMessageExtensions(message).value.entries.pop();
}
