// A client that was destroyed takes no memory: nothing holds it but who made it.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshModule, newUser, WASM } from './support/chat.js';
import { makeMessage, set } from './support/messages.js';
import { APP, sign, startServer } from './support/server.js';
import { until, watched } from './support/wait.js';

const CLIENTS = 200;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

let server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

test(`${CLIENTS} clients that were used and destroyed, one after the other, are collected`, async () => {
  const module = await freshModule();
  const userID = newUser('alice');
  const message = await makeMessage(server, userID, newUser('bob'));
  const other = await makeMessage(server, userID, newUser('bob'));
  await set(server, message, { a: '1' });

  /** Uses a client in the ways by which something might hold it; gives it weakly. */
  async function useAndDestroy() {
    const chat = module.create({ SDKAppID: APP, endpoint: server.url, wasm: WASM });
    await chat.login({ userID, userSig: sign(userID) });
    await new Promise((resolve) => chat.watchMessageExtensions(message, ({ synced }) => synced && resolve()));
    const open = watched(chat.getMessageExtensions(other));
    await expect(chat.destroy()).resolves.toMatchObject({ code: 0 });
    expect(open).toMatchObject({ status: 'rejected', value: { code: 9004 } });
    return new WeakRef(chat);
  }

  const clients = [];
  while (clients.length < CLIENTS) clients.push(await useAndDestroy());
  const left = () => clients.filter((client) => client.deref()).length;
  await until(
    () => `${left()} are left`,
    () => {
      collectGarbage();
      return left() === 0;
    },
  );
});

test('one of which nobody has more than a promise, or a watch, lives on until it is destroyed', async () => {
  const module = await freshModule();
  const userID = newUser('alice');
  const message = await makeMessage(server, userID, newUser('bob'));
  const make = () => module.create({ SDKAppID: APP, endpoint: server.url, wasm: WASM });
  const login = make().login({ userID, userSig: sign(userID) });
  collectGarbage();
  await expect(login).resolves.toMatchObject({ code: 0 });
  const values = [];
  make().watchMessageExtensions(message, ({ entries }) => values.push(...entries.map(({ value }) => value)));
  collectGarbage();
  await set(server, message, { a: '1' });
  await until('the watch was not told', () => {
    collectGarbage();
    return values.includes('1');
  });
  const destroyed = make().destroy();
  collectGarbage();
  await expect(destroyed).resolves.toMatchObject({ code: 0 });
});
