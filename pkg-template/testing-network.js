// A network inside the page: as much of `fetch` and `WebSocket` as the client uses, with the delays and failures that a test
// asks for. Timers are those of the moment, so fake ones work; without a delay there are none at all.

/** Networks by the host in a client's URLs. */
const networks = new Map();
/** Who wants to hear that the network is back. */
const listeners = new Map();

const FAILED = 1006;
const NO_STATUS = 1005;

/** A network with one server at its end: `call(request)`, `opened`, `said` and `closed`, of connections by number. */
export class Network {
  /** Whether clients that come later are. */
  isOnline = true;
  #delay;
  #server;
  #hasEnded = false;
  #underway = 0;
  #settled = [];
  #timers = new Set();
  #sockets = new Map();
  #lines = new Map();
  #lastConnection = 0;

  /** `delay()`: the milliseconds that something is on its way, in one direction. */
  constructor(delay, server) {
    this.#delay = delay;
    this.#server = server;
    this.host = `${crypto.getRandomValues(new Uint32Array(2)).join('-')}.test`;
    networks.set(this.host, this);
  }

  /** A line for one client: the lowest number that is free, so that who comes after another one has their place. */
  line() {
    let number = 1;
    while (this.#lines.has(number)) number += 1;
    const line = { number, url: `http://${this.host}/${number}`, isOnline: this.isOnline, open: new Set() };
    this.#lines.set(number, line);
    return line;
  }

  lineAt(number) {
    return this.#lines.get(number);
  }

  /** What was sent on it is answered to nobody. */
  release(line) {
    this.#cut(line);
    this.#lines.delete(line.number);
  }

  setOnline(line, isOnline) {
    line.isOnline = isOnline;
    if (!isOnline) this.#cut(line);
  }

  /** Has the server answer and speak. */
  deliver({ frames, closed }) {
    for (const [connection, data] of frames) this.#toClient(connection, (socket) => socket.hear(data));
    for (const [connection, code] of closed) this.#toClient(connection, (socket) => socket.end(code));
  }

  /** Resolves when nothing is on its way any more. */
  settled() {
    return this.#underway ? new Promise((resolve) => this.#settled.push(resolve)) : Promise.resolve();
  }

  get isBusy() {
    return this.#underway > 0;
  }

  /** Nothing arrives any more. */
  end() {
    this.#hasEnded = true;
    networks.delete(this.host);
    for (const line of this.#lines.values()) this.#cut(line);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#underway = 0;
    for (const resolve of this.#settled.splice(0)) resolve();
  }

  // ------------------------------------------------------------------------------------------------------- for the client

  fetch(line, request) {
    return new Promise((resolve, reject) => {
      const trip = { cut: () => finish(() => reject(new TypeError('Failed to fetch'))) };
      const abort = () => finish(() => reject(request.signal.reason ?? new Error('aborted')));
      const finish = (settle) => {
        if (!line.open.delete(trip)) return;
        request.signal?.removeEventListener('abort', abort);
        settle();
      };
      line.open.add(trip);
      // Given up before it has left.
      if (request.signal?.aborted) return abort();
      request.signal?.addEventListener('abort', abort);
      if (!line.isOnline) return void this.#travel(trip.cut, 0);
      this.#travel(() => {
        if (!line.open.has(trip)) return;
        const { answer, isLost } = this.#server.call(request);
        this.#travel(() => (isLost ? trip.cut() : finish(() => resolve(new Response(answer)))));
      });
    });
  }

  connect(line, socket) {
    const connection = (this.#lastConnection += 1);
    const wire = { connection, queue: [], cut: () => this.#travel(() => this.#hangUp(line, wire, socket, FAILED), 0) };
    line.open.add(wire);
    if (!line.isOnline) {
      wire.cut();
      return wire;
    }
    this.#travel(() => {
      if (!line.open.has(wire)) return;
      this.#sockets.set(connection, { socket, wire, line, queue: [] });
      this.#server.opened(connection);
      this.#toClient(connection, (open) => open.begin());
    });
    return wire;
  }

  say(wire, text) {
    this.#inOrder(wire, () => this.#sockets.has(wire.connection) && this.#server.said(wire.connection, text));
  }

  hangUp(line, wire, socket) {
    this.#inOrder(wire, () => this.#hangUp(line, wire, socket, NO_STATUS));
  }

  // ------------------------------------------------------------------------------------------------------------- on its way

  #hangUp(line, wire, socket, code) {
    line.open.delete(wire);
    if (this.#sockets.delete(wire.connection)) this.#server.closed(wire.connection);
    socket.end(code);
  }

  #cut(line) {
    for (const open of [...line.open]) open.cut();
  }

