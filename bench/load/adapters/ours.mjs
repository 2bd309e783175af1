// Our server: votes by REST over the user's own connection, everybody's changes over the push connection.

import { connect as connectTo } from 'node:net';
import { once } from 'node:events';
import WebSocket from 'ws';
import { APP, COMMAND, path, requestId, sign } from '../../lib/ours.mjs';

export const user = (n) => `user${n}`;

/** A push connection that is logged in. */
export async function login({ port }, n) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v4/push`, { perMessageDeflate: false });
  await once(socket, 'open');
  socket.send(JSON.stringify({ Type: 'login', SDKAppID: APP, Identifier: user(n), UserSig: sign(user(n)) }));
  await once(socket, 'message');
  return socket;
}

export async function connect({ port, target, frame }, n, see) {
  const socket = await login({ port }, n);
  socket.on('message', (data) => {
    frame();
    for (const { ExtensionList = [] } of JSON.parse(data).Events ?? []) {
      for (const { Key } of ExtensionList) see(Number(Key.slice(4, -2)));
    }
  });
  const rest = connectTo({ port, host: '127.0.0.1', noDelay: true });
  await once(rest, 'connect');
  // As a page does that shows the vote before somebody presses a button.
  await post(rest, path(COMMAND.groupGet, user(n)), { ...target, StartSeq: 0 });
  const where = path(COMMAND.groupSet, user(n), requestId());
  return {
    vote: () => post(rest, where, { ...target, OperateType: 1, ExtensionList: [{ Key: `${user(n)}_0`, Value: '1', Seq: 0 }] }),
  };
}

/** A request on a connection that is open; the answer must be that all went well. */
async function post(rest, where, body) {
  const text = JSON.stringify(body);
  rest.write(`POST ${where} HTTP/1.1\r\nHost: bench\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  let answer = '';
  for (;;) {
    const [data] = await once(rest, 'data');
    answer += data;
    const [head, content] = answer.split('\r\n\r\n');
    if (content !== undefined && content.length >= Number(/content-length: (\d+)/i.exec(head)[1])) break;
  }
  if (/"ErrorCode":[^0]/.test(answer)) throw new Error(answer);
}
