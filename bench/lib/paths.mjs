// Where things are: in the checkout, and below target/bench what a run leaves.

import { mkdirSync, mkdtempSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const inCheckout = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const SERVER = inCheckout('target/release/message-extensions-server');
export const LOAD = inCheckout('target/release/message-extensions-load');
export const PACKAGE = inCheckout('bench/node_modules/message-extensions');
export const PAGE = inCheckout('docs/benchmarks.md');
const RUN = inCheckout('target/bench');

export const resultFile = (part) => {
  mkdirSync(RUN, { recursive: true });
  return `${RUN}/${part}.json`;
};

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
