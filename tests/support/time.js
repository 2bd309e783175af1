// Time that passes for the client only, so that nobody waits for it.

import { vi } from 'vitest';
import { until } from './wait.js';

/** In real time: what has arrived is read. */
const PAUSE = 5;
const { fetch, setTimeout, WebSocket } = globalThis;

/** From here on the client's clock stands still; `vi.useRealTimers` undoes it. */
export function stopTime() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
}

/** Lets so many milliseconds pass at once, whatever is on its way. */
export const jump = (milliseconds) => vi.advanceTimersByTimeAsync(milliseconds);

/**
 * Lets time pass from one timer to the next until `isOver`; in between the network, which takes no time, has answered
 * every request, and opened or turned away every socket. Gives how many milliseconds passed.
 */
export async function pass(isOver) {
  const start = performance.now();
  let underway = 0;
  globalThis.fetch = (...request) => {
    underway += 1;
    const answer = fetch(...request);
    answer.catch(() => {}).finally(() => (underway -= 1));
    return answer;
  };
  globalThis.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      underway += 1;
      let hasEnded = false;
      const end = () => {
        if (!hasEnded) underway -= 1;
        hasEnded = true;
      };
      for (const name of ['open', 'error', 'close']) this.addEventListener(name, end);
    }
  };
  try {
    while (!isOver()) {
      await vi.advanceTimersToNextTimerAsync();
      await until('a request is still under way', () => underway === 0);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  } finally {
    Object.assign(globalThis, { fetch, WebSocket });
  }
  return performance.now() - start;
}
