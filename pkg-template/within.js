// Waiting for the browser, but not for ever.

export const LATE = new Error('no answer in time');

/** What a promise resolves with; rejects with `LATE` when it is late. */
export function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(LATE), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
