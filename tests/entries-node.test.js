// The entries of the packed package in Node: processes of their own, as a user starts them.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installApp } from './support/app.js';
import { startServer } from './support/server.js';
import { expectVote, newVoter } from './support/voter.js';

const ENTRIES = ['message-extensions', 'message-extensions/inline', 'message-extensions/node'];
/** What a bundler or a browser gets for the first of them. */
const FOR_PAGES = './node_modules/message-extensions/index.js';

let app;
let server;

beforeAll(async () => {
  [app, server] = await Promise.all([installApp('entries'), startServer()]);
});
afterAll(async () => {
  await server?.stop();
  app?.remove();
});

test.each([
  ...ENTRIES.map((entry) => ['imported', 'app.mjs', entry]),
  ...ENTRIES.map((entry) => ['required', 'app.cjs', entry]),
])('%s by %s, %s works without flags, options or warnings', async (_, program, entry) => {
  const voter = await newVoter(server, { endpoint: server.url });
  const { stdout, stderr } = await app.node(program, entry, 'vote', JSON.stringify(voter));
  expectVote(JSON.parse(stdout), voter);
  expect(stderr).toBe('');
});

test('every entry exports the same names', async () => {
  const program = `
    const names = await Promise.all(process.argv.slice(1).map(async (entry) => Object.keys(await import(entry)).join()));
    console.log(new Set(names).size, names[0]);`;
  const { stdout } = await app.node('--input-type=module', '--eval', program, ...ENTRIES, FOR_PAGES);
  expect(stdout).toMatch(/^1 .*\bcreate,default,isMessageExtensionError\n$/);
});

test('required and imported it is one module', async () => {
  const program = `
    import { createRequire } from 'node:module';
    import * as imported from 'message-extensions';
    const required = createRequire(process.cwd() + '/x.js')('message-extensions');
    console.log(required.create === imported.create, required.default === imported.default);`;
  const { stdout } = await app.node('--input-type=module', '--eval', program);
  expect(stdout.trim()).toBe('true true');
});

test.each([...ENTRIES, FOR_PAGES])('importing %s needs nothing that only a browser has, and loads nothing', async (entry) => {
  const program = `
    const kept = ['URL', 'TextDecoder', 'TextEncoder', 'process', 'console', 'global', 'globalThis'];
    const builtIn = /^(Object|Function|Array|Number|parse|is|Infinity|NaN|undefined|Boolean|String|Symbol|Date|Promise|RegExp|Error|\\w+Error|JSON|Math|Intl|\\w*Array|\\w*ArrayBuffer|DataView|Map|BigInt|Set|Weak|Proxy|Reflect|Finalization|decode|encode|escape|unescape|eval|Atomics|Iterator)/;
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      if (!kept.includes(name) && !builtIn.test(name)) Object.defineProperty(globalThis, name, { value: undefined });
    }
    if (typeof fetch !== 'undefined' || typeof WebAssembly !== 'undefined') throw new Error('the globals are still there');
    const { create, VERSION } = await import(${JSON.stringify(entry)});
    console.log(typeof create, VERSION);`;
  const { stdout } = await app.node('--input-type=module', '--eval', program);
  expect(stdout).toMatch(/^function \d+\.\d+\.\d+\n$/);
});

test('where the wasm file has gone missing, calls reject with 9005 and say what to do; the entry that contains it works', async () => {
  const moved = await installApp('entries');
  try {
    rmSync(join(moved.folder, 'node_modules/message-extensions/message_extensions_bg.wasm'));
    const voter = await newVoter(server, { endpoint: server.url });
    const { stdout } = await moved.node('app.mjs', 'message-extensions', 'refusal', JSON.stringify(voter));
    const { code, message } = JSON.parse(stdout);
    expect(code).toBe(9005);
    for (const said of ['ENOENT', 'beside node.js', 'message-extensions/inline']) expect(message).toContain(said);
    const inline = await moved.node('app.mjs', 'message-extensions/inline', 'vote', JSON.stringify(voter));
    expectVote(JSON.parse(inline.stdout), voter);
  } finally {
    moved.remove();
  }
});
