// Copies of the package's module, also for processes without vitest.

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { PACKAGE } from './paths.js';

export const WASM = readFileSync(`${PACKAGE}/message_extensions_bg.wasm`);

/** The copy with this number, which shares nothing with others. */
export const copyOfModule = (copy) => import(/* @vite-ignore */ `${pathToFileURL(`${PACKAGE}/index.js`).href}?copy=${copy}`);
