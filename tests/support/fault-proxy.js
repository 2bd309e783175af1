// A bad network between one user and the server. Bytes are made late, cut and swallowed by `fault-wire.js`; here requests
// and their answers are, as by the proxies, load balancers and routers on the way: a request that arrives twice, one that was done but
// whose answer nobody gets, an error page in place of an answer. One port for HTTP and WebSocket.

import http from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { startWire } from './fault-wire.js';

/** What may become of a request, and how often. */
const REQUESTS = {
  nothing: 75,
  cutBefore: 3,
  cutAfter: 4,
  cutWithin: 3,
  truncated: 2,
  neverArrives: 2,
  neverAnswered: 3,
  errorBefore: 4,
  errorAfter: 3,
  twiceFirst: 5,
  twiceSecond: 4,
  late: 4,
  lateAnswer: 3,
};
/** Of the upgrades of push connections, those that are answered with an error. */
const NO_UPGRADE = 0.1;
/** The longest that something is late, milliseconds: longer than a client waits for an answer before it asks again. */
const LATE = 800;

const PAGE = '<html><head><title>Error</title></head><body><center><h1>Error</h1></center></body></html>';
const ERRORS = [
  [502, 'text/html', PAGE],
  [503, 'text/plain', ''],
  [503, 'application/json', '{"message":"no healthy upstream"}'],
  [504, 'text/html', PAGE],
  [429, 'text/html', PAGE, { 'retry-after': '1' }],
  [429, 'application/json', '{"error":"slow down"}', { 'retry-after': '30' }],
];
/** What keeps a write's answer: so many of one user on one message. */
const REMEMBERED = 8;

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * @param {{port: number}} server
 * @param {object} given
 * @param {object} given.random see `pages/seeded.js`
 * @param {Map<string, number>} given.counts how often each fault has happened; shared with others
 * @param {object} [given.plant] until `unplant`, what no network does, so that the checks can be seen to find it: `instead(entry)` answers in
 *   place of the server, `answer(entry, json)` alters what it answers, `frame(json)` what it pushes, `also(entry, json)` is a
 *   request more that follows one that was answered
 */
