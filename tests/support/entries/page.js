// A page, or a worker, that imports the entry which its URL names. `window.entry` and messages do the same.

import * as uses from './vote.js';

const sdk = await import(`../message-extensions/${new URL(import.meta.url).searchParams.get('entry')}.js`);
const use = (name, options) => uses[name](sdk, options);

if (globalThis.document) {
  window.entry = {
    use,

    /** The same in a worker. */
    useInWorker(name, options) {
      const worker = new Worker(import.meta.url, { type: 'module' });
      return new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => (data.ready ? worker.postMessage({ name, options }) : resolve(data));
        worker.onerror = reject;
      }).finally(() => worker.terminate());
    },
  };
} else {
  onmessage = async ({ data: { name, options } }) => postMessage(await use(name, options));
  postMessage({ ready: true });
}
