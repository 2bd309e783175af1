// Starting the peers.

import { jetstreamManager, jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { fileURLToPath } from 'node:url';
import { folder } from './paths.mjs';
import { freePort, has, start } from './programs.mjs';

/** A server on Node of `peers/`. */
export async function startPeer(name, ...args) {
  const script = fileURLToPath(new URL(`../peers/${name}.mjs`, import.meta.url));
  const server = await start(process.execPath, [script, ...args], { says: /^port (\d+)$/ });
  return { ...server, port: Number(server.match[1]) };
}

/** NATS with JetStream on the disk, and a bucket. */
export async function startNats() {
  if (!has('nats-server')) throw new Error('there is no nats-server on PATH (Debian: nats-server)');
  const port = await freePort();
  const server = await start('nats-server', ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder('nats')], { port });
  const connection = await connect({ port });
  await jetstreamManager(connection);
  await new Kvm(jetstream(connection)).create('vote', { storage: 'file' });
  await connection.close();
  return server;
}
