// The wasm, loaded once for all instances of a page. Where it comes from is the one thing in which the entries differ
// (index.js, inline.js, node.js): each says so before anything is created.

/* global CODES -- the numbers of crates/core/src/code.rs, put in by `cargo xtask build` */

import { begin, getImports } from './message_extensions.js';
import { MessageExtensionError } from './error.js';
import { within } from './within.js';

const TIME_LIMIT = 15_000;

let getSource;
let help;
/** Empty again after a failure, so that the next call tries anew. */
let loading;
/** What has begun. One that was given up may still arrive; it begins nothing where clients live in another. */
let isThere;

/** Has the wasm come from what `get` gives; `advice` is what to do when it cannot be had. Loads nothing yet. */
export function loadFrom(get, advice) {
  getSource = get;
  help = advice;
}

/** Resolves when the wasm is there. A `source` of the caller's own goes before the entry's. */
export function load(source) {
  loading ??= within(TIME_LIMIT, start(source)).catch((cause) => {
    loading = undefined;
    throw new MessageExtensionError(
      CODES.NOT_LOADED,
      `message_extensions_bg.wasm could not be loaded (${cause}). ${help}`,
    );
  });
  return loading;
}

/** Async, so that whatever the source throws is a rejection. */
async function start(source) {
  const wasm = await WebAssembly.instantiate(await compile(await (source || getSource())), getImports());
  isThere ??= begin(wasm);
}

/** A URL, a response, bytes, or what is compiled already. */
async function compile(source) {
  if (source instanceof WebAssembly.Module) return source;
  // Before Request is named, for which Node loads all of its network.
  if (ArrayBuffer.isView(source)) return WebAssembly.compile(source);
  if (typeof source === 'string' || source instanceof URL || source instanceof Request) return compile(await fetch(source));
  if (!(source instanceof Response)) return WebAssembly.compile(source);
  if (!source.ok) throw new Error(`failed to fetch Wasm: ${source.status} ${source.statusText} fetching '${source.url}'`);
  // As it arrives, which is refused where the server does not say what it is.
  const isTold = source.headers.get('Content-Type') === 'application/wasm';
  return isTold ? WebAssembly.compileStreaming(source) : WebAssembly.compile(await source.arrayBuffer());
}
