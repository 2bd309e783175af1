// `node --expose-gc node.mjs CONTENDER`: a client in a process of its own; prints one line of JSON.

import { readFile } from 'node:fs/promises';
import { measure, watchWasm } from './works.mjs';

const contender = await import(`./${process.argv[2]}.mjs`);
const wasmBytes = watchWasm();
const host = {
  now() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  async memory() {
    // Twice: what the first frees may hold something that the second can free.
    for (let n = 0; n < 2; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      globalThis.gc();
    }
    return process.memoryUsage().heapUsed + wasmBytes();
  },
};
const load = {
  ours: () => import('message-extensions'),
  wasm: () => readFile(new URL(import.meta.resolve('message-extensions/wasm'))),
  vendor: async () => {
    const modules = [import('@tencentcloud/lite-chat/basic'), import('@tencentcloud/lite-chat/plugins/message-enhancer')];
    return (await Promise.all(modules)).map((module) => module.default);
  },
};
const print = console.log;
console.log = console.info = console.warn = console.debug = console.error = () => {};
print(JSON.stringify(await measure(contender, host, load)));
process.exit(0);
