// With TEST_STORE=nodes every server of the tests is two of them on one Redis cluster, which this starts for the whole run.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { inCheckout } from './paths.js';

/** Nobody is taken for dead who only had to wait for the machine. */
const OPTIONS = '--cluster-enabled yes --cluster-node-timeout 15000';

/** Called by vitest, once; what it gives back is called at the end. */
export async function setup() {
  if (process.env.TEST_STORE !== 'nodes') return;
  const ports = [];
  while (ports.length < 6) {
    const port = 20_000 + Math.floor(Math.random() * 30_000);
    // The servers talk to each other on ports 10,000 above.
    if (!ports.includes(port) && (await isFree(port)) && (await isFree(port + 10_000))) ports.push(port);
  }
  const script = inCheckout('tests/support/redis-servers.sh');
  const shell = spawn('bash', [script, ...ports], { env: { ...process.env, OPTIONS, CLUSTER: 'yes' }, stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: shell.stdout }), 'line');
  if (!line.startsWith('ready')) throw new Error(`the cluster did not start: ${line}`);
  process.env.TEST_REDIS = `redis://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
  return async () => {
    shell.stdin.end();
    await once(shell, 'exit');
  };
}

async function isFree(port) {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
