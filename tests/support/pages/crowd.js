// Several users in one page, or in one process of Node: each with a client of their own, which does at random moments
// what users do, and writes down everything that it is answered and told. What holds of it, `support/promises.js` checks.

import { goFaster } from './fast.js';
import { seeded } from './seeded.js';

const SHARED = ['a', 'b', 'c'];
const COUNT = 'count';
/** Between what a user does and what they do next, milliseconds, on average. */
const PAUSE = 100;

// By the machine's clock.
const sleep = globalThis.setTimeout.bind(globalThis);

class User {
  record;
  #chat;
  #message;
  #random;
  #isActing = false;
  #values = 0;
  #order = 0;
  #watched = { entries: [], synced: false };

  constructor({ module, given, message, wasm }) {
    const { userID, seed, options } = given;
    this.#message = message;
    this.#random = seeded(seed);
    this.record = { userID, calls: [], events: [], confirmed: [] };
    this.#chat = module.create({ ...options, ...(wasm && { wasm }) });
    for (const name of Object.values(module.EVENT)) {
      this.#chat.on(name, ({ data }) => this.record.events.push(structuredClone({ name, data })));
    }
  }

  async login(userSig) {
    const { userID } = this.record;
    await this.#chat.login({ userID, userSig });
    const confirmed = new Set();
    this.#chat.watchMessageExtensions(this.#message, (snapshot) => {
      this.#watched = snapshot;
      for (const { key, value, status } of snapshot.entries) {
        const name = `${key}=${value}`;
        if (status !== 'confirmed' || confirmed.has(name)) continue;
        confirmed.add(name);
        this.record.confirmed.push({ key, value });
      }
    });
    await this.#chat.getMessageExtensions(this.#message);
  }

  async begin(hasClears) {
    this.#isActing = true;
    for (;;) {
      await new Promise((resolve) => sleep(resolve, this.#random.below(2 * PAUSE)));
      if (!this.#isActing) return;
      this.#act(hasClears);
    }
  }

  rest() {
    this.#isActing = false;
  }

  /** Writes a key of the user's own. What waits to be sent goes before it. */
  async end() {
    const extensions = () => [{ key: `${this.record.userID}_end`, value: this.#value() }];
    for (;;) {
      const written = extensions();
      const { code, extensions: items } = await this.#call('set', written, () => this.#chat.setMessageExtensions(this.#message, written));
      if (code === 0 && items[0].code === 0) return;
    }
  }

  /** What is to be known while it goes on: whether anything is open, what is shown. */
  state() {
    const { entries, synced } = this.#watched;
    const pending = this.record.calls.filter(({ outcome }) => !outcome).length;
    const own = entries.filter(({ status }) => status === 'pending' || status === 'queued').length;
    const shown = Object.fromEntries(entries.map(({ key, value }) => [key, value]));
    return { userID: this.record.userID, calls: this.record.calls.length, pending, own, synced, shown };
  }

  /** Everything; `cache` is what a get says when nobody is asked. */
  async all() {
    const { data } = await this.#chat.getMessageExtensions(this.#message, undefined, { source: 'cache' });
    const cache = Object.fromEntries(data.extensions.map(({ key, value }) => [key, value]));
    return { ...this.record, cache, shown: this.state().shown };
  }

  #act(hasClears) {
    const { userID } = this.record;
    const key = () => this.#random.pick([...SHARED, `${userID}_0`, `${userID}_1`]);
    const keys = () => [...new Set(Array.from({ length: 1 + this.#random.below(3) }, key))];
    switch (this.#random.weighed({ set: 10, delete: 3, get: 4, ask: 2, mutate: 2, clear: hasClears ? 0.5 : 0 })) {
      case 'set': {
        const extensions = keys().map((key) => ({ key, value: this.#value() }));
        return this.#call('set', extensions, () => this.#chat.setMessageExtensions(this.#message, extensions));
      }
      case 'delete': {
        const list = keys();
        return this.#call('delete', list.map((key) => ({ key, value: '' })), () => this.#chat.deleteMessageExtensions(this.#message, list));
      }
      case 'get':
        return this.#call('get', [], () => this.#chat.getMessageExtensions(this.#message));
      case 'ask':
        return this.#call('get', [], () => this.#chat.getMessageExtensions(this.#message, undefined, { source: 'server' }));
      case 'mutate': {
        const tried = [];
        const next = (value = '0') => {
          tried.push({ key: COUNT, value: `${parseInt(value, 10) + 1}/${this.#value()}` });
          return tried.at(-1).value;
        };
        return this.#call('mutate', tried, () => this.#chat.mutateMessageExtension(this.#message, COUNT, next));
      }
      default:
        return this.#call('clear', [], () => this.#chat.deleteMessageExtensions(this.#message));
    }
  }

  /** No two values are alike. */
  #value() {
    this.#values += 1;
    return `${this.record.userID}.${this.#values}`;
  }

  /** `began` and `ended` are places in the order of what this user did and was answered. */
  async #call(kind, items, make) {
    const call = { kind, items, began: (this.#order += 1) };
    this.record.calls.push(call);
    const [settled] = await Promise.allSettled([make()]);
    call.ended = this.#order += 1;
    call.outcome =
      settled.status === 'fulfilled'
        ? { code: settled.value.code, extensions: settled.value.data.extensions ?? [] }
        : { code: settled.reason?.code ?? `no error of ours: ${settled.reason?.stack ?? settled.reason}` };
    return call.outcome;
  }
}

/**
 * @param {(copy: number) => Promise<object>} importCopy gives the package's module, as a page of its own would have it
 * @param {BufferSource} [wasm]
 */
export function makeCrowd(importCopy, wasm) {
  const users = [];
  const mistakes = [];
  for (const kind of ['error', 'warn']) console[kind] = (...said) => mistakes.push(`console.${kind}: ${said.join(' ')}`);
  return {
    /** What the page itself has to complain about. */
    mistakes,

    /** All are logged in, and have read the message, which is empty. */
    async open(all, message, speed) {
      for (const given of all) users.push(new User({ module: await importCopy(users.length), given, message, wasm }));
      await Promise.all(users.map((user, i) => user.login(all[i].userSig)));
      goFaster(speed);
    },

    begin: (hasClears) => void users.forEach((user) => user.begin(hasClears)),
    rest: () => users.forEach((user) => user.rest()),
    end: () => void users.forEach((user) => user.end()),
    states: () => users.map((user) => user.state()),
    all: async () => ({ mistakes, users: await Promise.all(users.map((user) => user.all())) }),
  };
}
