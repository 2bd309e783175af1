// The packed package in apps built by webpack and esbuild: part of `cargo xtask soak packaging`. Vite is in every run of
// the tests, ../bundler.test.js.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as esbuild from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import webpack from 'webpack';
import { installApp } from '../support/app.js';
import { callPage, startBrowser } from '../support/browsers.js';
import { startServer } from '../support/server.js';
import { expectVote, newVoter } from '../support/voter.js';
import { until } from '../support/wait.js';

let app;
let driver;

beforeAll(async () => {
  app = await installApp('entries');
  driver = await startBrowser('Chromium');
});
afterAll(async () => {
  await driver?.quit();
  app?.remove();
});

/** Has `bundle` build a page whose script is `source`; it works. Gives the names of the files. */
async function works(name, source, bundle) {
  const dist = join(app.folder, name);
  mkdirSync(dist);
  writeFileSync(join(app.folder, `${name}.js`), source);
  await bundle(join(app.folder, `${name}.js`), dist);
  writeFileSync(
    join(dist, 'index.html'),
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>An app</title></head><body><script type="module" src="main.js"></script></body></html>',
  );
  const server = await startServer({ staticDir: dist });
  try {
    await driver.get(`${server.url}/`);
    await until('the page has not started', () => driver.executeScript('return Boolean(window.entry)'));
    const voter = await newVoter(server);
    expectVote(await callPage(driver, 'entry', 'use', 'vote', voter), voter);
  } finally {
    await server.stop();
  }
  return readdirSync(dist);
}

const importing = (entry) => `
  import * as sdk from '${entry}';
  import * as uses from './vote.js';
  window.entry = { use: (name, options) => uses[name](sdk, options) };`;

async function byWebpack(entry, path, options = {}) {
  const output = { path, filename: 'main.js' };
  const stats = await promisify(webpack)({ mode: 'production', context: app.folder, entry, output, ...options });
  expect(stats.toJson({ all: false, errors: true, warnings: true })).toMatchObject({ errors: [], warnings: [] });
}

async function byEsbuild(entry, outdir) {
  const names = { entryNames: 'main', assetNames: '[name]-[hash]' };
  const { warnings } = await esbuild.build({
    entryPoints: [entry],
    outdir,
    bundle: true,
    format: 'esm',
    loader: { '.wasm': 'file' },
    ...names,
  });
  expect(warnings).toEqual([]);
}

const isWasm = (name) => name.endsWith('.wasm');

test('built by webpack, the page loads its WebAssembly as a file of its own', async () => {
  expect((await works('webpack', importing('message-extensions'), byWebpack)).filter(isWasm)).toHaveLength(1);
});

test('built by webpack with message-extensions/inline, there is no such file', async () => {
  expect((await works('webpack-inline', importing('message-extensions/inline'), byWebpack)).filter(isWasm)).toEqual([]);
});

test('built by webpack for Node, it works where the bundle lies', async () => {
  const source = `
    import * as sdk from 'message-extensions';
    import * as uses from './vote.js';
    uses.vote(sdk, JSON.parse(process.argv[2])).then((seen) => console.log(JSON.stringify(seen)));`;
  writeFileSync(join(app.folder, 'server.js'), source);
  await byWebpack(join(app.folder, 'server.js'), join(app.folder, 'dist-server'), {
    target: 'node20',
    output: { path: join(app.folder, 'dist-server'), filename: 'main.cjs' },
  });
  const server = await startServer();
  try {
    const voter = await newVoter(server, { endpoint: server.url });
    const { stdout } = await app.node('dist-server/main.cjs', JSON.stringify(voter));
    expectVote(JSON.parse(stdout), voter);
  } finally {
    await server.stop();
  }
});

test('built by esbuild with message-extensions/inline, the page works', async () => {
  expect((await works('esbuild-inline', importing('message-extensions/inline'), byEsbuild)).filter(isWasm)).toEqual([]);
});

test('built by esbuild with the file that message-extensions/wasm is, the page works', async () => {
  const source = `
    import * as sdk from 'message-extensions';
    import wasm from 'message-extensions/wasm';
    import * as uses from './vote.js';
    window.entry = { use: (name, options) => uses[name](sdk, { wasm, ...options }) };`;
  expect((await works('esbuild', source, byEsbuild)).filter(isWasm)).toHaveLength(1);
});
