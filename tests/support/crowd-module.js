// The package's module as a process without vitest loads it.

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { PACKAGE } from './paths.js';

export const WASM = readFileSync(`${PACKAGE}/message_extensions_bg.wasm`);

/** A copy that shares nothing with others. */
export const freshModule = (copy) => import(`${pathToFileURL(`${PACKAGE}/index.js`).href}?copy=${copy}`);