  #toClient(connection, tell) {
    const entry = this.#sockets.get(connection);
    if (!entry) return;
    this.#inOrder(entry, () => {
      if (this.#sockets.get(connection) !== entry) return;
      tell(entry.socket);
      if (!entry.socket.isOpen) {
        this.#sockets.delete(connection);
        entry.line.open.delete(entry.wire);
      }
    });
  }

  /** Behind what was sent on the same `way` before, however long each takes. No clock is asked, since tests change it. */
  #inOrder({ queue }, arrive) {
    const item = { arrive, isThere: false };
    queue.push(item);
    this.#travel(() => {
      item.isThere = true;
      while (queue[0]?.isThere) queue.shift().arrive();
    });
  }

  #travel(arrive, delay = this.#delay()) {
    this.#underway += 1;
    let timer;
    const end = () => {
      if (this.#hasEnded) return;
      this.#timers.delete(timer);
      arrive();
      // What comes of it is on its way by now.
      if ((this.#underway -= 1) <= 0) for (const resolve of this.#settled.splice(0)) resolve();
    };
    if (delay > 0) this.#timers.add((timer = setTimeout(end, delay)));
    else Promise.resolve().then(end);
  }
}

function lineOf(url) {
  const { host, pathname } = new URL(url);
  const network = networks.get(host);
  const line = network?.lineAt(Number(pathname.split('/')[1]));
  return line && { network, line };
}

// ------------------------------------------------------------------------------- what stands in the place of the page's own

export class Request {
  constructor(url, { method = 'GET', body = '', signal } = {}) {
    Object.assign(this, { url, method, body, signal });
  }
}

export class Response {
  #text;

  constructor(text) {
    this.#text = text;
  }

  async text() {
    return this.#text;
  }
}

export async function fetch(request) {
  const { network, line } = lineOf(request.url) ?? {};
  if (!line) throw new TypeError('Failed to fetch');
  return network.fetch(line, request);
}

export class WebSocket {
  onopen = null;
  onmessage = null;
  onclose = null;
  isOpen = true;
  #network;
  #line;
  #wire;

  constructor(url) {
    const { network, line } = lineOf(url) ?? {};
    this.#network = network;
    this.#line = line;
    if (line) this.#wire = network.connect(line, this);
    else Promise.resolve().then(() => this.end(FAILED));
  }

  send(text) {
    if (this.isOpen) this.#network.say(this.#wire, text);
  }

  close() {
    if (this.isOpen && this.#line) this.#network.hangUp(this.#line, this.#wire, this);
  }

  begin() {
    this.onopen?.({ type: 'open' });
  }

  hear(data) {
    if (this.isOpen) this.onmessage?.({ type: 'message', data });
  }

  end(code) {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.onclose?.({ type: 'close', code });
  }
}

/** The page's own events go on, too. */
const page = globalThis;

export function addNetworkListener(name, listener) {
  listeners.set(listener, name);
  page.addEventListener?.(name, listener);
}

export function removeNetworkListener(name, listener) {
  listeners.delete(listener);
  page.removeEventListener?.(name, listener);
}

/** As a page is told when its network is back. */
export function announceOnline() {
  for (const [listener, name] of [...listeners]) if (name === 'online') listener({ type: 'online' });
}
