// What a browser keeps for a user, for all tabs: messages as they were, and writes made offline. IndexedDB, or, where it
// cannot be used, memory alone; then `warn` is told, once, and nothing waits for it or fails.

import { openDB } from 'idb';

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
    const messages = await this.#use(async (db) => {
      const rows = (await db.getAll(MESSAGES)).sort((a, b) => a.used - b.used);
      const oldest = Date.now() - LONGEST;
      const stays = ({ used }, i) => used > oldest && i >= rows.length - MOST_MESSAGES;
      const goes = rows.filter((row, i) => !stays(row, i));
      await this.#write(db, goes.map(({ key }) => (store) => store.delete(key)));
      return rows.filter(stays).map(({ state }) => state);
    });
    return { messages: messages ?? [], queued: await this.queued() };
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
    return this.#use((db) => this.#write(db, states.map(write)), EVER);
  }

  /** Keeps a write until `unqueue`. */
  async queue(write) {
    const add = async (db) => {
      // Its user is told that it will not be lost.
      const { store, done } = db.transaction(QUEUED, 'readwrite', { durability: 'strict' });
      return (await Promise.all([store.add(write), done]))[0];
    };
    const order = (await this.#use(add)) ?? Math.max(FIRST_IN_MEMORY, ...this.#queued.keys()) + 1;
    this.#queued.set(order, { ...write, Order: order });
  }

  unqueue(order) {
    this.#queued.delete(order);
    return this.#use((db) => db.delete(QUEUED, order), EVER);
  }

  /** The writes that are kept, in their order. */
  async queued() {
    const rows = await this.#use((db) => db.getAll(QUEUED));
    if (rows) {
      const inMemory = [...this.#queued.values()].filter(({ Order }) => Order > FIRST_IN_MEMORY);
      this.#queued.clear();
      for (const write of [...rows, ...inMemory]) this.#queued.set(write.Order, write);
    }
    return [...this.#queued.values()];
  }

  /** Forgets everything; rejects if it cannot. */
  async clear() {
    this.#queued.clear();
    if (!globalThis.indexedDB) return;
    // A connection of its own: this one may be closed, or still opening.
    const db = await within(PATIENCE, this.#open());
    if (!db) throw UNANSWERED;
    await Promise.all([db.clear(MESSAGES), db.clear(QUEUED)]);
    db.close();
  }

  /** Ends when what was begun is done. */
  close() {
    this.#isClosed = true;
    const closing = this.#db;
    this.#db = Promise.resolve();
    this.#uses.then(async () => (await closing)?.close());
  }

  async #open() {
    const db = await openDB(this.name, 1, {
      upgrade(db) {
        db.createObjectStore(MESSAGES, { keyPath: 'key' });
        db.createObjectStore(QUEUED, { keyPath: 'Order', autoIncrement: true });
      },
      blocking: () => {
        db.close();
        this.#lose(new Error('another tab wants a newer version of it'));
      },
      // The browser has closed it, as some do in the background: the next use opens it again.
      terminated: () => {
        if (!this.#isClosed) this.#db = undefined;
      },
    });
    return db;
  }

  /** Changes of messages, all or none. */
  #write(db, changes) {
    const { store, done } = db.transaction(MESSAGES, 'readwrite');
    return Promise.all([done, ...changes.map((change) => change(store))]);
  }

  /** Does something with the database; undefined if there is none, or it fails, or is late. */
  #use(work, patience = PATIENCE) {
    const use = this.#try(work, patience);
    this.#uses = Promise.all([this.#uses, use]);
    return use;
  }

  async #try(work, patience) {
    const db = await within(patience, (this.#db ??= this.#connect()));
    if (!db) return undefined;
    try {
      return await within(patience, work(db));
    } catch (cause) {
      this.#complain(cause);
      return undefined;
    }
  }

  async #connect() {
    const opening = this.#open();
    try {
      const db = await within(OPENS_WITHIN, opening);
      if (db && !this.#isClosed) return db;
      if (!db) throw UNANSWERED;
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

const UNANSWERED = new Error('the browser does not answer');

/** What a promise resolves with; undefined if it is late. */
function within(milliseconds, promise) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
