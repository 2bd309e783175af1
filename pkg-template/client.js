// A client, and all of it that must work before the wasm is there: `on` and `createCustomMessage` answer at once; calls wait
// for the wasm and reject, with a code, when it cannot be had.

/* global CODES -- the numbers of crates/core/src/code.rs, put in by `cargo xtask build` */

import { Edge } from './message_extensions.js';
import { Emitter } from './emitter.js';
import { EVENT } from './constants.js';
import { MessageExtensionError } from './error.js';
import { load } from './load.js';
import { Store } from './store.js';
import { Watch } from './watch.js';

/** What login, logout and destroy resolve with. */
const DONE = { actionStatus: 'OK', errorCode: 0, errorInfo: '' };

/** What is to be kept is collected for this long. */
const KEEP_AFTER = 500;

class Chat extends Emitter {
  #options;
  #edge;
  #userID = '';
  #sequence = random32() >>> 1;
  #watches = new Map();
  #lastWatch = 0;
  /** What settles a call, and a mutation's function, by the number that names the call. */
  #calls = new Map();
  #lastCall = 0;
  /** @type {Store} */
  #store;

  constructor(options) {
    super();
    this.#options = options;
    // Begin at once; a failure is told to the calls that need it.
    load(options.wasm).catch(() => {});
    globalThis.addEventListener?.('online', this.#wake);
    globalThis.document?.addEventListener('visibilitychange', this.#wake);
  }

  /** The network may be back: a connection that waits need not any longer. Who goes may not come back. */
  #wake = ({ type }) => {
    const isLeft = type !== 'online' && globalThis.document?.visibilityState === 'hidden';
    this.#edge?.tell(isLeft ? 'keep' : 'wake');
  };

  login(options) {
    // Known before SDK_READY, whose listeners may create messages.
    const before = this.#userID;
    this.#userID = tried(() => options.userID) || '';
    const attempt = this.#userID;
    return this.#call('login', options).catch((error) => {
      if (this.#userID === attempt) this.#userID = before;
      throw error;
    });
  }

  async logout(options) {
    let store;
    // As the session ends: the login may have waited for the wasm until then, and another may follow at once.
    const done = await this.#call('logout', undefined, undefined, undefined, () => (store = this.#store));
    store?.close();
    if (options?.clear) await store?.clear().catch((cause) => {
      throw new MessageExtensionError(CODES.STORAGE, `the user is logged out, but what is kept could not be cleared (${cause})`);
    });
    return done;
  }

  destroy() {
    this.#options.leave(this);
    globalThis.removeEventListener?.('online', this.#wake);
    globalThis.document?.removeEventListener('visibilitychange', this.#wake);
    // Listeners go last: they are told SDK_NOT_READY.
    return this.#call('destroy').finally(() => {
      this.#store?.close();
      this.removeAll();
      this.#watches.clear();
    });
  }

  setMessageExtensions(message, extensions) {
    return this.#call('set', message, listOf(extensions));
  }

  getMessageExtensions(message, keyList, options) {
    return this.#call('get', message, listOf(keyList), tried(() => options?.source));
  }

  deleteMessageExtensions(message, keyList) {
    return this.#call('delete', message, listOf(keyList));
  }

