// Starting what is measured, and ending it.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const running = new Set();

/** None outlives this process. */
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

/** Whether a program can be started at all. */
export const has = (program) => !spawnSync(program, ['--version'], { stdio: 'ignore' }).error;

/** The first line that a program prints of itself. */
export const versionOf = (program, ...args) => spawnSync(program, args, { encoding: 'utf8' }).stdout?.trim().split('\n')[0];

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts a program that goes on. It is ready when its standard output matches `says`, or when something listens on `port`.
 *
 * @returns {Promise<{pid: number, port?: number, match?: RegExpExecArray, stop: () => Promise<void>}>}
 */
export async function start(program, args, { says, port, env, signal = 'SIGTERM' } = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const ended = once(child, 'exit').finally(() => running.delete(child));
  let complaint = '';
  child.stderr.on('data', (text) => (complaint = (complaint + text).slice(-2000)));
  const failed = ended.then(([code]) => Promise.reject(new Error(`${program} ended with ${code}: ${complaint}`)));
  failed.catch(() => {});
  const match = await Promise.race([failed, says ? line(child, says) : listens(port)]);
  child.stdout.resume();
  return {
    pid: child.pid,
    port,
    match,
    async stop() {
      child.kill(signal);
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(late);
    },
  };
}

async function line(child, says) {
  for await (const text of createInterface({ input: child.stdout })) {
    const match = says.exec(text);
    if (match) return match;
  }
  throw new Error('it has said nothing');
}

async function listens(port) {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isThere = await once(socket, 'connect').then(() => true, () => false);
    socket.destroy();
    if (isThere) return undefined;
    await sleep(20);
  }
}

/** Runs a program that ends by itself; what it prints is JSON, or text. */
export async function run(program, args, { input, env } = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  running.add(child);
  let [out, complaint] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  child.stderr.on('data', (text) => (complaint = (complaint + text).slice(-2000)));
  child.stdin.on('error', () => {}).end(input);
  const [code] = await once(child, 'close');
  running.delete(child);
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${complaint}`);
  return out;
}
