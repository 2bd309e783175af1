// Between a client and the server: counts what passes, and can be a bad network.

import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';
import { deferred } from './wait.js';

/** What `treat` may answer about a request. */
export const HOLD = Symbol('never answered');
export const CUT = Symbol('the connection breaks');

/** @param {{port: number}} server */
export async function startGateway(server) {
  const sockets = new Set();
  const pushSockets = new Set();
  const requests = [];
  const upgrades = [];
  const frames = [];
  let pushHeld;
  let opened;
  const gateway = {
    url: '',
    /** Every request so far: {command, body}. Upgrades to the push connection are in `upgrades`. */
    requests,
    upgrades,
    /** Every frame that a client has sent on its push connection, as {Type, …}. */
    frames,
    /** The requests of a command. */
    of: (command) => requests.filter((request) => request.command === command),
    /** `(request) => undefined | HOLD | CUT | string`: passes it on, never answers, breaks, answers with a text. */
    treat: () => undefined,
    /** The same, for what the server has answered: CUT loses it, a promise holds it back. */
    treatAnswer: () => undefined,
    /** Whether anybody is let in; who is not is turned away at once. */
    isOpen: true,
    /** Whether the push connection is answered as by a proxy that knows no WebSocket. */
    refuseUpgrades: false,
    /** Whether the endpoint knows of push at all. */
    hasPush: true,
    /** Breaks every connection that there is. */
    cut: () => sockets.forEach((socket) => socket.destroy()),
    /** Breaks the push connections, and nothing else. */
    cutPush: () => pushSockets.forEach((socket) => socket.destroy()),
    /** Keeps back what the server sends on push connections, until the function that it gives is called. */
    holdPush() {
      const { promise, resolve } = deferred();
      pushHeld = promise;
      return resolve;
    },
    /** Breaks every connection, and lets new push connections wait until the function that it gives is called. */
    shut() {
      const { promise, resolve } = deferred();
      opened = promise;
      gateway.cut();
      return resolve;
    },
    async close() {
      front.close();
      gateway.cut();
      await once(front, 'close');
    },
  };

  const front = http.createServer(async (request, response) => {
    const url = new URL(request.url, 'http://gateway');
    const body = await read(request);
    const entry = { command: url.pathname.replace(/^\/v4\//, ''), url, body };
    requests.push(entry);
    if (entry.command === 'push' && !gateway.hasPush) return response.writeHead(404).end();
    const treatment = gateway.treat(entry);
    if (treatment === HOLD) return;
    if (treatment === CUT) return request.socket.destroy();
    if (typeof treatment === 'string') return response.end(treatment);
    const { host: _, ...headers } = request.headers;
    const onward = http.request({ host: '127.0.0.1', port: server.port, method: request.method, path: request.url, headers });
    onward.on('response', async (answer) => {
      if ((await gateway.treatAnswer(entry)) === CUT) return request.socket.destroy();
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => request.socket.destroy());
    onward.end(body);
  });
  front.on('connection', (socket) => {
    if (!gateway.isOpen) return socket.destroy();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  front.on('upgrade', async (request, socket, head) => {
    upgrades.push(request.url);
    const refusal = gateway.refuseUpgrades ? '502 Bad Gateway' : gateway.hasPush ? undefined : '404 Not Found';
    if (refusal) return socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    await opened;
    const onward = net.connect(server.port, '127.0.0.1');
    const lines = [`GET ${request.url} HTTP/1.1`];
    for (let i = 0; i < request.rawHeaders.length; i += 2) lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
    onward.write(`${lines.join('\r\n')}\r\n\r\n`);
    onward.write(head);
    let order = Promise.resolve();
    onward.on('data', (part) => {
      order = order.then(() => pushHeld).then(() => socket.writable && socket.write(part));
    });
    socket.pipe(onward);
    socket.on('data', frameReader((frame) => frames.push(frame)));
    onward.on('error', () => {}).on('close', () => order.then(() => socket.destroy()));
    pushSockets.add(socket);
    socket.on('close', () => {
      pushSockets.delete(socket);
      onward.destroy();
    });
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  gateway.url = `http://127.0.0.1:${front.address().port}`;
  return gateway;
}

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** Reads what a client sends on a WebSocket, part by part; `tell` gets the object of every text frame. */
function frameReader(tell) {
  let rest = Buffer.alloc(0);
  return (part) => {
    rest = Buffer.concat([rest, part]);
    for (;;) {
      if (rest.length < 2) return;
      const short = rest[1] & 0x7f;
      const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
      // A client's frames are masked.
      const start = 2 + lengthBytes + 4;
      if (rest.length < start) return;
      const length = lengthBytes ? Number(BigInt(`0x${rest.toString('hex', 2, 2 + lengthBytes)}`)) : short;
      if (rest.length < start + length) return;
      const mask = rest.subarray(start - 4, start);
      const payload = rest.subarray(start, start + length).map((byte, i) => byte ^ mask[i % 4]);
      if ((rest[0] & 0x0f) === 1) tell(JSON.parse(Buffer.from(payload).toString()));
      rest = rest.subarray(start + length);
    }
  };
}
