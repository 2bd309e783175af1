// What must not compile. A line that does is reported, since its `@ts-expect-error` is then unused.

import type { Chat, Message } from 'message-extensions';
import { MessageExtensionsProvider, useMessageExtension, useMessageExtensions, useTally } from 'message-extensions/react';

declare const chat: Chat;
declare const message: Message;

// @ts-expect-error no client
export const none = <MessageExtensionsProvider />;
// @ts-expect-error something else for the client
export const other = <MessageExtensionsProvider chat={{ SDKAppID: 1 }} />;
// @ts-expect-error a property that does not exist
export const more = <MessageExtensionsProvider chat={chat} message={message} />;

export function Vote() {
  // @ts-expect-error no message
  useMessageExtensions();
  // @ts-expect-error the ID of a message
  useMessageExtensions(message.ID);
  // @ts-expect-error the client comes from the provider
  useMessageExtensions(chat, message);
  // @ts-expect-error no key
  useMessageExtension(message);
  // @ts-expect-error there may be no such entry
  useMessageExtension(message, 'a').value;
  // @ts-expect-error an option that does not exist
  useTally(message, { prefix: 'a' });
  // @ts-expect-error counts have no entries
  useTally(message).entries;
  // @ts-expect-error snapshots cannot be changed
  useMessageExtensions(message).entries.pop();
  return null;
}
