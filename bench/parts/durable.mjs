// Compare-and-set, each on the disk before it is answered, over 64 connections that stay open.

import { startPostgres, startRedis } from '../lib/databases.mjs';
import { COMMAND, groupMessage, path, startOurs } from '../lib/ours.mjs';
import { LOAD } from '../lib/paths.mjs';
import { run } from '../lib/programs.mjs';
import { contest, of } from '../lib/rounds.mjs';
import { cpu } from '../lib/usage.mjs';

const CONNECTIONS = 64;
/** Messages of each connection, where there are many. */
const EACH = 32;

const connections = Array.from({ length: CONNECTIONS }, (_, n) => n);
const user = (n) => `user${n}`;

async function ours(store) {
  const server = await startOurs({ store });
  const all = await groupMessage(server, connections.map(user), { KeyOwner: { Suffix: '' } });
  // Messages of two users, registered one after the other, so that their MsgKeys can be counted through.
  for (const n of connections) {
    const made = Array.from({ length: EACH }, (_, i) =>
      server.call(COMMAND.register, { From_Account: 'anna', To_Account: user(n), MsgKey: `${n * EACH + i}_1_1700000000` }),
    );
    await Promise.all(made);
  }
  const set = (n, command, address) =>
    `${path(command, user(n), '{id}')} {${address},"OperateType":1,"ExtensionList":[{"Key":"${user(n)}","Value":"chosen","Seq":{seq}}]}`;
  return {
    ...server,
    protocol: 'http',
    plans: {
      many: (n) => `${n * EACH}\t1\t${EACH}\t${set(n, COMMAND.set, `"From_Account":"anna","To_Account":"${user(n)}","MsgKey":"{n}_1_1700000000"`)}`,
      hot: (n) => `0\t1\t1\t${set(n, COMMAND.groupSet, `"GroupId":"${all.GroupId}","MsgSeq":${all.MsgSeq}`)}`,
    },
  };
}

async function redis() {
  const server = await startRedis();
  const cas = (n, key) => `EVALSHA ${server.sha} 1 ${key} ${user(n)} {seq} chosen`;
  const plans = { many: (n) => `${n * EACH}\t1\t${EACH}\t${cas(n, 'm{n}')}`, hot: (n) => `0\t1\t1\t${cas(n, 'hot')}` };
  return { ...server, protocol: 'redis', plans };
}

async function postgres() {
  const server = await startPostgres();
  const cas = (n, message) => `SELECT cas('${message}', '${user(n)}', {seq}, 'chosen')`;
  const plans = { many: (n) => `${n * EACH}\t1\t${EACH}\t${cas(n, 'm{n}')}`, hot: (n) => `0\t1\t1\t${cas(n, 'hot')}` };
  return { ...server, protocol: 'postgres', plans };
}

/** Each works on data of its own that are new. */
const contender = (name, start, kind, seconds) => ({
  name,
  async run() {
    const server = await start();
    try {
      const used = cpu(server.pid);
      const plan = connections.map(server.plans[kind]).join('\n');
      const load = JSON.parse(await run(LOAD, [server.protocol, `127.0.0.1:${server.port}`, `${seconds}s`], { input: plan }));
      const microseconds = 1e6 / load.answers;
      return { rate: load.answers / load.seconds, p50: load.p50, p99: load.p99, cpu: used() * microseconds, load: load.cpu * microseconds };
    } finally {
      await server.stop();
    }
  },
});

const COLUMNS = [
  { key: 'rate', label: 'sets/s', isCompared: true, isMoreBetter: true },
  { key: 'p50', label: 'p50, ms' },
  { key: 'p99', label: 'p99, ms' },
  { key: 'cpu', label: 'server CPU a set, µs', isCompared: true },
  { key: 'load', label: "load's CPU a set, µs" },
];

export async function measure({ isQuick, rounds, say }) {
  const seconds = isQuick ? 1 : 3;
  const outcomes = {};
  const tables = [];
  for (const [kind, title] of [['many', `${CONNECTIONS * EACH} messages`], ['hot', 'one hot message']]) {
    say(title);
    const contenders = [
      contender('ours', () => ours('sqlite'), kind, seconds),
      contender('Redis, appendfsync always', redis, kind, seconds),
      contender('PostgreSQL', postgres, kind, seconds),
      contender('ours, nothing kept (`--store memory`)', () => ours('memory'), kind, seconds),
    ];
    const table = { title, columns: COLUMNS, ...(await contest({ rounds, contenders, say })) };
    tables.push(table);
    const [our, their] = [of(table, 'ours', 'rate'), of(table, 'Redis, appendfsync always', 'rate')];
    if (their) outcomes[kind] = { figure: `${(our / their).toFixed(2)} of Redis`, isMet: our >= their };
  }
  return { tables, outcomes };
}
