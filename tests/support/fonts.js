// Fonts for pictures of pages. What a machine without a desktop has is not what visitors see, and has no Chinese.

import { createReadStream } from 'node:fs';
import http from 'node:http';
import { once } from 'node:events';
import { basename } from 'node:path';
import { inCheckout } from './paths.js';

const FAMILIES = ['inter', 'noto-sans-sc'];
const folder = inCheckout('tests/node_modules/@fontsource-variable');

/** Serves the fonts; pages of other origins may use them. */
export async function startFonts() {
  const server = http.createServer(({ url }, response) => {
    const [, family, ...rest] = url.split('/');
    const name = basename(rest.at(-1) ?? '');
    const path = `${folder}/${family}/${name.endsWith('.css') ? name : `files/${name}`}`;
    if (!FAMILIES.includes(family)) return response.writeHead(404).end();
    response.writeHead(200, {
      'Access-Control-Allow-Origin': '*',
      'Content-Type': name.endsWith('.css') ? 'text/css' : 'font/woff2',
      'Cache-Control': 'max-age=3600',
    });
    createReadStream(path).on('error', () => response.end()).pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    /** Has the page that the driver is in, of which the stylesheet names fonts by `--sans`, use them; they are there afterwards. */
    wear: (driver) =>
      driver.executeAsyncScript(
        `const [url, families, done] = arguments;
         const root = document.documentElement;
         if (root.dataset.fonts) return document.fonts.ready.then(() => done());
         root.dataset.fonts = 'worn';
         root.style.setProperty('--sans', "'Inter Variable', 'Noto Sans SC Variable', sans-serif");
         root.style.setProperty('--mono', "'DejaVu Sans Mono', 'Noto Sans SC Variable', monospace");
         const sheets = families.map((family) => new Promise((resolve) => {
           const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: url + '/' + family + '/index.css' });
           link.onload = link.onerror = resolve;
           document.head.append(link);
         }));
         // Once the text has been laid out with them it is known which files are needed.
         Promise.all(sheets).then(() => requestAnimationFrame(() => document.fonts.ready.then(() => done())));`,
        url,
        FAMILIES,
      ),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
