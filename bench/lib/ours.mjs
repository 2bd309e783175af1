// Our server as it is released, and calls to it.

import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { SERVER, folder } from './paths.mjs';
import { start } from './programs.mjs';

const { Api } = createRequire(import.meta.url)('tls-sig-api-v2');

export const APP = 1_400_000_123;
export const ADMIN = 'administrator';
const SECRET = 'a-secret-that-only-the-benchmarks-use';
const api = new Api(APP, SECRET);

export const sign = (user) => api.genUserSig(user, 86_400);

/** Everything is counted against its limit, and none is reached. */
const MANY = '1000000000';
const LIMITS = ['live-keys', 'writes-per-minute', 'user-writes-per-minute', 'admin-calls-per-second', 'user-calls-per-second'];

/** @param {{store?: 'sqlite' | 'memory', data?: string, flags?: string[]}} [options] */
export async function startOurs({ store = 'sqlite', data, flags = [] } = {}) {
  const where = store === 'sqlite' ? ['--data', data ?? folder('data')] : ['--store', store];
  const limits = LIMITS.flatMap((name) => [`--${name}`, MANY]);
  const args = ['--sdk-app-id', String(APP), '--admin', ADMIN, '--listen', '127.0.0.1:0', ...where, ...limits, ...flags];
  const server = await start(SERVER, args, {
    says: /^listening on (http:\/\/127\.0\.0\.1:(\d+))$/,
    env: { MESSAGE_EXTENSIONS_SECRET_KEY: SECRET, RUST_LOG: 'warn' },
  });
  const [, url, port] = server.match;
  return { ...server, url, port: Number(port), call: (command, body, user) => call(url, command, body, user) };
}

/** The path of a call by this user; `{id}` at its end is the request id, if it is to have one. */
export function path(command, user, id = '') {
  const query = new URLSearchParams({ sdkappid: APP, identifier: user, usersig: sign(user), random: 7, contenttype: 'json' });
  return `/v4/${command}?${query}${id && `&requestid=${id}`}`;
}

export const requestId = () => randomBytes(16).toString('hex');

/** A call that must succeed; by an app admin unless `user` says otherwise. */
async function call(url, command, body, user = ADMIN) {
  const response = await fetch(`${url}${path(command, user)}`, { method: 'POST', body: JSON.stringify(body) });
  const reply = await response.json();
  if (reply.ErrorCode !== 0) throw new Error(`${command}: ${reply.ErrorCode} ${reply.ErrorInfo}`);
  return reply;
}

export const COMMAND = {
  set: 'openim_msg_ext_http_svc/set_key_values',
  get: 'openim_msg_ext_http_svc/get_key_values',
  groupSet: 'openim_msg_ext_http_svc/group_set_key_values',
  groupGet: 'openim_msg_ext_http_svc/group_get_key_values',
  register: 'openim_msg_ext_http_svc/register_message',
};

/** A group of all these, and a message in it; gives the message's address. */
export async function groupMessage(server, users, rules) {
  const GroupId = `group-${requestId().slice(0, 8)}`;
  const members = (some) => some.map((user) => ({ Member_Account: user }));
  await server.call('group_open_http_svc/create_group', { Type: 'Public', Name: 'All', GroupId, MemberList: members(users.slice(0, 100)) });
  for (let first = 100; first < users.length; first += 500) {
    await server.call('group_open_http_svc/add_group_member', { GroupId, MemberList: members(users.slice(first, first + 500)) });
  }
  const { MsgSeq } = await server.call('group_open_http_svc/send_group_msg', {
    GroupId,
    From_Account: users[0],
    Random: 7,
    SupportMessageExtension: 1,
    ExtensionRules: rules,
    MsgBody: [{ MsgType: 'TIMCustomElem', MsgContent: { Data: 'vote', Desc: '', Ext: '' } }],
  });
  return { GroupId, MsgSeq };
}
