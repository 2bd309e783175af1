// The entry for pages and bundlers: the wasm is a file beside this one, which the browser compiles as it arrives.

import { loadFrom } from './load.js';

loadFrom(
  () => new URL('./message_extensions_bg.wasm', import.meta.url),
  "Serve it beside the script and have the Content-Security-Policy allow connect-src 'self' and script-src 'wasm-unsafe-eval', " +
    'or import message-extensions/inline.',
);

export * from './chat.js';
export { default } from './chat.js';
