// The bytes of connections, on a network that does to them what networks do: they come late, one by one, up to some byte
// only, or in one direction only. What the bytes say is not known here.

import { connect, createServer } from 'node:net';
import { once } from 'node:events';

/** What may become of one direction of a connection, and how often. */
const FLOWS = { whole: 60, late: 12, trickle: 6, stall: 8, cut: 6, reset: 3, swallow: 5 };
/** What befalls a connection at some moment, whatever it carries. */
const STROKES = { cut: 4, reset: 3, swallowUp: 2, swallowDown: 3, swallow: 4 };
/** Of all connections, those that are let in and never hear anything. */
const UNHEARD = 0.04;
/** Milliseconds between strokes, on average. */
const STROKE_EVERY = 400;

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** One direction of a connection. */
class Flow {
  isSwallowed = false;
  #plan = 'whole';
  #at;
  #passed = 0;
  #order = Promise.resolve();

  constructor(wire, from, to) {
    Object.assign(this, { wire, from, to });
    const { random } = wire;
    if (wire.isStruck()) this.#plan = random.weighed(FLOWS);
    // Within a request, within an answer, within a frame of a connection that has been there for a while.
    this.#at = random.below(2 ** (4 + random.below(10)));
    from.on('data', (bytes) => (this.#order = this.#order.then(() => this.#pass(bytes))));
    from.on('end', () => (this.#order = this.#order.then(() => this.isSwallowed || to.end())));
  }

  async #pass(bytes) {
    if (this.isSwallowed) return;
    const { wire } = this;
    const before = this.#at - this.#passed;
    this.#passed += bytes.length;
    if (this.#plan === 'whole' || wire.mode === 'healthy') return void this.to.write(bytes);
    if (this.#plan === 'late') {
      wire.count('late');
      await sleep(wire.random.below(80));
      return void this.to.write(bytes);
    }
    if (this.#plan === 'trickle') {
      wire.count('trickle');
      for (let i = 0; i < bytes.length; i += 1) {
        if (this.isSwallowed || this.to.destroyed) return;
        this.to.write(bytes.subarray(i, i + 1));
        if (wire.mode === 'faulty') await sleep(1);
      }
      return;
    }
    if (before >= bytes.length) return void this.to.write(bytes);
    const [sooner, later] = [bytes.subarray(0, before), bytes.subarray(before)];
    if (sooner.length) this.to.write(sooner);
    const plan = this.#plan;
    this.#plan = 'whole';
    wire.count(plan);
    if (plan === 'swallow') this.isSwallowed = true;
    else if (plan === 'cut') this.to.destroySoon();
    else if (plan === 'reset') this.to.resetAndDestroy();
    else {
      await sleep(wire.random.below(600));
      if (!this.isSwallowed) this.to.write(later);
    }
  }
}

/**
 * Listens, and passes every connection on to `port`.
 *
 * @param {number} port
 * @param {{random: object, count: (fault: string) => void}} given
 */
export async function startWire(port, { random, count }) {
  const connections = new Set();
  const wire = {
    random,
    count,
    mode: 'healthy',
    rate: 1,
    /** Whether a fault is to happen now, of those that happen. */
    isStruck: () => wire.mode === 'faulty' && random.chance(wire.rate),
    /** How many connections there were. */
    connections: 0,
    port: 0,
    /** How the network is: 'healthy'; 'faulty', with `rate` of all faults; 'refusing': nobody gets in; 'silent': nothing arrives. */
    set(mode, rate = 1) {
      Object.assign(wire, { mode, rate });
      // What a silent network has swallowed is gone, so those connections are dead, and nobody is told.
      if (mode === 'silent') connections.forEach((connection) => swallow(connection));
      if (mode === 'refusing') connections.forEach(({ client }) => client.destroy());
    },
    async close() {
      clearInterval(strokes);
      front.close();
      connections.forEach(({ client, server }) => (client.destroy(), server?.destroy()));
      await once(front, 'close');
    },
  };
  const swallow = ({ up, down }, directions = [up, down]) => directions.forEach((flow) => flow && (flow.isSwallowed = true));

  const front = createServer((client) => {
    wire.connections += 1;
    client.on('error', () => {});
    if (wire.mode === 'refusing') return void client.resetAndDestroy();
    const isUnheard = wire.mode === 'silent' || (wire.isStruck() && random.chance(UNHEARD));
    const connection = { client };
    connections.add(connection);
    client.on('close', () => {
      connections.delete(connection);
      connection.server?.destroy();
    });
    if (isUnheard) {
      count('unheard');
      return void client.resume();
    }
    const server = connect({ port, host: '127.0.0.1', noDelay: true });
    Object.assign(connection, { server, up: new Flow(wire, client, server), down: new Flow(wire, server, client) });
    client.setNoDelay(true);
    server.on('error', () => {}).on('close', () => {
      // Whoever does not hear of bytes does not hear of the end.
      if (!connection.down.isSwallowed) client.destroySoon();
    });
  });

  const strokes = setInterval(() => {
    if (!connections.size || !wire.isStruck()) return;
    const connection = random.pick([...connections]);
    const stroke = random.weighed(STROKES);
    count(stroke);
    if (stroke === 'cut') connection.client.destroy();
    else if (stroke === 'reset') connection.client.resetAndDestroy();
    else if (stroke === 'swallowUp') swallow(connection, [connection.up]);
    else if (stroke === 'swallowDown') swallow(connection, [connection.down]);
    else swallow(connection);
  }, STROKE_EVERY);

  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  wire.port = front.address().port;
  return wire;
}
