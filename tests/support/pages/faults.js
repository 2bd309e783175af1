// What can go wrong with IndexedDB. Each is called with the name of the user's database.

import { open, result } from './stored.js';

/** The database as the package makes it, or as a later version of it might. */
const make = (name, version) => {
  const request = indexedDB.open(name, version);
  request.onupgradeneeded = () => {
    const have = [...request.result.objectStoreNames];
    if (!have.includes('messages')) request.result.createObjectStore('messages', { keyPath: 'key' });
    if (!have.includes('queued')) request.result.createObjectStore('queued', { keyPath: 'Order', autoIncrement: true });
  };
  return result(request);
};

const put = (change) => {
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = function (...args) {
    return change(this, () => put.apply(this, args));
  };
};

export const faults = {
  'it may not be opened': () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('storage is blocked', 'SecurityError');
    };
  },
  'opening it never ends': async (name) => {
    // Another page keeps it and will not let go; who opens it now waits behind the one that wants a newer version.
    await make(name, 1);
    window.kept = await open(name);
    indexedDB.open(name, 2);
  },
  'a newer version of it is there': async (name) => (await make(name, 2)).close(),
  'a newer version of it is wanted': async (name) => (await make(name, 2)).close(),
  'it is busy': async (name) => {
    // Another page has begun something that goes on and on; whatever is asked meanwhile waits behind it.
    const db = await make(name, 1);
    const store = db.transaction(['messages', 'queued'], 'readwrite').objectStore('queued');
    window.isBusy = true;
    const goOn = () => {
      if (window.isBusy) store.count().onsuccess = goOn;
      else db.close();
    };
    goOn();
  },
  'it is busy no more': async (name) => {
    window.isBusy = false;
    // This waits behind all that was asked.
    const db = await open(name);
    await result(db.transaction(['messages', 'queued'], 'readwrite').objectStore('queued').count());
    db.close();
  },
  'it is full': () =>
    put(() => {
      throw new DOMException('no room', 'QuotaExceededError');
    }),
  'it turns out to be full': () =>
    put((store, really) => {
      const request = really();
      store.transaction.abort();
      return request;
    }),
  'a record is rubbish': async (name) => {
    const db = await make(name, 1);
    const transaction = db.transaction(['messages', 'queued'], 'readwrite');
    const used = Date.now();
    const rubbish = [
      undefined,
      null,
      'rubbish',
      7,
      [],
      {},
      { From_Account: 1, To_Account: [], MsgKey: 'x', LatestSeq: 'x', ExtensionList: 'x' },
      { GroupId: 'g', MsgSeq: -1, LatestSeq: -1, ClearSeq: 1e300, ExtensionList: [null, 1, {}, { Key: 1, Seq: 'x' }] },
    ];
    rubbish.forEach((state, i) => {
      transaction.objectStore('messages').put({ key: `rubbish ${i}`, used, state });
      transaction.objectStore('queued').add({ RequestId: state, GroupId: state, ExtensionList: state });
    });
    transaction.objectStore('messages').put({ key: 'no time' });
    await new Promise((resolve) => (transaction.oncomplete = resolve));
    db.close();
  },
  'every record is rubbish': async (name) => {
    const db = await open(name);
    const store = db.transaction('messages', 'readwrite').objectStore('messages');
    const [row, ...others] = await result(store.getAll());
    if (!row || others.length) throw new Error('there is not one record');
    await result(store.put({ ...row, state: null }));
    db.close();
  },
};
