// What has really happened to a message: the server's webhooks, which tell every change, in order, also after a kill.

import { createServer } from 'node:http';
import { once } from 'node:events';
import { until } from './wait.js';

const KINDS = { 1: 'set', 2: 'delete', 3: 'clear' };

export async function startHistory() {
  const changes = new Map();
  const receiver = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const { Seq, OperateType, Author, ExtensionList } = JSON.parse(text);
    if (Seq) {
      const items = ExtensionList.map(({ Key, Value = '' }) => ({ key: Key, value: Value }));
      const change = { seq: Seq, kind: KINDS[OperateType], author: Author, items };
      const before = changes.get(Seq);
      if (before && JSON.stringify(before) !== JSON.stringify(change)) throw new Error(`two changes with Seq ${Seq}: ${text}`);
      changes.set(Seq, change);
    }
    response.end('{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}');
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  return {
    flags: ['--webhook', `http://127.0.0.1:${receiver.address().port}/`, '--webhook-secret', 'a key'],
    /** All changes up to a Seq, once each of them has been told. */
    async upTo(seq) {
      const all = Array.from({ length: seq }, (_, i) => i + 1);
      const missing = () => all.filter((one) => !changes.has(one));
      await until(() => `the webhooks have not told of ${missing()}`, () => missing().length === 0);
      return all.map((one) => changes.get(one));
    },
    async close() {
      receiver.close();
      receiver.closeAllConnections();
      await once(receiver, 'close');
    },
  };
}
