// A client that was away and has much in its cache: one request for all, beside a pull for each message.

import { fileURLToPath } from 'node:url';
import { COMMAND, path, startOurs } from '../lib/ours.mjs';
import { LOAD } from '../lib/paths.mjs';
import { run } from '../lib/programs.mjs';
import { contest, of } from '../lib/rounds.mjs';

const RETURNING = fileURLToPath(new URL('../load/returning.mjs', import.meta.url));
const [MESSAGES, CHANGED, KEYS] = [1000, 100, 10];
const ADDRESS = '"From_Account":"anna","To_Account":"bob","MsgKey":"{n}_1_1700000000"';

/** A server with messages of some keys each. */
async function filled() {
  const server = await startOurs();
  const entries = Array.from({ length: KEYS }, (_, n) => `{"Key":"key-${n}","Value":"value","Seq":0}`);
  const templates = [
    `${path(COMMAND.register, 'administrator')} {${ADDRESS}}`,
    `${path(COMMAND.set, 'bob', '{id}')} {${ADDRESS},"OperateType":1,"ExtensionList":[${entries}]}`,
  ];
  for (const template of templates) {
    const plan = Array.from({ length: 20 }, (_, n) => `${(n * MESSAGES) / 20}\t1\t${MESSAGES / 20}\t${template}`);
    await run(LOAD, ['http', `127.0.0.1:${server.port}`, '1x'], { input: plan.join('\n') });
  }
  return server;
}

export async function measure({ rounds, say }) {
  const server = await filled();
  const { pid, port } = server;
  const contender = (name, how) => ({
    name,
    run: async () => JSON.parse(await run(process.execPath, [RETURNING, JSON.stringify({ how, pid, port, messages: MESSAGES, changed: CHANGED })])),
  });
  const table = {
    title: `${MESSAGES.toLocaleString('en-US')} messages, ${CHANGED} changed`,
    columns: [
      { key: 'time', label: 'up to date after, ms', isCompared: true },
      { key: 'frames', label: 'frames, or requests and answers', isCompared: true },
      { key: 'bytes', label: 'kB', isCompared: true },
      { key: 'server', label: 'server CPU, ms', isCompared: true },
      { key: 'client', label: 'client CPU, ms', isCompared: true },
    ],
    ...(await contest({ rounds, contenders: [contender('ours, one resume', 'resume'), contender('1,000 pulls', 'pulls')], say })),
  };
  await server.stop();
  const keys = ['frames', 'time', 'server', 'client'];
  const shares = keys.map((key) => of(table, 'ours, one resume', key) / of(table, '1,000 pulls', key));
  const [frames, time, ofServer, ofClient] = shares.map((share) => share.toFixed(3));
  const figure = `${frames} of the frames, ${time} of the time, ${ofServer} of the server's and ${ofClient} of the client's CPU`;
  return { tables: [table], outcomes: { resume: { figure, isMet: shares.every((share) => share < 1) } } };
}
