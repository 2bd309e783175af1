// What the package has stored, seen from outside of it.

export const databaseName = ({ endpoint, SDKAppID }, userID) => `message-extensions ${endpoint} ${SDKAppID} ${userID}`;

/** The result of a request of IndexedDB. */
export const result = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Opens a database that is there already. */
export const open = (name, version) => result(indexedDB.open(name, version));

export async function rows(name) {
  const all = await indexedDB.databases();
  if (!all.some((database) => database.name === name)) return null;
  const db = await open(name);
  const transaction = db.transaction(['messages', 'queued']);
  const [messages, queued] = await Promise.all(['messages', 'queued'].map((store) => result(transaction.objectStore(store).getAll())));
  db.close();
  return { messages, queued };
}
