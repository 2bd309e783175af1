// A page in Chromium, without a screen: opened in a browser of its own, which ends when the page has posted its result.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { PACKAGE, folder, inCheckout } from './paths.mjs';
import { start } from './programs.mjs';

const TYPES = { '.mjs': 'text/javascript', '.js': 'text/javascript', '.wasm': 'application/wasm' };
/** The page's own address says what it is to do; folders by the first part of the path. */
const FOLDERS = { client: inCheckout('bench/client'), package: PACKAGE, vendor: inCheckout('bench/node_modules/@tencentcloud') };
const HTML = '<!doctype html><meta charset="utf-8"><title>bench</title><script type="module" src="/client/page.mjs"></script>';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--enable-precise-memory-info',
  '--js-flags=--expose-gc',
  // Nothing that is measured reaches anybody.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** @returns {Promise<object>} what `/client/page.mjs?contender=…` has posted */
export async function inChromium(contender) {
  if (!process.env.CHROME) throw new Error('CHROME names no browser');
  let posted;
  const result = new Promise((resolve) => (posted = resolve));
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://page');
    if (pathname === '/result') {
      let body = '';
      for await (const part of request) body += part;
      response.end();
      return posted(JSON.parse(body));
    }
    const [, root, ...rest] = pathname.split('/');
    if (root === '') return response.setHeader('content-type', 'text/html').end(HTML);
    const content = FOLDERS[root] && (await readFile(`${FOLDERS[root]}/${rest.join('/')}`).catch(() => undefined));
    if (!content) return response.writeHead(404).end();
    response.setHeader('content-type', TYPES[extname(pathname)] ?? 'text/plain').end(content);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/?contender=${contender}`;
  const { port } = server.address();
  const browser = await start(process.env.CHROME, [...FLAGS, `--user-data-dir=${folder('chromium')}`, url], { port, signal: 'SIGKILL' });
  const late = new Promise((_, reject) => {
    setTimeout(() => reject(new Error('the page has posted nothing for 90 s')), 90_000).unref();
  });
  try {
    const measured = await Promise.race([result, late]);
    if (measured.error) throw new Error(measured.error);
    return measured;
  } finally {
    await browser.stop();
    server.closeAllConnections();
    server.close();
  }
}
