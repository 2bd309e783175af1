// What a React app does with the package; compiles strictly, and every type is what the annotations say.

import { create } from 'message-extensions';
import type { Chat, Message, MessageExtensionsSnapshot, MessageLike, Tally, WatchedExtension } from 'message-extensions';
import { MessageExtensionsProvider, useMessageExtension, useMessageExtensions, useTally } from 'message-extensions/react';
import type { MessageExtensionsProviderProps } from 'message-extensions/react';
import { memo } from 'react';

/** Only the very same type passes, neither a wider nor a narrower one. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<A, B>(_same: Same<A, B>): void {}

const chat: Chat = create({ SDKAppID: 1400000000 });

function Vote({ message }: { message: Message | undefined }) {
  const snapshot = useMessageExtensions(message);
  is<typeof snapshot, MessageExtensionsSnapshot>(true);
  const tally = useTally(message, { options: ['Noodles', 'Pizza'], suffix: '_0', optionsOf: ({ value }) => [value] });
  is<typeof tally, Tally & { readonly synced: boolean }>(true);
  is<ReturnType<typeof useTally>, typeof tally>(true);
  useTally(message);
  useTally(null, {});
  return (
    <ul>
      {tally.options.map(({ option, count, share }) => <li key={option}>{`${option}: ${count} (${share})`}</li>)}
      {snapshot.entries.map(({ key }) => <Choice key={key} message={message} name={key} />)}
    </ul>
  );
}

const Choice = memo(function Choice({ message, name }: { message: MessageLike | null | undefined; name: string }) {
  const entry = useMessageExtension(message, name);
  is<typeof entry, WatchedExtension | undefined>(true);
  return <li>{entry?.value} {entry?.status}</li>;
});

is<MessageExtensionsProviderProps['chat'], Chat | null | undefined>(true);
export const app = (message: Message) => (
  <MessageExtensionsProvider chat={chat}>
    <Vote message={message} />
    <MessageExtensionsProvider chat={null} />
  </MessageExtensionsProvider>
);
