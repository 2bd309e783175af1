// IndexedDB by promises: as much of it as store.js uses.

/** Opens the database; `upgrade` makes the stores of a new one. */
export function openDatabase(name, version, upgrade) {
  const request = indexedDB.open(name, version);
  request.onupgradeneeded = () => upgrade(request.result);
  return result(request);
}

/** What a request brings. */
export function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** What `work` makes of a store of the database, all or nothing: it resolves when that is kept. */
export async function transact(db, name, work, options) {
  const transaction = db.transaction(name, 'readwrite', options);
  const kept = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    // Without an error of its own when the browser has ended it, as it does when the disk turns out to be full.
    transaction.onabort = () => reject(transaction.error ?? new DOMException('AbortError', 'AbortError'));
  });
  return (await Promise.all([work(transaction.objectStore(name)), kept]))[0];
}
