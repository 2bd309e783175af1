// What a browser keeps for a user, for all tabs: messages as they were, and writes made offline. IndexedDB, or, where it
// cannot be used, memory alone; then `warn` is told, once, and nothing waits for it or fails.

import { openDatabase, result, transact } from './database.js';
import { LATE, within } from './within.js';

const MESSAGES = 'messages';
const QUEUED = 'queued';
/** As many messages as the machine remembers, and for how long without being used. */
const MOST_MESSAGES = 1000;
const LONGEST = 30 * 24 * 60 * 60 * 1000;
/** For so long an answer is waited for; what comes later is not lost, only late. */
const PATIENCE = 2000;
/** A database that is not open by then will not be. */
const OPENS_WITHIN = 5000;
/** Nobody waits for it. */
const EVER = 2 ** 30;
/** Orders of writes that only memory has; far above those of IndexedDB. */
const FIRST_IN_MEMORY = 2 ** 40;
/** The writes that are known here, by store and order. They outlive the store: of what fails there, this is all there is. */
const known = new Map();

export class Store {
  /** The database, once it is asked for; it resolves with undefined when it cannot be used. */
  #db;
  #warn;
  #isClosed = false;
  /** All that was begun. */
  #uses = Promise.resolve();
  #queued;

  constructor(name, persists, warn) {
    this.name = name;
    this.#warn = warn;
    this.#queued = known.get(name) ?? new Map();
    known.set(name, this.#queued);
    if (!persists) this.#db = Promise.resolve();
  }

  /** What was kept, least recently used first; forgets what is too old. */
  async load() {
    const messages = await this.#use(MESSAGES, async (store) => {
      const rows = (await result(store.getAll())).sort((a, b) => a.used - b.used);
      const oldest = Date.now() - LONGEST;
      const stays = ({ used }, i) => used > oldest && i >= rows.length - MOST_MESSAGES;
      rows.forEach((row, i) => stays(row, i) || store.delete(row.key));
      return rows.filter(stays).map(({ state }) => state);
    });
    return { messages: messages ?? [], queued: await this.queued() };
  }

  /** Keeps states of messages, and forgets those that have none. */
  keep(states) {
    const keepOne = async (store, state) => {
      const key = JSON.stringify([state.GroupId, state.MsgSeq, state.From_Account, state.To_Account, state.MsgKey]);
      if (!state.ExtensionList) return store.delete(key);
      const row = await result(store.get(key));
      // Another tab may know more.
      return row?.state?.LatestSeq > state.LatestSeq || store.put({ key, used: Date.now(), state });
    };
    return this.#use(MESSAGES, (store) => Promise.all(states.map((state) => keepOne(store, state))), EVER);
  }

  /** Keeps a write until `unqueue`. */
  async queue(write) {
    const add = (store) => result(store.add(write));
    // Its user is told that it will not be lost.
    const kept = await this.#use(QUEUED, add, PATIENCE, { durability: 'strict' });
    const order = kept ?? Math.max(FIRST_IN_MEMORY, ...this.#queued.keys()) + 1;
    this.#queued.set(order, { ...write, Order: order });
  }

  unqueue(order) {
    // What is in memory since keeping it took too long may have been kept all the same, in an order of its own.
    const late = order > FIRST_IN_MEMORY && this.#queued.get(order);
    this.#queued.delete(order);
    const remove = async (store) => {
      store.delete(order);
      if (late) for (const row of await result(store.getAll())) if (isSame(row, late)) store.delete(row.Order);
    };
    return this.#use(QUEUED, remove, EVER);
  }

  /** The writes that are kept, in their order. */
  async queued() {
    const rows = await this.#use(QUEUED, (store) => result(store.getAll()));
    if (rows) {
      const isInMemory = (write) => write.Order > FIRST_IN_MEMORY && !rows.some((row) => isSame(row, write));
      const inMemory = [...this.#queued.values()].filter(isInMemory);
      this.#queued.clear();
      for (const write of [...rows, ...inMemory]) this.#queued.set(write.Order, write);
    }
    return [...this.#queued.values()];
  }

  /** Forgets everything; rejects if it cannot. */
  async clear() {
    this.#queued.clear();
    // What is being queued at this moment is remembered by nobody.
    this.#queued = new Map();
    // A connection of its own: this one may be closed, or still opening.
    const clear = (db) =>
      Promise.all([MESSAGES, QUEUED].map((name) => transact(db, name, (store) => store.clear()))).finally(() => db.close());
    if (globalThis.indexedDB) await within(PATIENCE, this.#open().then(clear));
  }

  /** Ends when what was begun is done. */
  close() {
    this.#isClosed = true;
    const closing = this.#db;
    this.#db = Promise.resolve();
    this.#uses.then(async () => (await closing)?.close());
  }

  async #open() {
    const db = await openDatabase(this.name, 1, (created) => {
      created.createObjectStore(MESSAGES, { keyPath: 'key' });
      created.createObjectStore(QUEUED, { keyPath: 'Order', autoIncrement: true });
    });
    db.onversionchange = () => {
      db.close();
      this.#lose(new Error('another tab wants a newer version of it'));
    };
    // The browser has closed it, as some do in the background: the next use opens it again.
    db.onclose = () => {
      if (!this.#isClosed) this.#db = undefined;
    };
    return db;
  }

  /** Does something with a store of the database; undefined if there is none, or it fails, or is late. */
  #use(name, work, patience = PATIENCE, options) {
    const use = this.#try((db) => transact(db, name, work, options), patience);
    // One after the other, and not all of them together, which would hold what came of each.
    this.#uses = this.#uses.then(() => use);
    return use;
  }

  async #try(work, patience) {
    try {
      const db = await within(patience, (this.#db ??= this.#connect()));
      return db && (await within(patience, work(db)));
    } catch (cause) {
      if (cause !== LATE) this.#complain(cause);
      return undefined;
    }
  }

  async #connect() {
    const opening = this.#open();
    try {
      const db = await within(OPENS_WITHIN, opening);
      if (!this.#isClosed) return db;
    } catch (cause) {
      this.#complain(cause);
    }
    opening.then((late) => late.close(), () => {});
    return undefined;
  }

  #lose(cause) {
    this.#db = Promise.resolve();
    this.#complain(cause);
  }

  #complain(cause) {
    if (!this.#isClosed) this.#warn?.(cause);
    this.#warn = undefined;
  }
}

/** Whether two are one write, which its request id says. */
const isSame = (one, other) => one.RequestID === other.RequestID;
