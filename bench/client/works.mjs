// What is measured of a client, in Node and in pages alike.

import { KEYS, asked, keyOf } from './fake.mjs';

const [PUSHES, SETS, GETS, CACHED] = [2000, 2500, 1000, 300];

/**
 * @param {object} contender a module of this folder
 * @param {object} host
 * @param {() => number} host.now microseconds: of CPU where the host tells, else of time, nothing else being done
 * @param {() => Promise<number>} host.memory bytes that are in use, WebAssembly's included
 * @param {object} load how this host imports what is measured
 */
export async function measure(contender, host, load) {
  const begun = performance.now();
  const client = await contender.open(load);
  const ready = performance.now() - begun;

  await client.get(1);
  let heard = 0;
  let tell;
  client.listen(() => {
    heard += 1;
    tell?.();
  });
  /** The frames are made before the time begins. */
  function pushes(amount) {
    const frames = Array.from({ length: amount }, (_, n) => contender.change(1, keyOf((n % KEYS) + 1), `value-${n}`));
    return async () => {
      for (const frame of frames) {
        const before = heard;
        contender.deliver(frame);
        if (heard === before) await new Promise((resolve) => (tell = resolve));
      }
    };
  }
  const set = (amount) => async () => {
    for (let n = 0; n < amount; n += 1) await client.set(1, keyOf((n % KEYS) + 1), `value-${n}`);
  };
  const get = (amount) => async () => {
    for (let n = 0; n < amount; n += 1) await client.get(1);
  };

  const measured = { ready };
  measured.set = await each(host, set, SETS, 0);
  measured.push = await each(host, pushes, PUSHES, 200);
  const before = asked.requests;
  measured.get = await each(host, get, GETS, 100);
  measured.requests = (asked.requests - before) / (GETS + 100);
  const { data } = await client.get(1);
  if (data.extensions.length !== KEYS) throw new Error(`${data.extensions.length} keys`);

  const empty = await host.memory();
  for (let n = 2; n < CACHED + 2; n += 1) await client.get(n);
  measured.memory = ((await host.memory()) - empty) / CACHED / 1000;
  return measured;
}

/** Microseconds for one, after some that do not count. */
async function each(host, work, amount, first) {
  await work(first)();
  const all = work(amount);
  const begun = host.now();
  await all();
  return (host.now() - begun) / amount;
}

/** Counts the memory of every WebAssembly instance that is made from now on. */
export function watchWasm() {
  const memories = [];
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const original = WebAssembly[name];
    WebAssembly[name] = async (...args) => {
      const result = await original.apply(WebAssembly, args);
      memories.push(...Object.values((result.instance ?? result).exports).filter((item) => item instanceof WebAssembly.Memory));
      return result;
    };
  }
  return () => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0);
}
