// The entry that contains the wasm, for hosts that serve or fetch nothing but scripts.

import deflated from './message_extensions_bg.deflate';
import { loadFrom } from './load.js';

/** Compressed, since base64 of the plain wasm would not be: its bytes no longer stand where a compressor sees them. */
async function inflate() {
  const bytes = Uint8Array.from(atob(deflated), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(stream).arrayBuffer();
}

loadFrom(
  inflate,
  "It is inside the script; have the Content-Security-Policy allow script-src 'wasm-unsafe-eval'.",
);

export * from './chat.js';
export { default } from './chat.js';
