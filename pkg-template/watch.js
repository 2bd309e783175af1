// Snapshots for those who watch a message: immutable, and what has not changed keeps its identity.

import { Tally } from './tally.js';
import { report } from './emitter.js';

export class Watch {
  #entries = new Map();
  #seqs = new Map();
  #listener;
  #tally;

  constructor(message, listener, tally) {
    this.message = message;
    this.#listener = listener;
    this.#tally = tally && new Tally(tally);
  }

  /** Takes a difference from the machine, and tells the listener what there is now. */
  show({ changed, removed, synced }) {
    for (const key of removed) {
      this.#tally?.change(this.#entries.get(key), undefined);
      this.#entries.delete(key);
      this.#seqs.delete(key);
    }
    for (const { seq, ...entry } of changed) {
      this.#tally?.change(this.#entries.get(entry.key), entry);
      this.#entries.set(entry.key, Object.freeze(entry));
      this.#seqs.set(entry.key, seq);
    }
    // In the order in which they were written; those without an answer last.
    const entries = [...this.#entries.values()].sort((a, b) => this.#seqs.get(a.key) - this.#seqs.get(b.key));
    const snapshot = { entries: Object.freeze(entries), synced };
    if (this.#tally) snapshot.tally = this.#tally.snapshot();
    report(() => this.#listener(Object.freeze(snapshot)));
  }

  /** A session ends: whatever comes next is told from the beginning. */
  reset() {
    for (const entry of this.#entries.values()) this.#tally?.change(entry, undefined);
    this.#entries.clear();
    this.#seqs.clear();
  }
}
