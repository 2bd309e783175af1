// The packed package in a Next.js app, built by each of its bundlers: part of `cargo xtask soak packaging`.

import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installApp } from '../support/app.js';
import { callPage, startBrowser } from '../support/browsers.js';
import { keep } from '../support/children.js';
import { inCheckout } from '../support/paths.js';
import { startServer } from '../support/server.js';
import { expectVote, newVoter } from '../support/voter.js';
import { until } from '../support/wait.js';

const BUILD = 300_000;
const NEXT = inCheckout('tests/packaging/node_modules/next/dist/bin/next');
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' };

/** Starts the app that was built; resolves with its URL when it says where. */
async function startNext(cwd) {
  const child = spawn(process.execPath, [NEXT, 'start', '--hostname', '127.0.0.1', '--port', '0'], { cwd, env });
  const ended = keep(child, 'SIGTERM');
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  const url = await until(
    () => `next start: ${said}`,
    () => /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(said)?.[0],
  );
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  return { url, stop };
}

describe.each(['--turbopack', '--webpack'])('built by next build %s', (bundler) => {
  let app;
  let server;
  let next;

  beforeAll(async () => {
    // Below the folder whose packages it needs.
    const apps = inCheckout('tests/packaging/apps');
    mkdirSync(apps, { recursive: true });
    app = await installApp('entries', apps);
    cpSync(inCheckout('tests/packaging/next'), app.folder, { recursive: true });
    await promisify(execFile)(process.execPath, [NEXT, 'build', bundler], { cwd: app.folder, env });
    server = await startServer();
    next = await startNext(app.folder);
  }, BUILD);
  afterAll(async () => {
    await next?.stop();
    await server?.stop();
    app?.remove();
  });

  test('the server renders a page that imports it', async () => {
    const html = await (await fetch(next.url)).text();
    expect(html).toContain('rendered by the server');
  });

  test('the page works', async () => {
    const driver = await startBrowser('Chromium');
    try {
      await driver.get(next.url);
      await until('the page has not started', () => driver.executeScript('return Boolean(window.entry)'));
      const voter = await newVoter(server, { endpoint: server.url });
      expectVote(await callPage(driver, 'entry', 'use', 'vote', voter), voter);
    } finally {
      await driver.quit();
    }
  });

  test('it works on the server', async () => {
    const voter = await newVoter(server, { endpoint: server.url });
    const response = await fetch(`${next.url}/vote`, { method: 'POST', body: JSON.stringify(voter) });
    expect(response.status).toBe(200);
    expectVote(await response.json(), voter);
  });
});
