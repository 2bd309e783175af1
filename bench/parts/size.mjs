// What a page loads: each bundled and minified by the same esbuild with the same settings, WebAssembly as a file beside it.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import { PACKAGE } from '../lib/paths.mjs';

const FOLDER = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

const CONTENDERS = [
  {
    name: 'ours',
    // The script names it by its URL; bundlers copy it.
    wasm: () => `${PACKAGE}/message_extensions_bg.wasm`,
    code: "export * from 'message-extensions'; export { default } from 'message-extensions';",
  },
  {
    name: '@tencentcloud/lite-chat, basic with message-enhancer',
    code: "export { default as Chat } from '@tencentcloud/lite-chat/basic'; export { default as Enhancer } from '@tencentcloud/lite-chat/plugins/message-enhancer';",
  },
  { name: '@tencentcloud/lite-chat, standard', code: "export { default } from '@tencentcloud/lite-chat';" },
  { name: '@tencentcloud/chat', code: "export { default } from '@tencentcloud/chat';" },
  { name: 'socket.io-client', code: "export { io } from 'socket.io-client';" },
  { name: 'yjs with @hocuspocus/provider', code: "export * from 'yjs'; export { HocuspocusProvider } from '@hocuspocus/provider';" },
  { name: 'replicache', code: "export * from 'replicache';" },
  {
    name: 'firebase, the database only',
    code: "export { initializeApp } from 'firebase/app'; export { getDatabase, ref, set, get, onValue, runTransaction } from 'firebase/database';",
  },
  { name: 'gun', code: "export { default } from 'gun/gun';" },
  {
    name: '@automerge/automerge',
    wasm: () => require.resolve('@automerge/automerge/automerge.wasm'),
    code: "export * from '@automerge/automerge/slim';",
  },
];

const brotli = (content) =>
  brotliCompressSync(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  }).length;

async function weigh({ code, wasm }) {
  const outdir = mkdtempSync(`${tmpdir()}/bench-size-`);
  try {
    const { outputFiles } = await build({
      stdin: { contents: code, resolveDir: FOLDER, sourcefile: 'entry.mjs' },
      outdir,
      bundle: true,
      minify: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      legalComments: 'none',
      define: { 'process.env.NODE_ENV': '"production"' },
      logLevel: 'silent',
    });
    const files = [...outputFiles.map(({ contents }) => contents), ...(wasm ? [readFileSync(wasm())] : [])];
    const sum = (of) => [files.reduce((total, content) => total + of(content), 0)];
    return { brotli: sum(brotli), raw: sum((content) => content.length) };
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

export async function measure({ say }) {
  const [rows, skipped] = [[], []];
  for (const contender of CONTENDERS) {
    try {
      rows.push({ name: contender.name, samples: await weigh(contender) });
    } catch (error) {
      if (rows.length === 0) throw error;
      skipped.push({ name: contender.name, why: error.message.split('\n').slice(0, 2).join(' ') });
    }
    say(`${contender.name}: ${JSON.stringify(rows.at(-1)?.samples)}`);
  }
  const columns = [
    { key: 'brotli', label: 'bytes after brotli 11', isCompared: true },
    { key: 'raw', label: 'bytes, minified', isCompared: true },
  ];
  const [bytes] = rows[0].samples.brotli;
  return {
    rounds: 1,
    tables: [{ title: 'loaded', columns, rows, skipped }],
    outcomes: { size: { figure: `${bytes.toLocaleString('en-US')} bytes`, isMet: bytes <= 45_000 } },
  };
}
