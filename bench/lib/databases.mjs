// Redis and PostgreSQL with data of their own on the disk, each with a compare-and-set of a key in a message.

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { folder } from './paths.mjs';
import { freePort, has, start } from './programs.mjs';

/** As ours: the key's Seq must be the expected one, the message's counter goes on; 0 is a refusal. */
const LUA = `
local held = redis.call('HGET', KEYS[1], 'q' .. ARGV[1])
if (held or '0') ~= ARGV[2] then return 0 end
local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
redis.call('HSET', KEYS[1], 'q' .. ARGV[1], seq, 'v' .. ARGV[1], ARGV[3])
return seq`;

/** @returns {Promise<{pid: number, port: number, sha: string, stop: () => Promise<void>}>} */
export async function startRedis() {
  if (!has('redis-server')) throw new Error('there is no redis-server on PATH (Debian: redis-server)');
  const port = await freePort();
  const settings = { bind: '127.0.0.1', port, dir: folder('redis'), appendonly: 'yes', appendfsync: 'always', save: '' };
  const server = await start('redis-server', Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]), { port });
  const sha = execFileSync('redis-cli', ['-p', String(port), 'SCRIPT', 'LOAD', LUA], { encoding: 'utf8' }).trim();
  return { ...server, sha };
}

/** The folder of PostgreSQL's programs; Debian does not put it on PATH. */
export const POSTGRES = (() => {
  const root = '/usr/lib/postgresql';
  const [newest] = existsSync(root) ? readdirSync(root).sort((a, b) => b - a) : [];
  return newest && existsSync(`${root}/${newest}/bin/postgres`) ? `${root}/${newest}/bin` : undefined;
})();

const SQL = `
CREATE TABLE message (id text PRIMARY KEY, seq bigint NOT NULL);
CREATE TABLE entry (message text, key text, value text, seq bigint, PRIMARY KEY (message, key));
CREATE FUNCTION cas(m text, k text, expected bigint, v text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE held bigint; counter bigint;
BEGIN
  INSERT INTO message VALUES (m, 0) ON CONFLICT DO NOTHING;
  PERFORM 1 FROM message WHERE id = m FOR UPDATE;
  SELECT seq INTO held FROM entry WHERE message = m AND key = k;
  IF coalesce(held, 0) <> expected THEN RETURN 0; END IF;
  UPDATE message SET seq = seq + 1 WHERE id = m RETURNING seq INTO counter;
  INSERT INTO entry VALUES (m, k, v, counter) ON CONFLICT (message, key) DO UPDATE SET value = excluded.value, seq = excluded.seq;
  RETURN counter;
END $$;`;

/** @returns {Promise<{pid: number, port: number, stop: () => Promise<void>}>} */
export async function startPostgres() {
  if (!POSTGRES) throw new Error('there is no PostgreSQL (Debian: postgresql)');
  const [port, data] = [await freePort(), folder('postgres')];
  // It refuses to run as root.
  const as = process.getuid() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : ['env'];
  if (process.getuid() === 0) execFileSync('chown', ['postgres:postgres', data]);
  chmodSync(data, 0o700);
  const [first, ...rest] = as;
  execFileSync(first, [...rest, `${POSTGRES}/initdb`, '-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C'], { stdio: 'pipe', cwd: '/' });
  const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: data, max_connections: 100, shared_buffers: '512MB' };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = await start(first, [...rest, `${POSTGRES}/postgres`, '-D', data, ...flags], { port, signal: 'SIGINT' });
  execFileSync('psql', ['-h', '127.0.0.1', '-p', String(port), '-U', 'bench', '-q', '-c', SQL, 'postgres'], { stdio: 'pipe' });
  return server;
}
