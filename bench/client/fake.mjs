// The network of a client that is measured alone: `fetch` and `WebSocket` that answer at once, from this process. What a
// page pays before the network, making a Request and reading a Response, is paid.

export const KEYS = 300;
const PAGE = 200;
export const keyOf = (n) => `voter-${n}`;

/** How often the network was asked. */
export const asked = { requests: 0 };

/** The Seq of each message: at first its keys were set one by one. */
const latest = new Map();
const latestOf = (message) => latest.get(message) ?? KEYS;

let socket;

/** A change by somebody else, as the server pushes it; delivered by {@link deliver}. */
export function change(message, key, value) {
  const seq = latestOf(message) + 1;
  latest.set(message, seq);
  const about = { CallbackCommand: 'Group.CallbackAfterGroupMsgExtension', GroupId: 'lunch', MsgSeq: message, OperateType: 1 };
  const entries = { ExtensionList: [{ Key: key, Value: value, Seq: seq }], Seq: seq, EventTime: 1_665_388_301_234, Author: 'bob' };
  return JSON.stringify({ Type: 'push', Events: [{ ...about, ...entries, MessageID: `bob-1665388280-${message}` }] });
}

export const deliver = (data) => socket.onmessage({ data });
const hear = (frame) => deliver(JSON.stringify(frame));

const soon = (work) => queueMicrotask(work);

class FakeWebSocket {
  readyState = 0;
  constructor() {
    socket = this;
    soon(() => {
      this.readyState = 1;
      this.onopen?.({});
    });
  }
  send(text) {
    const { Type, Messages } = JSON.parse(text);
    if (Type === 'login') soon(() => hear({ Type: 'ready' }));
    if (Type === 'ping') soon(() => hear({ Type: 'pong' }));
    if (Type === 'resume') soon(() => hear({ Type: 'resumed', Messages: Messages.slice(0, 0), Complete: 1 }));
  }
  close() {
    this.readyState = 3;
  }
}

const OK = { ActionStatus: 'OK', ErrorInfo: '', ErrorCode: 0 };

function set({ MsgSeq, ExtensionList }) {
  const seq = latestOf(MsgSeq) + 1;
  latest.set(MsgSeq, seq);
  const items = ExtensionList.map(({ Key, Value }) => ({ ErrorCode: 0, Extension: { Key, Value, Seq: seq } }));
  return { ...OK, ExtensionList: items, Seq: seq };
}

/** The keys as they were at first; nobody pulls after a change here. */
function pull({ MsgSeq, StartSeq = 0 }) {
  const first = Math.max(StartSeq, 1);
  const last = Math.min(first + PAGE - 1, KEYS);
  const ExtensionList = [];
  for (let seq = first; seq <= last; seq += 1) {
    ExtensionList.push({ Key: keyOf(seq), Value: 'value', Seq: seq, Author: 'bob', Time: 1_665_388_290_123 });
  }
  return { ...OK, CompleteFlag: last === KEYS ? 1 : 0, LatestSeq: latestOf(MsgSeq), ClearSeq: 0, ExtensionList };
}

async function fakeFetch(request, init) {
  asked.requests += 1;
  const isRequest = request instanceof Request;
  const body = JSON.parse((isRequest ? await request.text() : init?.body) || '{}');
  const url = isRequest ? request.url : request;
  const answer = url.includes('/push') ? {} : url.includes('group_set') ? set(body) : pull(body);
  return new Response(JSON.stringify(answer));
}

/** In the place of the host's. */
export function install() {
  globalThis.fetch = fakeFetch;
  globalThis.WebSocket = FakeWebSocket;
}