  async mutateMessageExtension(message, key, fn) {
    if (typeof fn !== 'function') throw new MessageExtensionError(CODES.INVALID_ARGUMENT, 'fn must be a function');
    let thrown;
    const compute = async (call, value) => {
      let next = null;
      try {
        next = await fn(value);
      } catch (error) {
        thrown = { error };
      }
      // What is no value ends the call; what fn threw is its outcome.
      this.#edge.tell('computed', call, next);
    };
    return this.#call('mutate', message, key, compute).catch((error) => {
      throw thrown ? thrown.error : error;
    });
  }

  watchMessageExtensions(message, listener, options) {
    const id = ++this.#lastWatch;
    this.#watches.set(id, new Watch(message, listener, options?.tally));
    this.#watch(id);
    return () => {
      if (this.#watches.delete(id)) this.#edge?.tell('unwatch', id);
    };
  }

  tally(message, options, listener) {
    const listen = ({ tally, synced }) => listener({ ...tally, synced });
    return this.watchMessageExtensions(message, listen, { tally: options });
  }

  /** Begins a watch, now or, if nobody is logged in yet, when somebody is. */
  #watch(id) {
    const begin = async () => {
      if (!this.#edge) await this.#load();
      if (this.#watches.has(id)) await this.#call('watch', this.#watches.get(id).message, id);
    };
    begin().catch(({ code, message }) => {
      const waits = code === CODES.NOT_LOGGED_IN || code === CODES.NOT_READY || code === CODES.LOGGED_OUT;
      if (!waits && this.#watches.has(id)) this.emit(EVENT.ERROR, { code, message });
    });
  }

  /** What the machine asks of its owner; everything else that it tells is for listeners. */
  #asked = {
    done: (call, data = { ...DONE }) => {
      const { done, onDone } = this.#settle(call);
      onDone?.();
      done({ code: 0, data });
    },
    failed: (call, { code, message }) => this.#settle(call).failed(new MessageExtensionError(code, message)),
    compute: (call, value) => this.#calls.get(call).compute(call, value),
    listing: pairsOf,
    // Whoever reads may change what they get.
    read: (call, pairs) => this.#asked.done(call, { extensions: pairs.map(({ key, value }) => ({ key, value })) }),
    view: (view) => {
      for (const id of view.watches) this.#watches.get(id)?.show(view);
    },
    load: async (userID) => {
      this.#open(userID);
      const store = this.#store;
      const { messages, queued } = await store.load();
      if (this.#store === store) this.#edge.tell('loaded', 0, messages, queued);
    },
    begin: () => {
      for (const [id, watch] of this.#watches) {
        watch.reset();
        this.#watch(id);
      }
    },
    stale: () => setTimeout(() => this.#edge.tell('keep'), KEEP_AFTER),
    keep: (states) => this.#store.keep(states),
    queue: async ({ call, write }) => {
      await this.#store.queue(write);
      this.#edge.tell('queued', call);
    },
    unqueue: (order) => this.#store.unqueue(order),
    drain: () => this.#drain(this.#store),
  };

  #told(what, a, b) {
    const asked = this.#asked[what];
    if (asked) return asked(a, b);
    this.emit(what, a);
  }

  /** The store of the user who logs in, in the place of the one before. */
  #open(userID) {
    const { endpoint, SDKAppID, persists } = this.#options;
    const warn = (cause) => {
      const text = `what is read and queued is not kept over a reload, since IndexedDB fails (${cause})`;
      this.emit(EVENT.ERROR, { code: CODES.STORAGE, message: text });
    };
    this.#store?.close();
    this.#store = new Store(`message-extensions ${endpoint} ${SDKAppID} ${userID}`, persists, warn);
  }

  /** Sends what waits, one tab at a time. */
  async #drain(store) {
    const send = async () => {
      const writes = await store.queued();
      if (this.#store === store) await this.#call('drain', writes).catch(() => {});
      // What was sent is gone before another tab looks.
      await store.queued();
    };
    const locks = globalThis.navigator?.locks;
    await (locks ? locks.request(store.name, send).catch(send) : send());
  }

  createCustomMessage({ to, conversationType, payload, isSupportExtension = false, extensionRules } = {}) {
    const clientTime = Math.floor(Date.now() / 1000);
    const random = random32();
    const from = this.#userID;
    this.#sequence = (this.#sequence + 1) >>> 0;
    return {
      ID: `${from}-${clientTime}-${random}`,
      conversationID: `${conversationType}${to}`,
      conversationType,
      type: 'TIMCustomElem',
      from,
      to,
      flow: 'out',
      status: 'unSend',
      time: clientTime,
      clientTime,
      sequence: this.#sequence,
      clientSequence: this.#sequence,
      random,
      isSupportExtension,
      ...(extensionRules && { extensionRules }),
      payload: { data: payload?.data ?? '', description: payload?.description ?? '', extension: payload?.extension ?? '' },
    };
  }

  sendMessage(message) {
    return this.#call('send', message).then(
      ({ data }) => {
        data.status = 'success';
        // A frozen one stays as it is.
        return { code: 0, data: { message: tried(() => Object.assign(message, data)) || { ...message, ...data } } };
      },
      (error) => {
        if (message?.status === 'unSend') tried(() => (message.status = 'fail'));
        throw error;
      },
    );
  }

  getMessageList(options) {
    return this.#call('list', options);
  }

  /** Makes a call, which the machine settles. */
  #call(method, a, b, c, onDone) {
    if (!this.#edge) return this.#load().then(() => this.#call(method, a, b, c, onDone));
    return new Promise((done, failed) => {
      const call = ++this.#lastCall;
      this.#calls.set(call, { done, failed, onDone, compute: c });
      this.#edge.tell(method, call, a, b, c);
    });
  }

  /** What settles a call, of which nothing more is heard. */
  #settle(call) {
    const settle = this.#calls.get(call);
    this.#calls.delete(call);
    return settle;
  }

  async #load() {
    await load(this.#options.wasm);
    this.#edge ??= this.#createEdge();
  }

  #createEdge() {
    const random = Array.from({ length: 6 }, () => random32().toString(16).padStart(8, '0')).join('');
    // The wasm holds what it is given until the edge goes, which goes with its client.
    const chat = new WeakRef(this);
    return new Edge({ ...this.#options, random }, (...what) => chat.deref()?.#told(...what));
  }
}

