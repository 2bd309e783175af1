// Programs that the tests start end with the test file, however that ends.

import { afterAll } from 'vitest';

/** Those that run, with the signal that ends them. */
const running = new Map();

const endAll = () => running.forEach((signal, child) => child.kill(signal));

/** Ends `child` by `signal` when nobody else has. Gives a promise of its exit code. */
export function keep(child, signal) {
  running.set(child, signal);
  return new Promise((resolve) => {
    child.once('exit', (code) => {
      running.delete(child);
      resolve(code);
    });
  });
}

process.once('exit', endAll);
// So a runner ends a process with which it has no more patience; alone, that would leave the children running.
process.once('SIGTERM', () => {
  endAll();
  process.kill(process.pid, 'SIGTERM');
});
afterAll(endAll);
