// Our client, as an app uses it.

import { install } from './fake.mjs';
import { message } from './message.mjs';

export { change, deliver } from './fake.mjs';

const named = (n) => message(n, `bob-1665388280-${n}`);

/** @param {{ours: () => Promise<object>, wasm: () => Promise<unknown>}} load imports the package, brings its wasm */
export async function open({ ours, wasm }) {
  // The wasm comes over the host's own network.
  const source = await wasm();
  install();
  const { create, EVENT } = await ours();
  const chat = create({ SDKAppID: 1_400_000_123, endpoint: 'http://chat.example', persistence: false, wasm: source });
  const isReady = new Promise((resolve) => chat.on(EVENT.SDK_READY, resolve));
  await chat.login({ userID: 'alice', userSig: 'any' });
  await isReady;
  return {
    get: (n) => chat.getMessageExtensions(named(n)),
    set: (n, key, value) => chat.setMessageExtensions(named(n), [{ key, value }]),
    listen: (heard) => chat.on(EVENT.MESSAGE_EXTENSIONS_UPDATED, heard),
  };
}
