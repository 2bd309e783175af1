/**
 * message-extensions/vue: what messages show, as composables. For Vue 3.4 and newer.
 *
 * All components that show a message share one watch of it, which ends when the last of their scopes does. On a server, until the component is mounted,
 * and where there is no client or no message, composables show nothing: no entries, not synced.
 */

import type { MaybeRefOrGetter, ObjectPlugin, Ref } from 'vue';
import type { Chat, MessageExtensionsSnapshot, MessageLike, Tally, TallyOptions, WatchedExtension } from './index.js';

/** What {@link messageExtensions} takes. */
export interface MessageExtensionsPluginOptions {
  /** What `create` of `message-extensions` gave; null or undefined as long as there is none, as on a server. */
  chat: MaybeRefOrGetter<Chat | null | undefined>;
}

/** `app.use(messageExtensions, { chat })` gives the client to the composables. Without it they throw a `MessageExtensionError` with code 9001. */
export declare const messageExtensions: ObjectPlugin<MessageExtensionsPluginOptions>;

/**
 * All entries of a message, live. The same object between changes, and entries that did not change are the same objects as before.
 *
 * @param message null or undefined as long as there is none. One that has not been sent, or has no support for extensions, is an `EVENT.ERROR`.
 */
export declare function useMessageExtensions(
  message: MaybeRefOrGetter<MessageLike | null | undefined>,
): Readonly<Ref<MessageExtensionsSnapshot>>;

/** One entry of a message, live; undefined when there is none. What reads it is updated when that entry changes, not with the others. */
export declare function useMessageExtension(
  message: MaybeRefOrGetter<MessageLike | null | undefined>,
  key: MaybeRefOrGetter<string>,
): Readonly<Ref<WatchedExtension | undefined>>;

/**
 * Counts a vote, live. The same object between changes of the counts, and options whose counts and voters did not change are the same objects as before.
 *
 * @param options as of `chat.tally`; every key is a vote and its value one option when omitted
 */
export declare function useTally(
  message: MaybeRefOrGetter<MessageLike | null | undefined>,
  options?: MaybeRefOrGetter<TallyOptions | undefined>,
): Readonly<Ref<Tally & { readonly synced: boolean }>>;
