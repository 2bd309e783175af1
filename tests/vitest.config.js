// Files run two at a time, each in a process of its own with its own server. Nothing waits for a fixed time: a test polls
// for what it expects (`support/wait.js`), and the limits here only end a run that hangs.

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['*.test.js'],
    environment: 'node',
    globalSetup: [fileURLToPath(new URL('support/cluster.js', import.meta.url))],
    pool: 'forks',
    maxWorkers: 2,
    // Node 20 has WebSocket behind a flag.
    execArgv: typeof WebSocket === 'undefined' ? ['--experimental-websocket'] : [],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
