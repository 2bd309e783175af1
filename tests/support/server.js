// The real server: one process a caller, on a free port of this machine.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer as createNetServer } from 'node:net';
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { keep } from './children.js';
import { SERVER } from './paths.js';

const { Api } = createRequire(import.meta.url)('tls-sig-api-v2');

export const APP = 1_400_000_123;
export const SECRET = 'a-secret-that-only-the-tests-use';
export const ADMIN = 'administrator';

/** A UserSig as an app's backend makes it; not by our own code, which could be wrong in the same way twice. */
export function sign(userID, { app = APP, secret = SECRET, expire = 3600 } = {}) {
  return new Api(app, secret).genUserSig(userID, expire);
}

/**
 * Starts a server. With TEST_STORE=nodes it is two of them on a cluster, and connections go to one and the other in turn.
 *
 * @param {object} options
 * @param {number} [options.port] where to listen; a free port when omitted
 * @param {string} [options.data] the folder of its store; it keeps nothing when omitted
 * @param {string} [options.staticDir] a folder to serve beside the API
 * @param {string[]} [options.flags] more of its options
 */
export async function startServer({ port = 0, data, staticDir, flags = [] } = {}) {
  const more = [...(staticDir ? ['--static', staticDir] : []), ...flags];
  if (!process.env.TEST_REDIS) return startOne(port, [...(data ? ['--data', data] : ['--store', 'memory']), ...more]);
  // What was kept in a folder is found again by its name.
  const prefix = `${data ?? randomUUID()}:`;
  const store = ['--store', process.env.TEST_REDIS, '--redis-key-prefix', prefix];
  const nodes = await Promise.all([startOne(0, [...store, ...more]), startOne(0, [...store, ...more])]);
  const balancer = await startBalancer(port, nodes);
  const url = `http://127.0.0.1:${balancer.port}`;
  const both = (end) => async () => {
    await Promise.all(nodes.map(end));
    await balancer.close();
  };
  return {
    url,
    port: balancer.port,
    stop: both((node) => node.stop()),
    kill: both((node) => node.kill()),
    call: (command, body, identifier = ADMIN) => call(url, command, body, identifier),
  };
}

async function startOne(port, flags) {
  const args = ['--sdk-app-id', String(APP), '--admin', ADMIN, '--listen', `127.0.0.1:${port}`, ...flags];
  const child = spawn(SERVER, args, {
    env: { ...process.env, MESSAGE_EXTENSIONS_SECRET_KEY: SECRET, RUST_LOG: 'warn' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => (said = (said + text).slice(-4000)));
  const ended = keep(child, 'SIGKILL');

  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, 'line'),
    once(child, 'error').then(([error]) => Promise.reject(error)),
    ended.then((code) => Promise.reject(new Error(`the server ended with ${code}: ${said}`))),
  ]);
  const url = /^listening on (http:\/\/127\.0\.0\.1:(\d+))$/.exec(line);
  if (!url) throw new Error(`the server's first line is not what it should be: ${line}`);

  const signal = async (name) => {
    child.kill(name);
    await ended;
  };
  return {
    url: url[1],
    port: Number(url[2]),
    /** Ends it as an operator does. */
    stop: () => signal('SIGTERM'),
    /** Ends it as a power cut does. */
    kill: () => signal('SIGKILL'),
    /** One REST call; `identifier` is an admin when omitted. */
    call: (command, body, identifier = ADMIN) => call(url[1], command, body, identifier),
  };
}

/** Passes each connection on to the next node. */
async function startBalancer(port, nodes) {
  const sockets = new Set();
  let turn = 0;
  const front = createNetServer((socket) => {
    const onward = connect(nodes[turn++ % nodes.length].port, '127.0.0.1');
    socket.pipe(onward).pipe(socket);
    for (const [one, other] of [[socket, onward], [onward, socket]]) {
      sockets.add(one);
      one.on('error', () => {}).on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  front.listen(port, '127.0.0.1');
  await once(front, 'listening');
  return {
    port: front.address().port,
    async close() {
      front.close();
      sockets.forEach((socket) => socket.destroy());
      await once(front, 'close');
    },
  };
}

let random = 1;

async function call(url, command, body, identifier) {
  const query = new URLSearchParams({
    sdkappid: String(APP),
    identifier,
    usersig: sign(identifier),
    random: String(random++),
    contenttype: 'json',
  });
  const response = await fetch(`${url}/v4/${command}?${query}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  if (response.status !== 200) throw new Error(`${command} answered with HTTP ${response.status}`);
  return response.json();
}

/** The same, of a reply that must be OK. */
export async function must(reply) {
  const { ActionStatus, ErrorCode, ErrorInfo, ...rest } = await reply;
  if (ActionStatus !== 'OK' || ErrorCode !== 0) throw new Error(`${ErrorCode} ${ErrorInfo}`);
  return rest;
}
