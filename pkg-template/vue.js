// Composables for Vue. The client is handed to the plugin, so nothing of the package's own entry is loaded from here.

/* global CODES -- the numbers of crates/core/src/code.rs, put in by `cargo xtask build` */

import {
  computed, getCurrentInstance, hasInjectionContext, inject, onMounted, onScopeDispose, shallowReadonly, shallowRef, toRaw, toValue, watch,
} from 'vue';
import { MessageExtensionError } from './error.js';
import { NOTHING, entryOf, nameOf, show, shownOf, tallyOf } from './shown.js';

const PROVIDED = /* @__PURE__ */ Symbol('message-extensions');

export const messageExtensions = {
  install(app, options) {
    // A client keeps its state to itself, and so cannot be used through a reactive proxy.
    app.provide(PROVIDED, () => toRaw(toValue(options?.chat)));
  },
};

export function useMessageExtensions(message) {
  return shallowReadonly(useShown(message));
}

export function useMessageExtension(message, key) {
  const snapshot = useShown(message);
  return computed(() => entryOf(snapshot.value, toValue(key)));
}

export function useTally(message, options) {
  const snapshot = useShown(message);
  return computed((before) => tallyOf(snapshot.value, toValue(options), before));
}

/** The message's snapshot, from when the component is mounted until its scope ends. */
function useShown(message) {
  const provided = hasInjectionContext() && inject(PROVIDED, undefined);
  if (!provided) {
    throw new MessageExtensionError(
      CODES.INVALID_ARGUMENT,
      'there is no app.use(messageExtensions, { chat }) for the component that shows message extensions',
    );
  }
  const snapshot = shallowRef(NOTHING);
  let stop;
  const begin = () => {
    const source = () => [provided(), nameOf(toValue(message))];
    const next = ([chat, name], [oldChat, oldName] = []) => {
      if (chat === oldChat && name === oldName) return;
      stop?.();
      const update = () => (snapshot.value = shownOf(chat, name));
      stop = show(chat, toRaw(toValue(message)), name, update);
      update();
    };
    watch(source, next, { immediate: true });
  };
  // Mounted is what nothing is on a server. What a server has drawn is drawn first, so that the page can take it over.
  if (getCurrentInstance()) onMounted(begin);
  else begin();
  onScopeDispose(() => stop?.());
  return snapshot;
}