/** What is done with an object of the page; 0, which is nothing that anybody may hand in, where that throws. */
function tried(work) {
  try {
    return work();
  } catch {
    return 0;
  }
}

/** A copy of a page's list, since what throws in the wasm breaks it, up to more than any call takes; what is no list as it is. */
const listOf = (list) => tried(() => (Array.isArray(list) ? [...list].slice(0, 9999) : list));

/** What the text of a listing says: each key and value comes after its length, three digits of base 128. */
function pairsOf(text) {
  let at = 0;
  const digit = () => text.charCodeAt(at++);
  const part = () => {
    const length = (digit() << 14) | (digit() << 7) | digit();
    return text.slice(at, (at += length));
  };
  const pairs = [];
  while (at < text.length) pairs.push({ key: part(), value: part() });
  return pairs;
}

/** Where a page may keep nothing at all, even to ask can throw. */
function hasDatabases() {
  try {
    return !!globalThis.indexedDB;
  } catch {
    return true;
  }
}

function random32() {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}

/** The client of an app: the one that is among the `instances` already, which it leaves when it is destroyed. */
export function open(options, instances) {
  const { endpoint = globalThis.location?.origin, SDKAppID, wasm, refuseEmptyKeyList, offline, persistence = true } = options ?? {};
  const id = typeof SDKAppID === 'string' && SDKAppID.trim() !== '' ? Number(SDKAppID) : SDKAppID;
  if (!Number.isSafeInteger(id) || id <= 0) {
    throw new MessageExtensionError(CODES.INVALID_ARGUMENT, 'SDKAppID must be the number of your app, a positive integer');
  }
  const base = typeof endpoint === 'string' && URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!/^https?:$/.test(base?.protocol)) {
    throw new MessageExtensionError(
      CODES.INVALID_ARGUMENT,
      "endpoint must be the server's http or https URL; without it the page's own origin is used",
    );
  }
  let chat = instances.get(id);
  if (!chat) {
    // Without the slash at its end, with the path if the server has one.
    const root = (base.origin + base.pathname).replace(/\/$/, '');
    const persists = persistence && hasDatabases();
    chat = new Chat({
      SDKAppID: id,
      endpoint: root,
      wasm,
      refuseEmptyKeyList,
      offline,
      persists,
      // Whoever is destroyed twice does not take along who came after.
      leave: (left) => instances.get(id) === left && instances.delete(id),
    });
    instances.set(id, chat);
  }
  return chat;
}
