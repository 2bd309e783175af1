// How a server is talked to: REST calls and push connections, with the `fetch` and `WebSocket` of the runner.

const BUSY = 60007;
const PAUSE_MS = 200;

/** What a case learns by a failure: what was expected, and what came. */
export class Failure extends Error {}

/** One REST call. `url` has the parameters; one that is null is left out. */
export async function call(server, { path, url, method = 'POST', body }) {
  const query = new URLSearchParams(Object.entries(url).filter(([, value]) => value !== null));
  for (;;) {
    const request = { method, ...(method === 'GET' ? {} : { body }), signal: AbortSignal.timeout(server.patience) };
    const response = await server.fetch(`${server.url}/v4/${path}?${query}`, request);
    if (response.status !== 200) throw new Failure(`HTTP status: expected 200, got ${response.status}`);
    const text = await response.text();
    let answer;
    try {
      answer = JSON.parse(text);
    } catch {
      throw new Failure(`the answer: expected JSON, got ${text.slice(0, 200)}`);
    }
    if (answer?.ErrorCode !== BUSY) return answer;
    // The pack is faster than people; how often one may call is not its subject.
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** A push connection. What has come waits until a case asks for it: events apart from other frames. */
export class Push {
  #socket;
  #events = [];
  #frames = [];
  #wake = () => {};
  #patience;
  /** The close code, once it is closed. */
  closed;

  constructor(server, url) {
    const query = new URLSearchParams(url ?? {});
    this.#patience = server.patience;
    this.#socket = new server.WebSocket(`${server.push}${url ? `?${query}` : ''}`);
    this.#socket.binaryType = 'arraybuffer';
    this.opened = new Promise((resolve, reject) => {
      this.#socket.addEventListener('open', resolve);
      this.#socket.addEventListener('error', () => reject(new Failure(`no WebSocket at ${server.push}`)));
    });
    this.opened.catch(() => {});
    this.#socket.addEventListener('message', ({ data }) => this.#take(data));
    this.#socket.addEventListener('close', ({ code }) => {
      this.closed = code;
      this.#wake();
    });
  }

  #take(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      frame = { 'not JSON': String(data).slice(0, 200) };
    }
    if (frame.Type === 'push' && Array.isArray(frame.Events)) this.#events.push(...frame.Events);
    else this.#frames.push(frame);
    this.#wake();
  }

  send(data) {
    this.#socket.send(data);
  }

  event() {
    return this.#next(() => this.#events.shift(), 'an event');
  }

  frame() {
    return this.#next(() => this.#frames.shift(), 'a frame');
  }

  /** Resolves with the close code. */
  end() {
    return this.#next(() => this.closed, 'a close', true);
  }

  async #next(take, what, mayBeClosed = false) {
    const late = Date.now() + this.#patience;
    for (;;) {
      const found = take();
      if (found !== undefined) return found;
      if (this.closed !== undefined && !mayBeClosed) throw new Failure(`expected ${what}, but the connection was closed with ${this.closed}`);
      if (Date.now() >= late) throw new Failure(`expected ${what}, but none came within ${this.#patience} ms`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, late - Date.now());
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  close() {
    this.#socket.close();
  }
}
