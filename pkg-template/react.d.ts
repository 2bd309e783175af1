/**
 * message-extensions/react: what messages show, as hooks. For React 18 and 19.
 *
 * All components that show a message share one watch of it, which ends when the last of them is gone. On a server, and where there is no client or no
 * message, hooks show nothing: no entries, not synced.
 */

import type { ReactElement, ReactNode } from 'react';
import type { Chat, MessageExtensionsSnapshot, MessageLike, Tally, TallyOptions, WatchedExtension } from './index.js';

/** What {@link MessageExtensionsProvider} takes. */
export interface MessageExtensionsProviderProps {
  /** What `create` of `message-extensions` gave; null or undefined as long as there is none, as on a server. */
  chat: Chat | null | undefined;
  children?: ReactNode;
}

/** Gives the client to the hooks of all components within. Without it they throw a `MessageExtensionError` with code 9001. */
export declare function MessageExtensionsProvider(props: MessageExtensionsProviderProps): ReactElement;

/**
 * All entries of a message, live. The same object between changes, and entries that did not change are the same objects as before.
 *
 * @param message null or undefined as long as there is none. One that has not been sent, or has no support for extensions, is an `EVENT.ERROR`.
 */
export declare function useMessageExtensions(message: MessageLike | null | undefined): MessageExtensionsSnapshot;

/** One entry of a message, live; undefined when there is none. Its component is rendered again when that entry changes, not with the others. */
export declare function useMessageExtension(message: MessageLike | null | undefined, key: string): WatchedExtension | undefined;

/**
 * Counts a vote, live. The same object between changes of the counts, and options whose counts and voters did not change are the same objects as before.
 *
 * @param options as of `chat.tally`; every key is a vote and its value one option when omitted
 */
export declare function useTally(
  message: MessageLike | null | undefined,
  options?: TallyOptions,
): Tally & { readonly synced: boolean };
