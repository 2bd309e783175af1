// The vendor's SDK, @tencentcloud/lite-chat with the plugin that has extensions, and as much of its server as it asks for,
// over its WebSocket in this process.

import { KEYS, asked, keyOf } from './fake.mjs';
import { message } from './message.mjs';

const PAGE = 200;
const TINY_ID = '144115198';
const encoder = new TextEncoder();
const decoder = new TextDecoder();

let socket;
const latest = new Map();
const latestOf = (message) => latest.get(message) ?? KEYS;

/** A frame, as the server sends it; `seq` and `servcmd` say which request it answers. */
const frame = (servcmd, seq, body) => encoder.encode(JSON.stringify({ head: { servcmd, seq }, body })).buffer;

/** A change by somebody else; delivered by {@link deliver}. */
export function change(message, key, value) {
  const seq = latestOf(message) + 1;
  latest.set(message, seq);
  const MsgExtensionNotify = {
    MsgOptType: 1,
    MsgLastSeq: seq,
    TinyId: TINY_ID,
    SetKVInfo: [{ MsgKeyValue: [{ Key: key, Value: value, Seq: seq }] }],
    ExtensionGroupMsgInfo: { GroupId: 'lunch', MsgSeq: message, MsgClientTime: 1_665_388_280, MsgRandom: message },
  };
  return frame('im_open_push.msg_push', 0, { EventArray: [{ Event: 1, MsgExtensionNotify }] });
}

export const deliver = (data) => socket.onmessage({ data });

function set({ MsgSeq, ExtensionList }) {
  const seq = latestOf(MsgSeq) + 1;
  latest.set(MsgSeq, seq);
  return { ExtensionList: ExtensionList.map(({ Key, Value }) => ({ ErrorCode: 0, Extension: { Key, Value, Seq: seq } })), Seq: seq };
}

/** The keys as they were at first; who has them asks for what is newer, and nothing is. */
function pull({ MsgSeq, StartSeq = 0 }) {
  const first = Math.max(StartSeq, 1);
  const last = Math.min(first + PAGE - 1, KEYS);
  const ExtensionList = [];
  for (let seq = first; seq <= last; seq += 1) ExtensionList.push({ Key: keyOf(seq), Value: 'value', Seq: seq });
  return { CompleteFlag: last === KEYS ? 1 : 0, LatestSeq: latestOf(MsgSeq), ClearSeq: 0, ExtensionList };
}

/** What each request is answered with; `{}` when it is not here. */
const ANSWERS = {
  'im_open_status.wslogin': () => ({
    HelloInterval: 300,
    InstId: 1,
    TinyId: TINY_ID,
    TimeStamp: Math.floor(Date.now() / 1000),
    A2Key: 'a2',
    RichMsgAuthKey: 'key',
    PurchaseBits: '1'.repeat(64),
  }),
  'recentcontact.page_get': () => ({ CompleteFlag: 1, SessionItem: [] }),
  'openim.getmsg': () => ({ SyncFlag: 2, MsgList: [], Cookie: '' }),
  'openim_msg_ext_http_svc.group_set_key_values': set,
  'openim_msg_ext_http_svc.group_get_key_values': pull,
};

class FakeWebSocket {
  readyState = 0;
  constructor() {
    socket = this;
    queueMicrotask(() => {
      this.readyState = 1;
      this.onopen?.({});
    });
  }
  send(data) {
    asked.requests += 1;
    const { head, body } = JSON.parse(typeof data === 'string' ? data : decoder.decode(data));
    const answer = { ActionStatus: 'OK', ErrorCode: 0, ErrorInfo: '', ...ANSWERS[head.servcmd]?.(body) };
    queueMicrotask(() => this.onmessage?.({ data: frame(head.servcmd, head.seq, answer) }));
  }
  close() {
    this.readyState = 3;
  }
}

/** As much of a page as it looks for. */
function pretendPage() {
  const nothing = () => {};
  const globals = {
    window: globalThis,
    navigator: { userAgent: 'bench', onLine: true },
    location: { href: 'http://chat.example/', hostname: 'chat.example', protocol: 'http:' },
    document: { addEventListener: nothing, removeEventListener: nothing, visibilityState: 'visible', hidden: false },
    localStorage: { getItem: () => null, setItem: nothing, removeItem: nothing },
    addEventListener: nothing,
    removeEventListener: nothing,
  };
  for (const [name, value] of Object.entries(globals)) globalThis[name] ??= value;
}

const named = (n) => message(n, `${TINY_ID}-1665388280-${n}`);

/** @param {{vendor: () => Promise<[object, object]>}} load imports the SDK and its plugin */
export async function open({ vendor }) {
  globalThis.WebSocket = FakeWebSocket;
  // It would open its socket in one, where this process is not.
  globalThis.Worker = undefined;
  if (typeof document === 'undefined') pretendPage();
  const [Chat, enhancer] = await vendor();
  const chat = Chat.create({ SDKAppID: 1_400_000_123 });
  chat.setLogLevel(4);
  chat.use(enhancer);
  const isReady = new Promise((resolve) => chat.on(Chat.EVENT.SDK_READY, resolve));
  await chat.login({ userID: 'alice', userSig: 'any' });
  await isReady;
  return {
    get: (n) => chat.getMessageExtensions(named(n)),
    set: (n, key, value) => chat.setMessageExtensions(named(n), [{ key, value }]),
    listen: (heard) => chat.on(Chat.EVENT.MESSAGE_EXTENSIONS_UPDATED, heard),
  };
}
