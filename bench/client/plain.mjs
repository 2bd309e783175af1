// A client in plain JavaScript, as short as one that is right can be: the same protocol, a Map a message, merged by Seq. It
// knows no retry, no time limit, no queue, no watches, no order between calls, and checks nothing that it is handed.

import { install } from './fake.mjs';

export { change, deliver } from './fake.mjs';

class PlainClient {
  #messages = new Map();
  #listeners = new Set();
  #endpoint = 'http://chat.example';

  listen = (heard) => this.#listeners.add(heard);

  login() {
    this.socket = new WebSocket('ws://chat.example/v4/push');
    this.socket.onopen = () => this.socket.send(JSON.stringify({ Type: 'login', SDKAppID: 1, Identifier: 'alice', UserSig: 'any' }));
    return new Promise((resolve) => {
      this.socket.onmessage = ({ data }) => {
        const frame = JSON.parse(data);
        if (frame.Type === 'ready') resolve();
        for (const change of frame.Events ?? []) this.#apply(change);
      };
    });
  }

  #apply({ MsgSeq, MessageID, ExtensionList, Seq }) {
    const message = this.#messages.get(MsgSeq);
    if (message && message.latest + 1 !== Seq) return void this.#pull(MsgSeq, message.latest + 1);
    if (message) this.#merge(message, ExtensionList, Seq);
    const event = { messageID: MessageID, extensions: ExtensionList.map(({ Key, Value }) => ({ key: Key, value: Value })) };
    for (const heard of this.#listeners) heard({ name: 'updated', data: event });
  }

  #merge(message, items, latest) {
    for (const { Key, Value, Seq } of items) {
      if ((message.entries.get(Key)?.seq ?? 0) < Seq) message.entries.set(Key, { value: Value, seq: Seq });
    }
    message.latest = Math.max(message.latest, latest);
  }

  async #pull(n, start) {
    const message = this.#messages.get(n) ?? { entries: new Map(), latest: 0 };
    for (let next = start, isComplete = false; !isComplete; ) {
      const page = await this.#post('group_get_key_values', { GroupId: 'lunch', MsgSeq: n, StartSeq: next });
      isComplete = page.CompleteFlag === 1;
      next = page.ExtensionList.at(-1)?.Seq + 1;
      this.#merge(message, page.ExtensionList, isComplete ? page.LatestSeq : 0);
    }
    this.#messages.set(n, message);
    return message;
  }

  async get(n) {
    const { entries } = this.#messages.get(n) ?? (await this.#pull(n, 0));
    return { code: 0, data: { extensions: Array.from(entries, ([key, { value }]) => ({ key, value })) } };
  }

  async set(n, key, value) {
    const message = this.#messages.get(n) ?? (await this.#pull(n, 0));
    const item = { Key: key, Value: value, Seq: message.entries.get(key)?.seq ?? 0 };
    const reply = await this.#post('group_set_key_values', { GroupId: 'lunch', MsgSeq: n, OperateType: 1, ExtensionList: [item] });
    this.#merge(message, reply.ExtensionList.filter(({ ErrorCode }) => ErrorCode === 0).map(({ Extension }) => Extension), reply.Seq);
    return { code: 0, data: { extensions: reply.ExtensionList.map(({ ErrorCode, Extension }) => ({ code: ErrorCode, key: Extension.Key, value: Extension.Value })) } };
  }

  async #post(command, body) {
    const random = Math.floor(Math.random() * 2 ** 32);
    const url = `${this.#endpoint}/v4/openim_msg_ext_http_svc/${command}?sdkappid=1&identifier=alice&usersig=any&random=${random}&contenttype=json`;
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    const reply = JSON.parse(await response.text());
    if (reply.ErrorCode !== 0) throw new Error(reply.ErrorInfo);
    return reply;
  }
}

export async function open() {
  install();
  const client = new PlainClient();
  await client.login();
  return client;
}
