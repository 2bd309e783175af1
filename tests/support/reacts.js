// React in two versions, each with the package installed beside it.

import { cpSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { afterAll } from 'vitest';
import { inCheckout, PACKAGE } from './paths.js';

export const VERSIONS = [18, 19];

/** React, what draws with it in a page and on a server, and the package's hooks. */
export async function loadReact(version) {
  const from = createRequire(inCheckout(version === 18 ? 'tests/support/react-18/package.json' : 'tests/package.json'));
  const load = (path) => import(/* @vite-ignore */ pathToFileURL(path).href);
  const [React, client, server] = await Promise.all(['react', 'react-dom/client', 'react-dom/server'].map((name) => load(from.resolve(name))));
  const hooks = await load(version === 18 ? `${beside(from)}/react.js` : from.resolve('message-extensions/react'));
  if (!React.version.startsWith(`${version}.`)) throw new Error(`this is React ${React.version}, not ${version}`);
  return { React, createElement: React.createElement, act: React.act, ...client, ...server, ...hooks };
}

const copies = new Set();
afterAll(() => copies.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A copy of the package that finds the React which `from` finds; this process's own. */
function beside(from) {
  const folder = from.resolve('react/package.json').replace(/react\/package\.json$/, `message-extensions-${process.pid}`);
  if (!copies.has(folder)) cpSync(PACKAGE, folder, { recursive: true });
  copies.add(folder);
  return folder;
}
