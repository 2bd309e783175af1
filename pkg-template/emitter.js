// Listeners. A function that is added twice is called twice, and one `off` removes both; one that throws is reported
// and keeps no other from being called.

/** Calls user code. What it throws becomes an error of the page, where a developer and their monitoring look for it. */
export function report(call) {
  try {
    call();
  } catch (error) {
    (globalThis.reportError ?? console.error)(error);
  }
}

export class Emitter {
  #listeners = new Map();

  on(name, handler, context) {
    this.#add(name, handler, (event) => handler.call(context, event));
  }

  once(name, handler, context) {
    const entry = this.#add(name, handler, (event) => {
      this.#remove(name, (other) => other === entry);
      handler.call(context, event);
    });
  }

  off(name, handler) {
    this.#remove(name, (entry) => entry.handler === handler);
  }

  emit(name, data) {
    for (const { call } of [...(this.#listeners.get(name) ?? [])]) {
      report(() => call({ name, data }));
    }
  }

  removeAll() {
    this.#listeners.clear();
  }

  #add(name, handler, call) {
    const entry = { handler, call };
    if (typeof handler !== 'function') return entry;
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), entry]);
    return entry;
  }

  #remove(name, matches) {
    const left = (this.#listeners.get(name) ?? []).filter((entry) => !matches(entry));
    if (left.length) this.#listeners.set(name, left);
    else this.#listeners.delete(name);
  }
}
