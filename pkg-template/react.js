'use client';

// Hooks for React. The client is handed to the provider, so nothing of the package's own entry is loaded from here.

/* global CODES -- the numbers of crates/core/src/code.rs, put in by `cargo xtask build` */

import { createContext, createElement, useCallback, useContext, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { MessageExtensionError } from './error.js';
import { NOTHING, entryOf, nameOf, show, shownOf, tallyOf } from './shown.js';

/** Undefined where there is no provider; a provider without a client has null. */
const Provided = /* @__PURE__ */ createContext(undefined);

export function MessageExtensionsProvider({ chat, children }) {
  return createElement(Provided.Provider, { value: chat ?? null }, children);
}

export function useMessageExtensions(message) {
  return useShown(message, (snapshot) => snapshot);
}

export function useMessageExtension(message, key) {
  return useShown(message, (snapshot) => entryOf(snapshot, key));
}

export function useTally(message, options) {
  const { options: listed, separator, suffix, optionsOf } = options ?? {};
  const latest = useRef();
  // Options that are written anew for each rendering are the same ones.
  const select = useMemo(() => {
    let counted;
    let tally = latest.current;
    return (snapshot) => {
      if (snapshot !== counted) tally = tallyOf(snapshot, options, tally);
      counted = snapshot;
      return tally;
    };
  }, [JSON.stringify(listed), separator, suffix, optionsOf]);
  const tally = useShown(message, select);
  useEffect(() => {
    latest.current = tally;
  });
  return tally;
}

/** What `select` takes of the message's snapshot, which must be the same as long as that snapshot is. */
function useShown(message, select) {
  const chat = useContext(Provided);
  if (chat === undefined) {
    throw new MessageExtensionError(
      CODES.INVALID_ARGUMENT,
      'there is no <MessageExtensionsProvider chat={chat}> around the component that shows message extensions',
    );
  }
  const name = nameOf(message);
  // The name says all that a watch needs of the message, so another object is no reason to begin again.
  const subscribe = useCallback((listener) => show(chat, message, name, listener), [chat, name]);
  return useSyncExternalStore(subscribe, () => select(shownOf(chat, name)), () => select(NOTHING));
}
