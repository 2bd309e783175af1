// What components show of messages: one watch a message, however many show it, begun with the first and ended after the last.

import { report } from './emitter.js';
import { Tally } from './tally.js';

/** Shown of a message that nobody watches: on a server, while it loads, before the first answer. */
export const NOTHING = Object.freeze({ entries: Object.freeze([]), synced: false });

/** The watches of each client, by the message's name. @type {WeakMap<object, Map<string, SharedWatch>>} */
const running = new WeakMap();

class SharedWatch {
  snapshot = NOTHING;
  listeners = new Set();

  constructor(chat, message) {
    this.stop = chat.watchMessageExtensions(message, (snapshot) => {
      this.snapshot = snapshot;
      for (const listener of [...this.listeners]) report(listener);
    });
  }
}

/**
 * A text that two objects have in common when they are the same message, and can be watched alike; undefined for no message. So an object that is
 * made anew for each rendering begins no other watch, and one that has been sent since does.
 */
export function nameOf(message) {
  if (!message) return undefined;
  const { conversationType, from, to, sequence, clientSequence = sequence, random, time, status, isSupportExtension } = message;
  const address = conversationType === 'GROUP' ? [sequence] : [from, clientSequence, random, time];
  return JSON.stringify([conversationType, to, status, Boolean(isSupportExtension), ...address]);
}

/** What there is to show of a message now. */
export function shownOf(chat, name) {
  return (chat && running.get(chat)?.get(name)?.snapshot) ?? NOTHING;
}

/** Calls `listener` after each change of the message, until the function that it returns is called. */
export function show(chat, message, name, listener) {
  if (!chat || !name) return () => {};
  if (!running.has(chat)) running.set(chat, new Map());
  const watches = running.get(chat);
  if (!watches.has(name)) watches.set(name, new SharedWatch(chat, message));
  const watch = watches.get(name);
  // Of its own, so that one function may listen twice.
  const entry = () => listener();
  watch.listeners.add(entry);
  return () => {
    watch.listeners.delete(entry);
    // Not at once: what goes in one place often comes back in another, as part of the same change of the page.
    queueMicrotask(() => {
      if (watch.listeners.size || watches.get(name) !== watch) return;
      watches.delete(name);
      watch.stop();
    });
  };
}

/** The entries of each snapshot by their keys, made when first asked for. */
const indexes = new WeakMap();

/** The entry of a key: the same object as long as nothing changes. */
export function entryOf(snapshot, key) {
  if (!indexes.has(snapshot)) indexes.set(snapshot, new Map(snapshot.entries.map((entry) => [entry.key, entry])));
  return indexes.get(snapshot).get(key);
}

/** Counts a snapshot as a vote. What is as it was `before` is the same object, so that only what has changed is drawn again. */
export function tallyOf({ entries, synced }, options, before) {
  const tally = new Tally(options ?? {});
  for (const entry of entries) tally.change(undefined, entry);
  const { voters, options: counted } = tally.snapshot();
  const known = new Map(before?.options.map((option) => [option.option, option]));
  const kept = counted.map((option) => {
    const old = known.get(option.option);
    return old && old.share === option.share && isSame(old.voters, option.voters) ? old : option;
  });
  if (before && before.voters === voters && before.synced === synced && isSame(before.options, kept)) return before;
  return Object.freeze({ voters, options: Object.freeze(kept), synced });
}

function isSame(a, b) {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
