// A client whose watches show what a test says, when it says so.

/** A sent group message. */
export const messageNumber = (sequence) => ({
  ID: `alice-1-${sequence}`,
  conversationType: 'GROUP',
  from: 'alice',
  to: 'lunch',
  sequence,
  status: 'success',
  isSupportExtension: true,
});

export class FakeChat {
  /** The messages of the watches that were begun, in order. */
  begun = [];
  #running = new Set();

  /** How many watches have not ended. */
  get running() {
    return this.#running.size;
  }

  watchMessageExtensions(message, listener) {
    const watch = { message, listener, entries: new Map() };
    this.begun.push(message);
    this.#running.add(watch);
    return () => this.#running.delete(watch);
  }

  /** Keys of a message have changed: {key: value}, an empty value where there is none any more. */
  show(message, values, synced = true) {
    for (const { message: { sequence }, listener, entries } of this.#running) {
      if (sequence !== message.sequence) continue;
      for (const [key, value] of Object.entries(values)) {
        if (value) entries.set(key, Object.freeze({ key, value, author: 'bob', time: 1, status: 'confirmed' }));
        else entries.delete(key);
      }
      listener(Object.freeze({ entries: Object.freeze([...entries.values()]), synced }));
    }
  }
}
