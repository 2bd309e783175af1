// A client in a page of its own; posts what was measured to where the page came from.

import { measure, watchWasm } from './works.mjs';

const post = globalThis.fetch.bind(globalThis);
const wasmBytes = watchWasm();
const host = {
  now: () => performance.now() * 1000,
  async memory() {
    for (let n = 0; n < 2; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      globalThis.gc();
    }
    return performance.memory.usedJSHeapSize + wasmBytes();
  },
};

const load = {
  ours: () => import('/package/index.js'),
  wasm: () => post('/package/message_extensions_bg.wasm'),
  vendor: async () => {
    const modules = ['basic', 'plugins/message-enhancer'].map((name) => import(`/vendor/lite-chat/${name}.es.js`));
    return (await Promise.all(modules)).map((module) => module.default);
  },
};

async function run() {
  const contender = await import(`./${new URLSearchParams(location.search).get('contender')}.mjs`);
  return measure(contender, host, load);
}

const result = await run().catch((error) => ({ error: `${error?.message ?? error}` }));
await post('/result', { method: 'POST', body: JSON.stringify(result) });
