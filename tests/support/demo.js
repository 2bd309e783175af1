// The demo as a person starts it.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { keep } from './children.js';
import { XTASK } from './paths.js';

/** Builds and serves the demo on a free port; resolves when it says where. */
export async function startDemo() {
  const child = spawn(XTASK, ['demo', '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = keep(child, 'SIGTERM');
  let said = '';
  const say = (text) => (said = (said + text).slice(-4000));
  child.stderr.on('data', say);
  child.on('error', say);
  for await (const line of createInterface({ input: child.stdout })) {
    say(`${line}\n`);
    const url = /^demo: (http:\/\/127\.0\.0\.1:\d+\/)$/.exec(line)?.[1];
    if (url) {
      child.stdout.resume();
      return {
        url,
        /** Resolves with its exit code. */
        stop() {
          child.kill('SIGTERM');
          return ended;
        },
      };
    }
  }
  throw new Error(`cargo xtask demo ended: ${said}`);
}
