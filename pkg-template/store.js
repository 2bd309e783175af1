// What a browser keeps for a user, for all tabs: messages as they were, and writes made offline. IndexedDB, or, where it
// cannot be used, memory alone; then `warn` is told, once, and nothing waits for it or fails.

import { openDB } from 'idb';

const MESSAGES = 'messages';
const QUEUED = 'queued';
/** As many messages as the machine remembers, and for how long without being used. */
const MOST_MESSAGES = 1000;
const LONGEST = 30 * 24 * 60 * 60 * 1000;
/** A browser that does not answer in this time will not. */
const PATIENCE = 2000;
/** Orders of writes that only memory has; far above those of IndexedDB. */
const FIRST_IN_MEMORY = 2 ** 40;

export class Store {
  #db;
  #warn;
  #queued = new Map();
  #lastOrder = FIRST_IN_MEMORY;

  constructor(name, warn) {
    this.name = name;
    this.#warn = warn;
  }

  /** What was kept, least recently used first; forgets what is too old. */
  async load() {
    const nothing = { messages: [], queued: [] };
    const opening = this.#open();
    try {
      this.#db = await this.#within(opening);
    } catch (cause) {
      this.#lose(cause);
      opening.then((late) => late.close(), () => {});
    }
    return this.#use(async (db) => {
      const rows = (await db.getAll(MESSAGES)).sort((a, b) => a.used - b.used);
      const oldest = Date.now() - LONGEST;
      const stays = ({ used }, i) => used > oldest && i >= rows.length - MOST_MESSAGES;
      const goes = rows.filter((row, i) => !stays(row, i));
      await this.#write(db, goes.map(({ key }) => (store) => store.delete(key)));
      return { messages: rows.filter(stays).map(({ state }) => state), queued: await this.queued() };
    }, nothing);
  }

  /** Keeps states of messages, and forgets those that have none. */
  keep(states) {
    const write = (state) => async (store) => {
      const key = JSON.stringify([state.GroupId, state.MsgSeq, state.From_Account, state.To_Account, state.MsgKey]);
      if (!state.ExtensionList) return store.delete(key);
      const row = await store.get(key);
      // Another tab may know more.
      return row?.state?.LatestSeq > state.LatestSeq || store.put({ key, used: Date.now(), state });
    };
    return this.#use((db) => this.#write(db, states.map(write)));
  }

  /** Keeps a write until `unqueue`. */
  async queue(write) {
    const order = (await this.#use((db) => db.add(QUEUED, write))) ?? ++this.#lastOrder;
    this.#queued.set(order, { ...write, Order: order });
  }

  unqueue(order) {
    this.#queued.delete(order);
    return this.#use((db) => db.delete(QUEUED, order));
  }

  /** The writes that are kept, in their order. */
  async queued() {
    const inMemory = [...this.#queued.values()].filter(({ Order }) => Order > FIRST_IN_MEMORY);
    const rows = await this.#use((db) => db.getAll(QUEUED));
    if (rows) this.#queued = new Map([...rows, ...inMemory].map((write) => [write.Order, write]));
    return [...this.#queued.values()];
  }

  async clear() {
    this.#queued.clear();
    await this.#use((db) => Promise.all([db.clear(MESSAGES), db.clear(QUEUED)]));
  }

  /** Ends when what was begun is done. */
  close() {
    this.#db?.close();
    this.#db = undefined;
  }

  /** Where storage is forbidden, `openDB` throws: this rejects. */
  async #open() {
    const lose = (why) => () => this.#lose(new Error(why));
    return openDB(this.name, 1, {
      upgrade(db) {
        db.createObjectStore(MESSAGES, { keyPath: 'key' });
        db.createObjectStore(QUEUED, { keyPath: 'Order', autoIncrement: true });
      },
      blocking: lose('a newer version of this app uses it'),
      terminated: lose('the browser has closed it'),
    });
  }

  /** Changes of messages, all or none. */
  #write(db, changes) {
    const { store, done } = db.transaction(MESSAGES, 'readwrite');
    return Promise.all([done, ...changes.map((change) => change(store))]);
  }

  /** Does something with the database; undefined, or `otherwise`, if there is none or it fails. */
  async #use(work, otherwise) {
    const db = this.#db;
    if (!db) return otherwise;
    try {
      return await this.#within(work(db));
    } catch (cause) {
      if (this.#db === db) this.#lose(cause);
      return otherwise;
    }
  }

  #within(promise) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('the browser does not answer')), PATIENCE);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  }

  #lose(cause) {
    this.close();
    this.#warn?.(cause);
    this.#warn = undefined;
  }
}
