// Waiting for what must become true.

const PATIENCE = 30_000;
const PAUSE = 10;
// The real ones, also where a test has replaced them.
const { setTimeout } = globalThis;
const now = performance.now.bind(performance);

/** Resolves with what `check` gives as soon as that is truthy; rejects with `what` when it never is. */
export async function until(what, check) {
  const start = now();
  for (;;) {
    const found = await check();
    if (found) return found;
    if (now() - start > PATIENCE) {
      throw new Error(`waited in vain: ${typeof what === 'function' ? what() : what}`);
    }
    await pause();
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE));

/** A promise with its two ends outside. */
export function deferred() {
  let resolve;
  let reject;
  const promise = new Promise((...ends) => ([resolve, reject] = ends));
  return { promise, resolve, reject };
}

/** How a promise stands: 'pending', 'resolved' or 'rejected'; kept up to date. */
export function watched(promise) {
  const state = { status: 'pending', value: undefined };
  promise.then(
    (value) => Object.assign(state, { status: 'resolved', value }),
    (value) => Object.assign(state, { status: 'rejected', value }),
  );
  return state;
}
