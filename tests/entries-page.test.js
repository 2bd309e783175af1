// The entries of the packed package in pages without a bundler, in a worker, and under a strict Content-Security-Policy.

import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callPage, startBrowser } from './support/browsers.js';
import { inCheckout } from './support/paths.js';
import { startServer } from './support/server.js';
import { makeSite } from './support/site.js';
import { expectVote, newVoter } from './support/voter.js';
import { until } from './support/wait.js';

const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const NO_WASM = "default-src 'none'; script-src 'self'; connect-src 'self'";

/** A server of pages, each named by its entry and its policy; `prepare` changes the folder first. */
async function startPages(prepare = () => {}) {
  const site = makeSite();
  cpSync(inCheckout('tests/support/entries'), join(site.folder, 'entries'), { recursive: true });
  prepare(join(site.folder, 'message-extensions'));
  const server = await startServer({ staticDir: site.folder });
  const stop = async () => {
    await server.stop();
    site.remove();
  };
  const page = (entry, policy) => {
    const name = `${entry}-${policy === STRICT ? 'strict' : policy ? 'no-wasm' : 'free'}.html`;
    const meta = policy ? `<meta http-equiv="Content-Security-Policy" content="${policy}">` : '';
    writeFileSync(
      join(site.folder, name),
      `<!doctype html><html lang="en"><head><meta charset="utf-8">${meta}<title>An app</title></head>
       <body><script type="module" src="entries/page.js?entry=${entry}"></script></body></html>`,
    );
    return `${server.url}/${name}`;
  };
  return { server, page, stopSite: stop };
}

let whole;
let withoutFile;

beforeAll(async () => {
  whole = await startPages();
  withoutFile = await startPages((folder) => rmSync(join(folder, 'message_extensions_bg.wasm')));
});
afterAll(async () => {
  await whole?.stopSite();
  await withoutFile?.stopSite();
});

describe.each(['Chromium', 'Firefox'])('in %s', (browser) => {
  let driver;

  beforeAll(async () => {
    driver = await startBrowser(browser);
  });
  afterAll(() => driver?.quit());

  async function open(pages, entry, policy) {
    await driver.get(pages.page(entry, policy));
    await until('the page has not started', () => driver.executeScript('return Boolean(window.entry)'));
  }

  async function votes(pages, method) {
    const voter = await newVoter(pages.server, { endpoint: pages.server.url });
    expectVote(await callPage(driver, 'entry', method, 'vote', voter), voter);
  }

  async function refusal(pages) {
    return callPage(driver, 'entry', 'use', 'refusal', await newVoter(pages.server));
  }

  test('a page imports it as it lies on a server', async () => {
    await open(whole, 'index');
    await votes(whole, 'use');
  });

  test.each(['index', 'inline'])('a worker imports %s.js', async (entry) => {
    await open(whole, entry);
    await votes(whole, 'useInWorker');
  });

  test("index.js works under a policy that allows the page's own origin and 'wasm-unsafe-eval'", async () => {
    await open(whole, 'index', STRICT);
    await votes(whole, 'use');
  });

  test('inline.js works under it where the wasm is not served at all', async () => {
    await open(withoutFile, 'inline', STRICT);
    await votes(withoutFile, 'use');
  });

  test.each(['index', 'inline'])("without 'wasm-unsafe-eval', calls of %s.js reject with 9005 and name it", async (entry) => {
    await open(whole, entry, NO_WASM);
    const { code, message } = await refusal(whole);
    expect(code).toBe(9005);
    expect(message).toMatch(/could not be loaded \(.*(CSP|Content Security Policy|unsafe-eval).*\).*script-src 'wasm-unsafe-eval'/s);
  });

  test('where the wasm is not served, calls of index.js reject with 9005, its URL, and what to do', async () => {
    await open(withoutFile, 'index');
    const { code, message } = await refusal(withoutFile);
    expect(code).toBe(9005);
    for (const said of [`404 Not Found fetching '${withoutFile.server.url}/message-extensions/message_extensions_bg.wasm'`, 'message-extensions/inline']) {
      expect(message).toContain(said);
    }
  });
});
