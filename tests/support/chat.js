// Clients in this process, on the packed package. A module has one instance an app, as a page has one user; a second user
// needs a second copy of the module, as a second page has.

import { copyOfModule, WASM } from './module.js';
import { APP, sign } from './server.js';
import { until } from './wait.js';

export { WASM };

let copies = 0;

/** A copy of the package's module that shares nothing with others. */
export async function freshModule() {
  copies += 1;
  return copyOfModule(copies);
}

const idle = [];
const open = [];

/** A client that nobody is logged in to; destroyed by {@link closeAll}. */
export async function newClient(endpoint, options = {}) {
  const module = idle.pop() ?? (await freshModule());
  const chat = module.create({ SDKAppID: APP, endpoint, wasm: WASM, ...options });
  open.push({ module, chat });
  return Object.assign(chat, { module });
}

let users = 0;
/** A UserID that no other test has. */
export const newUser = (name) => `${name}-${process.pid}-${(users += 1)}`;

/**
 * A client that is ready, with all its events in `chat.seen`.
 *
 * @param {string} endpoint
 * @param {string} [userID]
 * @param {object} [options] more for `create`
 */
export async function login(endpoint, userID = newUser('user'), options = {}) {
  const chat = recorded(await newClient(endpoint, options));
  await chat.login({ userID, userSig: sign(userID) });
  return Object.assign(chat, { userID });
}

/** Writes down every event of a client, in order. */
export function recorded(chat) {
  const { EVENT } = chat.module;
  chat.seen = [];
  for (const name of Object.values(EVENT)) chat.on(name, (event) => chat.seen.push(structuredClone(event)));
  /** The data of the events of one name. */
  chat.data = (name) => chat.seen.filter((event) => event.name === EVENT[name]).map((event) => event.data);
  /** The changes, in order: what is shown of a message when each is applied. */
  chat.changes = () => chat.seen.filter(({ name }) => name.startsWith('onMessageExtensions')).map((event) => event.data);
  return chat;
}

export async function closeAll() {
  for (const { module, chat } of open.splice(0)) {
    await chat.destroy();
    idle.push(module);
  }
}

/** Sends an extensible message of `from`; gives it as `from` has it and as each of `others` received it. */
export async function sendVote(from, conversationType, to, others = []) {
  const draft = from.createCustomMessage({
    to,
    conversationType,
    payload: { data: '{"title":"Lunch?"}', description: 'vote', extension: '' },
    isSupportExtension: true,
  });
  const { data } = await from.sendMessage(draft);
  const received = others.map((other) =>
    until('the message has not been received', () =>
      other.data('MESSAGE_RECEIVED').flat().find((message) => message.ID === draft.ID),
    ),
  );
  return [data.message, ...(await Promise.all(received))];
}
