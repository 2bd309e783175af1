// What a call costs the server when much is stored, and when much is in one message.

import { cpSync, existsSync, renameSync, rmSync } from 'node:fs';
import { COMMAND, path, startOurs } from '../lib/ours.mjs';
import { LOAD, folder, keptFolder } from '../lib/paths.mjs';
import { run } from '../lib/programs.mjs';
import { contest, of } from '../lib/rounds.mjs';
import { cpu, resident } from '../lib/usage.mjs';

const CONNECTIONS = 20;
/** Messages that are called for, spread over all. */
const CALLED = 1000;
const ADDRESS = '"From_Account":"anna","To_Account":"bob","MsgKey":"{n}_1_1700000000"';

const get = `${path(COMMAND.get, 'bob')} {${ADDRESS},"StartSeq":0}`;
const set = (key) =>
  `${path(COMMAND.set, 'bob', '{id}')} {${ADDRESS},"OperateType":1,"ExtensionList":[{"Key":"${key}","Value":"chosen","Seq":{seq}}]}`;
const register = `${path(COMMAND.register, 'administrator')} {${ADDRESS}}`;

/** Calls for `count` messages, of which every `step`th from the first; gives the server's µs of CPU a call. */
async function call(server, { template, first = 0, step = 1, count, times = 1, connections = CONNECTIONS }) {
  const each = count / connections;
  const plan = Array.from({ length: connections }, (_, n) => `${first + n * each * step}\t${step}\t${each}\t${template}`);
  const used = cpu(server.pid);
  const { answers } = JSON.parse(await run(LOAD, ['http', `127.0.0.1:${server.port}`, `${times}x`], { input: plan.join('\n') }));
  return (used() / answers) * 1e6;
}

/** A folder with so many messages, one key in each: made once, since it takes minutes, and a copy for each run. */
async function filled(messages) {
  const kept = keptFolder(`${messages}-messages`);
  if (!existsSync(kept)) {
    const data = `${kept}.part`;
    rmSync(data, { recursive: true, force: true });
    const server = await startOurs({ data });
    await call(server, { template: register, count: messages, connections: 250 });
    await call(server, { template: set('first'), count: messages, connections: 250 });
    await server.stop();
    renameSync(data, kept);
  }
  const data = folder('grown');
  cpSync(kept, data, { recursive: true });
  return data;
}

/** Each round begins with a server that has nothing in memory. */
function stored(messages, data) {
  let round = 0;
  const step = messages / CALLED;
  return {
    name: `${messages.toLocaleString('en-US')} messages`,
    async run() {
      const server = await startOurs({ data });
      round += 1;
      try {
        const from = (first) => ({ first, step, count: CALLED });
        const measured = {
          coldSet: await call(server, { ...from(0), template: set(`cold${round}`) }),
          set: await call(server, { ...from(0), template: set(`warm${round}`), times: 10 }),
          get: await call(server, { ...from(0), template: get, times: 10 }),
        };
        return { ...measured, memory: resident(server.pid) };
      } finally {
        await server.stop();
      }
    },
  };
}

const KEYS = [1, 10, 100, 300];
/** Messages with so many keys. */
const WITH_KEYS = 100;

async function startWithKeys() {
  const server = await startOurs();
  await call(server, { template: register, count: KEYS.length * WITH_KEYS });
  for (const [place, keys] of KEYS.entries()) {
    for (let first = 0; first < keys; first += 20) {
      const some = Array.from({ length: Math.min(20, keys - first) }, (_, i) => `{"Key":"voter-${first + i}","Value":"chosen","Seq":0}`);
      const template = `${path(COMMAND.set, 'bob', '{id}')} {${ADDRESS},"OperateType":1,"ExtensionList":[${some}]}`;
      await call(server, { template, first: place * WITH_KEYS, count: WITH_KEYS });
    }
  }
  return server;
}

function withKeys(server, place) {
  let round = 0;
  const which = { first: place * WITH_KEYS, count: WITH_KEYS, times: 20 };
  return {
    name: `${KEYS[place]} ${KEYS[place] === 1 ? 'key' : 'keys'}`,
    async run() {
      round += 1;
      return { set: await call(server, { ...which, template: set(`own${round}`) }), get: await call(server, { ...which, template: get }) };
    },
  };
}

const grows = (key, label) => ({ key, label, isCompared: true, isGrowth: true });

export async function measure({ isQuick, rounds, say }) {
  const sizes = isQuick ? [1e3, 1e4] : [1e3, 1e4, 1e5, 1e6];
  const contenders = [];
  for (const size of sizes) {
    say(`${size} messages are made, unless they are there`);
    contenders.push(stored(size, await filled(size)));
  }
  const messages = {
    title: 'stored',
    columns: [
      grows('set', 'set, µs of server CPU'),
      grows('coldSet', 'first set, not in memory, µs'),
      grows('get', 'get of a few keys, µs'),
      { key: 'memory', label: 'memory, MiB' },
    ],
    ...(await contest({ rounds, contenders, say })),
  };
  const server = await startWithKeys();
  const keys = {
    title: 'in one message',
    columns: [grows('set', 'set, µs of server CPU'), grows('get', 'get of all (at most 200), µs')],
    ...(await contest({ rounds, contenders: KEYS.map((_, place) => withKeys(server, place)), say })),
  };
  await server.stop();
  const [{ name: fewest }, { name: most }] = [contenders[0], contenders.at(-1)];
  const [warm, cold] = ['set', 'coldSet'].map((key) => of(messages, most, key) / of(messages, fewest, key));
  const figure = `${warm.toFixed(2)} times; ${cold.toFixed(2)} times when the message is not in memory (${most})`;
  return { tables: [messages, keys], outcomes: { growth: { figure, isMet: Math.max(warm, cold) <= 1.3 } } };
}
