// The entry for Node, whose fetch reads no files: the wasm is read from the disk.

import { readFile } from 'node:fs/promises';
import { loadFrom } from './load.js';

loadFrom(
  () => readFile(new URL('./message_extensions_bg.wasm', import.meta.url)),
  'It must lie beside node.js. If a bundler has moved that, have it leave message-extensions out (external), or import ' +
    'message-extensions/inline, which contains it.',
);

export * from './chat.js';
export { default } from './chat.js';
