// One message, some users, a bad network for each, a server that is killed now and then; at the end everything comes to
// rest, and is held against what was promised.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCrowd } from './crowds.js';
import { startFaultProxy } from './fault-proxy.js';
import { startHistory } from './history.js';
import { get, makeGroup, makeGroupMessage, set } from './messages.js';
import { seeded } from './pages/seeded.js';
import { broken } from './promises.js';
import { APP, sign, startServer } from './server.js';
import { makeSite } from './site.js';
import { deferred, until } from './wait.js';

/** How many times faster the clock of the clients goes: what they wait 35 s for comes after 3.5. */
const SPEED = 10;
/** Of all users, wherever they are. */
const USERS = 6;
/** So long does a network stay as it is, milliseconds, at most. */
const PHASE = 1_200;
const PHASES = { faulty: 10, healthy: 4, refusing: 2, silent: 2 };
/** How many of the faults happen in a faulty phase. */
const RATES = [0.2, 0.5, 1];
/** So long is nobody connected, and does nothing, milliseconds of the clients' clock. */
const IDLE = 20_000;
/** What a client that does nothing may try in that time: its socket, what it watches, and what waits to be sent. */
const MOST_TRIED = 60;
const UNLIMITED = ['writes-per-minute', 'user-writes-per-minute', 'admin-calls-per-second', 'user-calls-per-second'].flatMap((name) => [`--${name}`, '0']);

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const sum = (list) => list.reduce((all, one) => all + one, 0);

/**
 * @param {object} given
 * @param {number} given.seed
 * @param {string[]} given.hosts where the users are, see `crowds.js`
 * @param {number} [given.calls] how many calls each user makes
 * @param {boolean} [given.isHealthy] whether the network never goes bad
 * @param {object} [given.plant] see `fault-proxy.js`
 * @returns {Promise<{wrong: string[], said: string}>} what is broken, and what was done
 */
export async function round({ seed, hosts, calls = 30, isHealthy = false, plant }) {
  const random = seeded(seed);
  const counts = new Map();
  const count = (what) => counts.set(what, (counts.get(what) ?? 0) + 1);
  const data = mkdtempSync(join(tmpdir(), 'message-extensions-'));
  const site = makeSite();
  const history = await startHistory();
  const options = { data, staticDir: site.folder, flags: [...UNLIMITED, ...history.flags] };
  let server = await startServer(options);
  const { port, url } = server;
  const proxies = [];
  const crowds = [];
  const under = [];
  let isTrouble = !isHealthy;
  const { promise: over, resolve: end } = deferred();
  /** No longer than until the trouble is over. */
  const pause = (milliseconds) => Promise.race([sleep(milliseconds), over]);

  async function trouble(proxy, random) {
    while (isTrouble) {
      const mode = random.weighed(PHASES);
      count(mode);
      proxy.set(mode, random.pick(RATES));
      await pause(random.below(PHASE));
    }
  }

  async function kills(random) {
    for (;;) {
      await pause(500 + random.below(2_500));
      if (!isTrouble) return;
      count('kills');
      await server.kill();
      await sleep(random.below(500));
      server = await startServer({ ...options, port });
    }
  }

  try {
    const users = Array.from({ length: USERS }, (_, i) => `user-${i}`);
    await makeGroup(server, 'lunch', users);
    const message = await makeGroupMessage(server, users[0], 'lunch');
    for (const _ of users) proxies.push(await startFaultProxy({ port }, { random: random.fork(), counts, plant }));
    const given = users.map((userID, i) => ({
      userID,
      userSig: sign(userID),
      seed: random.below(2 ** 31),
      options: { SDKAppID: APP, endpoint: proxies[i].url, offline: random.chance(0.5), persistence: random.chance(0.5) },
    }));
    crowds.push(...(await Promise.all(hosts.map((host) => startCrowd(host, { url })))));
    const all = async (method, ...args) => (await Promise.all(crowds.map((crowd) => crowd.do(method, ...args)))).flat();
    await Promise.all(crowds.map((crowd, i) => crowd.do('open', given.filter((_, n) => n % crowds.length === i), message, isHealthy ? 1 : SPEED)));

    // Bad times.
    const hasClears = random.chance(0.3);
    if (!isHealthy) under.push(...proxies.map((proxy) => trouble(proxy, random.fork())), kills(random.fork()));
    await all('begin', hasClears);
    await until('nobody does anything', async () => (await all('states')).every((state) => state.calls >= calls));
    await all('rest');
    isTrouble = false;
    end();
    await Promise.all(under);

    // Nobody is connected: every call settles, and then it is quiet.
    if (!isHealthy) for (const proxy of proxies) proxy.set(random.pick(['refusing', 'silent']));
    let states;
    const isOpen = async () => (states = await all('states')).some(({ pending }) => pending > 0);
    await until(() => `calls are open without a network: ${JSON.stringify(states)}`, async () => !(await isOpen()));
    const tried = () => proxies.map(({ connections }) => connections);
    const before = tried();
    if (!isHealthy) await sleep(IDLE / SPEED);
    const tries = tried().map((after, i) => after - before[i]);
    const hot = tries.flatMap((times, i) => (times > MOST_TRIED ? [`${users[i]} has tried ${times} times in ${IDLE / 1000} s to connect`] : []));
    if (hot.length) throw new Error(hot.join('; '));

    // Good times.
    for (const proxy of proxies) {
      proxy.set('healthy');
      proxy.unplant();
    }
    await until('requests are on their way', () => proxies.every((proxy) => proxy.isIdle()));
    await all('end');
    /** Everybody shows these keys, and nothing of their own that has no answer. */
    const showing = (keys) => {
      const is = ({ pending, own, synced, shown }) => !pending && !own && synced && keys.every((key) => shown[key]);
      return until(() => `not at rest: ${JSON.stringify(states.filter((state) => !is(state)))}`, async () => (states = await all('states')).every(is));
    };
    const ends = users.map((user) => `${user}_end`);
    await showing(ends);
    await set(server, message, { last: 'z' });
    await showing([...ends, 'last']);
    const { seq, values } = await get(server, message);
    const records = await all('all');
    const changes = await history.upTo(seq);
    const tooLate = proxies.flatMap((proxy) => proxy.tooLate);
    const wrong = [
      ...records.flatMap(({ mistakes }) => mistakes),
      ...broken({ users: records.flatMap((record) => record.users), history: changes, truth: values, tooLate }),
    ];
    if (wrong.length && process.env.FAULT_RECORDS) {
      writeFileSync(join(process.env.FAULT_RECORDS, `${seed}.json`), JSON.stringify({ wrong, given, records, changes }, null, 1));
    }
    const made = sum(states.map((state) => state.calls));
    const requests = sum(proxies.map((proxy) => proxy.requests));
    const faults = [...counts].sort().map(([name, times]) => `${name} ${times}`);
    const said = `${hosts.join(', ')}: ${made} calls, ${seq} changes, ${requests} requests, ${sum(proxies.map((proxy) => proxy.upgrades))} connections, ${Math.max(...tries)} tries while idle at most, ${tooLate.length} too late, ${faults.join(', ')}, seed ${seed}`;
    return { wrong, said };
  } finally {
    isTrouble = false;
    end();
    await Promise.allSettled(under);
    await Promise.all(crowds.map((crowd) => crowd.stop()));
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await server.kill();
    await history.close();
    site.remove();
    rmSync(data, { recursive: true });
  }
}
