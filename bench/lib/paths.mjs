// Where things are: in the checkout, what was measured, and below target/bench what a run needs.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const inCheckout = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const SERVER = inCheckout('target/release/message-extensions-server');
export const LOAD = inCheckout('target/release/message-extensions-load');
export const PACKAGE = inCheckout('bench/node_modules/message-extensions');
export const PAGE = inCheckout('docs/benchmarks.md');
const RUN = inCheckout('target/bench');

/** What each part came to when it was last measured; `machine` is what all were measured on. */
export const resultFile = (part) => inCheckout(`bench/results/${part}.json`);

/** Removes what servers have left of data. */
export const clean = () => rmSync(RUN, { recursive: true, force: true });

/** A new folder on the disk of the checkout: what is durable must not be in memory. */
export function folder(name) {
  mkdirSync(RUN, { recursive: true });
  return mkdtempSync(`${RUN}/${name}-`);
}

/** Data that are made once and used by every run. */
export function keptFolder(name) {
  mkdirSync(inCheckout('target/bench-kept'), { recursive: true });
  return inCheckout(`target/bench-kept/${name}`);
}
