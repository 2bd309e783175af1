// The conformance pack: its cases are well-formed, our server passes all of them, and a server with a flaw does not.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { inflateSync } from 'node:zlib';
import Ajv from 'ajv';
import { afterAll, expect, test } from 'vitest';
import { SETTINGS, cases, chosen, files, run, told } from './conformance/pack.mjs';
import { sign } from './conformance/usersig.mjs';
import { inCheckout } from './support/paths.js';
import { ADMIN, APP, SECRET, sign as signed, startServer } from './support/server.js';
import { FLAWS, network } from './support/flawed.js';

const { Api } = createRequire(import.meta.url)('tls-sig-api-v2');

/** How often one may call is not what the pack is about, and so many cases would wait for it. */
const UNHURRIED = ['--admin-calls-per-second', '0', '--user-calls-per-second', '0'];
/** As README.md says. */
const FLAGS = {
  'small-limits': [
    ...['--key-bytes', '8', '--value-bytes', '8', '--items', '3', '--live-keys', '4', '--tombstones', '2'],
    ...['--writes-per-minute', '6', '--user-writes-per-minute', '4', '--push-user-connections', '2'],
  ],
  'extensions-off': ['--extensions-off'],
};

/** What each of several servers counts for itself (docs/operating.md, "Many nodes"). */
const OF_ONE_SERVER = ['small-limits/a-connection-too-many'];
/** Milliseconds that are waited for what a flaw keeps back. */
const PATIENCE_WITH_A_FLAW = 2000;

const running = new Map();
afterAll(() => Promise.all([...running.values()].map(async (server) => (await server).stop())));

async function serverWith(settings) {
  if (!running.has(settings)) running.set(settings, startServer({ flags: [...UNHURRIED, ...(FLAGS[settings] ?? [])] }));
  const { url } = await running.get(settings);
  return { url, app: APP, secret: SECRET, admin: ADMIN };
}

const failures = (results) => results.filter(({ failure }) => failure);

test('every file of cases is as the schema says', () => {
  const schema = JSON.parse(readFileSync(new URL('conformance/case.schema.json', import.meta.url), 'utf8'));
  const ajv = new Ajv({ allErrors: true, strictTuples: false, strictRequired: false, strictTypes: false });
  const isValid = ajv.compile(schema);
  for (const { file, content } of files()) expect({ file, errors: isValid(content) ? [] : isValid.errors }).toEqual({ file, errors: [] });
});

test('every case has a name of its own, at most one kind of settings, and a state at the end where there is a message', () => {
  const names = cases().map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, needs } of cases()) expect([name, needs.filter((need) => SETTINGS.includes(need)).length]).toEqual([name, expect.toBeOneOf([0, 1])]);
  const isGone = ({ needs, steps }) => needs.includes('extensions-off') || steps.some(({ call }) => call?.endsWith('/destroy_group'));
  const stateless = cases().filter((story) => !story.state && !story.kinds.includes('none') && !isGone(story));
  expect(stateless.map(({ name }) => name)).toEqual([]);
});

test('README.md shows a case as it is, and how our server is started', () => {
  const text = readFileSync(new URL('conformance/README.md', import.meta.url), 'utf8');
  const shown = JSON.parse(/```json\n([^]*?)```/.exec(text)[1]);
  const [story] = chosen({ name: `set/${shown.name}` });
  expect({ ...shown, name: story.name, needs: [] }).toEqual(story);
  for (const [settings, flags] of Object.entries(FLAGS)) expect(text).toContain(`| \`${settings}\` | \`${flags.join(' ')}\` |`);
});

const groups = [undefined, ...SETTINGS].flatMap((settings) =>
  [...new Set(chosen({ settings }).map(({ name }) => name.split('/')[0]))].map((file) => [file, settings]),
);

test.each(groups)('our server passes the cases of %s', async (file, settings) => {
  const stories = chosen({ settings, name: file }).filter(({ name }) => !process.env.TEST_REDIS || !OF_ONE_SERVER.includes(name));
  const results = await run(await serverWith(settings), stories);
  expect(results.length).toBeGreaterThan(0);
  expect(failures(results).map(told).join('\n')).toBe('');
});

test.each(FLAWS.map((flaw) => [flaw.is, flaw]))('it is found that %s', async (_, { found, passes, ...flaw }) => {
  const server = { ...(await serverWith()), ...network(flaw), patience: PATIENCE_WITH_A_FLAW };
  const stories = chosen().filter(({ name }) => name === passes || found.includes(name));
  expect(stories).toHaveLength(found.length + 1);
  const failed = failures(await run(server, stories)).map(({ name }) => name.split(' ')[0]);
  expect([...new Set(failed)].sort()).toEqual([...found].sort());
});

test('a UserSig of the pack is the one that a backend makes', () => {
  const open = (usersig) => JSON.parse(inflateSync(Buffer.from(usersig.replaceAll('*', '+').replaceAll('-', '/').replaceAll('_', '='), 'base64')));
  const theirs = open(new Api(APP, SECRET).genUserSig('alice', 3600));
  expect(open(sign({ app: APP, secret: SECRET, user: 'alice', time: theirs['TLS.time'], expire: 3600 }))).toEqual(theirs);
  expect(open(signed('alice'))['TLS.identifier']).toBe('alice');
});

async function command(...args) {
  const child = spawn(process.execPath, [inCheckout('tests/conformance/run.mjs'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  const [code] = await once(child, 'close');
  return { code, said };
}

test('run.mjs says what has failed, and its exit code says whether something has', async () => {
  const { url } = await serverWith();
  const flags = ['--url', url, '--app', String(APP), '--admin', ADMIN];
  const good = await command(...flags, '--secret', SECRET, '--case', 'set/a-matching-seq-is-accepted');
  expect(good).toEqual({ code: 0, said: '2 passed, 0 failed\n' });
  const bad = await command(...flags, '--secret', 'another', '--case', 'push-connection/ping-and-pong');
  expect(bad.code).toBe(1);
  expect(bad.said).toMatch(/^FAILED push-connection\/ping-and-pong\n {2}A ping is answered with a pong\./);
  expect(bad.said).toContain('expected "ready", got "refused"');
  expect(bad.said).toMatch(/0 passed, 1 failed\n$/);
  expect((await command(...flags, '--secret', SECRET, '--case', 'none')).code).toBe(2);
  expect((await command('--url', url)).said).toContain('--secret KEY');
});
