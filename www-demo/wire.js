// This page's wire: `fetch` and `WebSocket`, wrapped before the package uses them. So the inspector sees what crosses, and
// "go offline" really cuts: requests fail, sockets break, an answer on its way is lost. The package knows nothing of it.

import { describeFrame, describeReply, describeRequest } from './describe.js';

/** @typedef {import('./describe.js').Described & {direction: 'out' | 'in', time: number, bytes: number, ms?: number}} Packet */

const { fetch: realFetch, WebSocket: RealWebSocket } = window;
const measure = new TextEncoder();

/** Long enough to see that a write is under way, milliseconds. */
const SLOW = 2000;

/** Aborted when the wire is cut; another one when it is whole again. */
let line = new AbortController();
/** @type {Set<WatchedSocket>} */
const sockets = new Set();
/** @type {(packet: Packet) => void} */
let tell = () => {};

export const wire = {
  /** Whether requests take their time. */
  isSlow: false,
  get isCut() {
    return line.signal.aborted;
  },
  cut() {
    line.abort();
    for (const socket of sockets) socket.break();
  },
  mend() {
    line = new AbortController();
    // As a browser does; the package need not wait for its next attempt.
    dispatchEvent(new Event('online'));
  },
  /** @param {(packet: Packet) => void} listener */
  onPacket: (listener) => (tell = listener),
};

/**
 * @param {Packet['direction']} direction
 * @param {string} text what crosses
 * @param {import('./describe.js').Described | null} described
 * @param {number} [ms]
 */
function show(direction, text, described, ms) {
  if (described) tell({ ...described, direction, time: Date.now(), bytes: measure.encode(text).length, ...(ms === undefined ? {} : { ms }) });
}

window.fetch = async (input, init) => {
  const request = new Request(input, init);
  const { pathname } = new URL(request.url);
  // The page itself and the package's files are not what the demo is about.
  if (!pathname.startsWith('/v4/')) return realFetch(input, init);
  const { signal } = line;
  const body = await request.clone().text();
  if (signal.aborted) throw new TypeError('the wire is cut');
  const command = pathname.slice(pathname.lastIndexOf('/') + 1);
  show('out', body, describeRequest(command, body));
  const start = performance.now();
  if (wire.isSlow) await new Promise((resolve) => setTimeout(resolve, SLOW));
  const response = await realFetch(request, { signal: AbortSignal.any([request.signal, signal]) });
  const text = await response.clone().text();
  show('in', text, describeReply(command, text), performance.now() - start);
  return response;
};

class WatchedSocket extends RealWebSocket {
  /** @param {ConstructorParameters<typeof WebSocket>} args */
  constructor(...args) {
    super(...args);
    sockets.add(this);
    this.addEventListener('message', ({ data }) => show('in', data, describeFrame(data)));
    this.addEventListener('close', () => sockets.delete(this));
  }

  /** @param {string} text */
  send(text) {
    show('out', text, describeFrame(text));
    super.send(text);
  }

  /** As when the network goes: nothing more arrives, and there is no goodbye. */
  break() {
    const { onclose } = this;
    this.onopen = this.onmessage = this.onclose = null;
    this.close();
    sockets.delete(this);
    onclose?.call(this, new CloseEvent('close', { code: 1006 }));
  }
}

/** What one gets without network: a socket that never opens. */
class DeadSocket extends EventTarget {
  /** @type {((event: CloseEvent) => void) | null} */
  onclose = null;

  constructor() {
    super();
    setTimeout(() => this.onclose?.(new CloseEvent('close', { code: 1006 })));
  }

  close() {
    this.onclose = null;
  }
}

window.WebSocket = /** @type {typeof WebSocket} */ (
  new Proxy(WatchedSocket, {
    construct: (Target, args) => (wire.isCut ? new DeadSocket() : Reflect.construct(Target, args)),
  })
);
