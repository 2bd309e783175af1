// One tab of a user: `window.tab` is what the tests call. It writes down what it is told, and can have bad luck of its
// own: its time can stand still, and it can lose the network while other tabs keep it.

import { create, EVENT } from './message-extensions/index.js';
import { faults } from './faults.js';
import { databaseName, rows } from './stored.js';

let isStill = false;
const { setTimeout } = window;
window.setTimeout = (callback, ...rest) => setTimeout(() => isStill || callback(), ...rest);

const sockets = new Set();
const { WebSocket } = window;
window.WebSocket = class extends WebSocket {
  constructor(...args) {
    super(...args);
    sockets.add(this);
  }
};

let memory;
for (const name of ['instantiate', 'instantiateStreaming']) {
  const instantiate = WebAssembly[name];
  WebAssembly[name] = async (...args) => {
    const made = await instantiate.apply(WebAssembly, args);
    memory = Object.values((made.instance ?? made).exports).find((one) => one instanceof WebAssembly.Memory);
    return made;
  };
}

// WebDriver looks at one tab after the other; that is no matter of the tests.
document.addEventListener('visibilitychange', (event) => event.isTrusted && event.stopImmediatePropagation());
const setVisible = (isVisible) =>
  Object.defineProperty(document, 'visibilityState', { value: isVisible ? 'visible' : 'hidden', configurable: true });
setVisible(true);

/** What the page itself has to complain about. */
const mistakes = [];
addEventListener('error', ({ message }) => mistakes.push(message));
addEventListener('unhandledrejection', ({ reason }) => mistakes.push(String(reason)));

let chat;
let options;
const seen = [];
const watches = [];
/** States of messages, none of which is held here. */
const reads = [];

window.tab = {
  /** Makes the client, with the options of `create`, and calls some of its methods at once; gives their answers. */
  create(given, calls) {
    options = given;
    chat = create(given);
    for (const name of Object.values(EVENT)) chat.on(name, (event) => seen.push(structuredClone(event)));
    return window.tab.callAll(calls);
  },

  /** Calls a method of the client: `{data}`, or `{code}` of the error that it rejects with. */
  call: (method, ...args) => chat[method](...args).then(({ data }) => ({ data }), ({ code }) => ({ code })),

  /** The same of several, [method, …arguments], of which none waits for the one before. */
  callAll: (calls) => Promise.all(calls.map((call) => window.tab.call(...call))),

  /** The same as `call`, without waiting; {@link answer} tells how it stands. */
  begin(method, ...args) {
    window.tab.answer = () => null;
    window.tab.call(method, ...args).then((answer) => (window.tab.answer = () => answer));
  },

  /** Gets many messages; gives how many entries they have in all. */
  async readAll(messages) {
    const all = await Promise.all(messages.map((message) => chat.getMessageExtensions(message)));
    return all.reduce((sum, { data }) => sum + data.extensions.length, 0);
  },

  /** Watches a message; gives the watch's number. */
  watch(message) {
    const watch = { snapshots: [] };
    watch.stop = chat.watchMessageExtensions(message, (snapshot) => watch.snapshots.push(snapshot));
    return watches.push(watch) - 1;
  },

  /** All that a watch has been shown, or the last of it. */
  snapshots: (number) => watches[number].snapshots,
  shown: (number) => watches[number].snapshots.at(-1) ?? null,

  /** Watches many messages until each has been shown in full, and stops; gives how many entries were shown. */
  async watchAndDrop(messages) {
    let count = 0;
    const watchOne = (message) =>
      new Promise((resolve) => {
        const stop = chat.watchMessageExtensions(message, ({ entries, synced }) => {
          if (!synced) return;
          count += entries.length;
          resolve(() => stop());
        });
      });
    const stops = await Promise.all(messages.map(watchOne));
    stops.forEach((stop) => stop());
    return count;
  },

  seen: () => seen,
  mistakes: () => mistakes,
  wasmBytes: () => memory.buffer.byteLength,

  /** What IndexedDB holds for a user: {messages, queued}; null when there is no database. */
  stored: (userID) => rows(databaseName(options, userID)),

  /** Does something bad to the storage, see `faults.js`. */
  break: (fault, userID) => faults[fault](databaseName(options, userID)),

  /** From here on it is known what the page reads of its databases. */
  followReads() {
    const { getAll } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.getAll = function (...args) {
      const request = getAll.apply(this, args);
      request.addEventListener('success', () => reads.push(...request.result.map(({ state }) => new WeakRef(state))));
      return request;
    };
  },

  /** How many states of messages it has read, and how many of these somebody holds. */
  reads: () => [reads.length, reads.filter((read) => read.deref()).length],

  /** What the browser says when the network is back. */
  online: () => void dispatchEvent(new Event('online')),

  /** The page is looked at, or not any more. */
  look(isVisible) {
    setVisible(isVisible);
    document.dispatchEvent(new Event('visibilitychange'));
  },

  /** No timer of the page fires any more. */
  stopTime: () => void (isStill = true),

  /** Whether no WebSocket is open, or may come to be. */
  isClosed: () => [...sockets].every(({ readyState }) => readyState === WebSocket.CLOSED),

  /** This tab, and no other, loses the network for good. */
  cutOff() {
    window.fetch = () => Promise.reject(new TypeError('cut off'));
    sockets.forEach((socket) => socket.close());
    window.WebSocket = class {
      constructor() {
        throw new Error('cut off');
      }
    };
  },
};
