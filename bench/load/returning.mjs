// One user who has cached many messages, is away while some of them change, and comes back:
// `node returning.mjs '{"how":"resume"|"pulls","port":…,"pid":…,"messages":…,"changed":…}'` prints one line of JSON.

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import { APP, COMMAND, path, sign } from '../lib/ours.mjs';
import { cpu } from '../lib/usage.mjs';

const { how, port, pid, messages, changed } = JSON.parse(process.argv[2]);
const url = `http://127.0.0.1:${port}`;
const all = Array.from({ length: messages }, (_, n) => n);
const address = (n) => ({ From_Account: 'anna', To_Account: 'bob', MsgKey: `${n}_1_1700000000` });
/** A page has so many connections to a server. */
const AT_ONCE = 6;

async function post(command, user, body) {
  const [where, text] = [path(command, user), JSON.stringify(body)];
  const response = await fetch(`${url}${where}`, { method: 'POST', body: text });
  const answer = await response.text();
  if (!answer.includes('"ErrorCode":0')) throw new Error(answer);
  return { answer, bytes: where.length + text.length + answer.length };
}

async function each(items, atOnce, work) {
  const left = [...items];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (left.length > 0) await work(left.shift());
  }));
}

/** While the user is away; spread over all. */
const change = () =>
  each(all.filter((n) => n % (messages / changed) === 0), 20, (n) =>
    post(COMMAND.set, 'administrator', { ...address(n), OperateType: 1, ExtensionList: [{ Key: 'key-0', Value: `changed-${Date.now()}` }] }),
  );

/** Counts from now on; gives what was used. */
function count() {
  const [used, own, begun] = [cpu(pid), process.cpuUsage(), performance.now()];
  return () => {
    const { user, system } = process.cpuUsage(own);
    return { time: performance.now() - begun, server: used() * 1000, client: (user + system) / 1000 };
  };
}

async function byPulls() {
  const known = new Map();
  await each(all, AT_ONCE, async (n) => known.set(n, JSON.parse((await post(COMMAND.get, 'bob', { ...address(n), StartSeq: 0 })).answer).LatestSeq));
  await change();
  const done = count();
  let [bytes, news] = [0, 0];
  await each(all, AT_ONCE, async (n) => {
    const reply = await post(COMMAND.get, 'bob', { ...address(n), StartSeq: known.get(n) + 1 });
    bytes += reply.bytes;
    news += JSON.parse(reply.answer).ExtensionList.length;
  });
  if (news !== changed) throw new Error(`${news} changes`);
  return { ...done(), bytes: bytes / 1000, frames: messages * 2 };
}

async function byResume() {
  const traffic = { bytes: 0, frames: 0 };
  let [isOnline, socket, done, complete] = [true, undefined, undefined, undefined];
  const isBack = new Promise((resolve) => (complete = resolve));
  const carry = (text) => {
    traffic.bytes += text.length / 1000;
    traffic.frames += 1;
  };
  globalThis.WebSocket = class extends WebSocket {
    constructor(where) {
      super(isOnline ? where : 'ws://127.0.0.1:1', { perMessageDeflate: false });
      socket = this;
      this.on('error', () => {});
      this.on('open', () => {
        if (traffic.isCounted) done = count();
      });
      this.on('message', (data) => {
        carry(data);
        if (data.includes('"Complete":1')) complete();
      });
    }
    send(text) {
      carry(text);
      super.send(text);
    }
  };
  const { create, EVENT } = await import('message-extensions');
  const wasm = await readFile(new URL(import.meta.resolve('message-extensions/wasm')));
  const chat = create({ SDKAppID: APP, endpoint: url, wasm, persistence: false });
  await chat.login({ userID: 'bob', userSig: sign('bob') });
  const message = (n) => ({
    ID: `anna-1700000000-${n}`, conversationType: 'C2C', conversationID: 'C2Canna', from: 'anna', to: 'bob', flow: 'in', clientSequence: n,
    random: 1, time: 1_700_000_000, status: 'success', isSupportExtension: true,
  });
  await each(all, AT_ONCE, (n) => chat.getMessageExtensions(message(n)));
  let heard = 0;
  let hearAll;
  const hasHeard = new Promise((resolve) => (hearAll = resolve));
  chat.on(EVENT.MESSAGE_EXTENSIONS_UPDATED, () => {
    heard += 1;
    if (heard === changed) hearAll();
  });
  isOnline = false;
  socket.terminate();
  await sleep(200);
  await change();
  Object.assign(traffic, { bytes: 0, frames: 0, isCounted: true });
  isOnline = true;
  await Promise.all([isBack, hasHeard]);
  const { isCounted: _, ...carried } = traffic;
  return { ...done(), ...carried };
}

console.log(JSON.stringify(await (how === 'resume' ? byResume() : byPulls())));
process.exit(0);
