// Counts of a vote, kept up by the change: what one voter does costs what one voter has chosen.

import { report } from './emitter.js';

export class Tally {
  #chosen = new Map();
  #voters = 0;
  #optionsOf;
  #suffix;
  #snapshot;

  constructor({ options, separator, suffix = '', optionsOf }) {
    this.#suffix = suffix;
    this.#optionsOf = optionsOf ?? ((entry) => (separator ? entry.value.split(separator) : [entry.value]));
    // Options that nobody has chosen yet are counted too, in the order given.
    for (const option of options ?? []) this.#chosen.set(String(option), new Map());
  }

  /** An entry has become another one; undefined where there is none. */
  change(before, after) {
    this.#count(before, (voters, voter) => voters.delete(voter), -1);
    this.#count(after, (voters, voter, entry) => voters.set(voter, entry), 1);
    this.#snapshot = undefined;
  }

  /** Options with count, share of the voters, and the voters; the same object as long as nothing changes. */
  snapshot() {
    this.#snapshot ??= Object.freeze({
      voters: this.#voters,
      options: Object.freeze([...this.#chosen].map(([option, voters]) => this.#option(option, [...voters.keys()]))),
    });
    return this.#snapshot;
  }

  #option(option, voters) {
    const share = this.#voters ? voters.length / this.#voters : 0;
    return Object.freeze({ option, count: voters.length, share, voters: Object.freeze(voters) });
  }

  #count(entry, apply, difference) {
    // A key of another kind ("closed"), or one that is being deleted, is no vote.
    if (!entry?.value || !entry.key.endsWith(this.#suffix)) return;
    const voter = entry.key.slice(0, entry.key.length - this.#suffix.length);
    this.#voters += difference;
    let options = [];
    report(() => (options = new Set(this.#optionsOf(entry))));
    for (const option of options) {
      if (!this.#chosen.has(option)) this.#chosen.set(option, new Map());
      apply(this.#chosen.get(option), voter, entry);
    }
  }
}
