// A bucket of NATS KV that everybody watches.

import { jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect as connectTo } from '@nats-io/transport-node';

export async function connect({ port }, n, see) {
  const connection = await connectTo({ port });
  const kv = await new Kvm(jetstream(connection, { timeout: 120_000 })).open('vote');
  const watch = await kv.watch({ include: 'updates' });
  (async () => {
    for await (const { key } of watch) see(Number(key.slice(4, -2)));
  })();
  return { vote: () => kv.create(`user${n}_0`, '1') };
}