export async function startFaultProxy(server, { random, counts, plant = {} }) {
  const count = (fault) => counts.set(fault, (counts.get(fault) ?? 0) + 1);
  const sent = [];
  let underway = 0;
  const proxy = {
    url: '',
    requests: 0,
    upgrades: 0,
    /** Values, and keys to be cleared, of writes that came again when the server need not know them any more. */
    tooLate: [],
    get connections() {
      return wire.connections;
    },
    /** Whether nothing is on its way to the server any more. */
    isIdle: () => underway === 0,
    unplant: () => (plant = {}),
    /** How the network is, see `fault-wire.js`. */
    set: (mode, rate) => wire.set(mode, rate),
    async close() {
      await wire.close();
      inner.close();
      inner.closeAllConnections();
      await once(inner, 'close');
    },
  };

  /** Passes a request on; what the server answers, nothing when there is none. */
  async function forward(entry, body = entry.body, path = entry.path) {
    remember(entry);
    underway += 1;
    try {
      return await new Promise((resolve) => {
        const request = http.request({ host: '127.0.0.1', port: server.port, method: entry.method, path, headers: entry.headers, agent: false });
        request.on('error', () => resolve()).on('response', async (answer) => {
          const text = await read(answer).catch(() => undefined);
          if (text === undefined) return resolve();
          const { 'transfer-encoding': _, connection: __, ...headers } = answer.headers;
          resolve({ status: answer.statusCode, headers, text });
        });
        request.end(body);
      });
    } finally {
      underway -= 1;
    }
  }

  /** A write that comes once more, after as many others of its user as the server remembers, is a new one to it. */
  function remember({ requestid, body }) {
    if (!requestid) return;
    const first = sent.indexOf(requestid);
    sent.push(requestid);
    if (first < 0 || new Set(sent.slice(first)).size <= REMEMBERED) return;
    const { ExtensionList = [{ Key: '', Value: '' }] } = JSON.parse(body);
    proxy.tooLate.push(...ExtensionList.map(({ Key, Value = '' }) => ({ key: Key, value: Value })));
  }

  async function later(work) {
    underway += 1;
    try {
      await sleep(random.below(LATE));
      return await work();
    } finally {
      underway -= 1;
    }
  }

  async function answerTo(entry) {
    if (plant.instead) {
      const json = plant.instead(entry);
      if (json) return { status: 200, headers: { 'access-control-allow-origin': '*', 'content-type': 'application/json' }, text: JSON.stringify(json) };
    }
    const answer = await forward(entry);
    if (!answer || !entry.command || entry.method !== 'POST') return answer;
    const json = () => JSON.parse(answer.text);
    const altered = plant.answer?.(entry, json());
    if (altered) answer.text = JSON.stringify(altered);
    const more = plant.also?.(entry, json());
    if (more) later(() => forward(entry, JSON.stringify(more), entry.path.replace(/requestid=\w{8}/, 'requestid=00000000')));
    return answer;
  }

  const inner = http.createServer(async (request, response) => {
    const { socket } = request;
    const body = await read(request).catch(() => undefined);
    if (body === undefined) return;
    proxy.requests += 1;
    const { searchParams, pathname } = new URL(request.url, 'http://proxy');
    const { host: _, ...headers } = request.headers;
    const entry = { command: pathname.split('/').at(-1), requestid: searchParams.get('requestid'), method: request.method, path: request.url, headers, body };
    const fault = wire.isStruck() ? random.weighed(REQUESTS) : 'nothing';
    if (fault !== 'nothing') count(fault);

    const cut = () => (random.chance(0.5) ? socket.destroy() : socket.resetAndDestroy());
    const send = (answer) => {
      if (!answer) return cut();
      const { 'content-length': _, ...headers } = answer.headers;
      response.writeHead(answer.status, { ...headers, 'content-length': Buffer.byteLength(answer.text) }).end(answer.text);
    };
    const sendError = () => {
      const [status, type, text, more] = random.pick(ERRORS);
      // Some know of other origins, most do not.
      const cors = random.chance(0.5) ? { 'access-control-allow-origin': '*' } : {};
      send({ status, headers: { 'content-type': type, ...cors, ...more }, text });
    };

    if (fault === 'cutBefore') return cut();
    if (fault === 'neverArrives') return;
    if (fault === 'errorBefore') return sendError();
    if (fault === 'late') return later(async () => send(await answerTo(entry)));
    const answer = await answerTo(entry);
    if (!answer) return fault === 'nothing' && random.chance(0.5) ? sendError() : cut();
    switch (fault) {
      case 'cutAfter':
        return cut();
      case 'cutWithin':
        response.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(answer.text) });
        response.write(answer.text.slice(0, random.below(answer.text.length)));
        return setTimeout(cut, random.below(20));
      case 'truncated':
        return send({ ...answer, text: answer.text.slice(0, random.below(answer.text.length)) });
      case 'neverAnswered':
        return;
      case 'errorAfter':
        return sendError();
      case 'lateAnswer':
        return later(() => send(answer));
      case 'twiceFirst':
        later(() => forward(entry));
        return send(answer);
      case 'twiceSecond':
        return later(async () => send(await forward(entry)));
      default:
        return send(answer);
    }
  });
  inner.on('clientError', (_, socket) => socket.destroy());

  inner.on('upgrade', (request, socket, head) => {
    proxy.upgrades += 1;
    socket.on('error', () => {});
    if (wire.isStruck() && random.chance(NO_UPGRADE)) {
      count('noUpgrade');
      return socket.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    }
    const onward = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
    const lines = [`GET ${request.url} HTTP/1.1`];
    for (let i = 0; i < request.rawHeaders.length; i += 2) lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
    onward.write(`${lines.join('\r\n')}\r\n\r\n`);
    onward.write(head);
    socket.pipe(onward);
    if (plant.frame) onward.on('data', alteredFrames((json) => (plant.frame ? plant.frame(json) : json), (bytes) => socket.writable && socket.write(bytes)));
    else onward.pipe(socket);
    onward.on('error', () => {}).on('close', () => socket.destroySoon());
    socket.on('close', () => onward.destroy());
  });

  inner.listen(0, '127.0.0.1');
  await once(inner, 'listening');
  const wire = await startWire(inner.address().port, { random, count });
  proxy.url = `http://127.0.0.1:${wire.port}`;
  return proxy;
}

async function read(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** Reads what a server sends on a WebSocket, after the head of its answer; each frame goes on as `alter` gives its JSON, or not. */
function alteredFrames(alter, send) {
  let rest = Buffer.alloc(0);
  let isHead = true;
  return (part) => {
    rest = Buffer.concat([rest, part]);
    if (isHead) {
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) return;
      send(rest.subarray(0, end + 4));
      rest = rest.subarray(end + 4);
      isHead = false;
    }
    for (;;) {
      if (rest.length < 2) return;
      const short = rest[1];
      const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
      if (rest.length < 2 + lengthBytes) return;
      const length = lengthBytes ? Number(BigInt(`0x${rest.toString('hex', 2, 2 + lengthBytes)}`)) : short;
      const end = 2 + lengthBytes + length;
      if (rest.length < end) return;
      const frame = rest.subarray(0, end);
      rest = rest.subarray(end);
      if (frame[0] !== 0x81) {
        send(frame);
        continue;
      }
      const json = alter(JSON.parse(frame.toString('utf8', 2 + lengthBytes)));
      if (json) send(textFrame(JSON.stringify(json)));
    }
  };
}

function textFrame(text) {
  const payload = Buffer.from(text);
  const head = payload.length < 126 ? Buffer.from([0x81, payload.length]) : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, payload]);
}
