// What a request, a reply or a frame says, in a line for the inspector. The wire itself: docs/protocol.md.

/** @typedef {{what: string, text: string, seq: number | null, refused: boolean, json: string}} Described */

const OPERATIONS = ['', 'set', 'delete', 'clear'];

/** @type {Record<string, string>} */
const COMMANDS = { send_group_msg: 'send', group_msg_get_simple: 'list', group_get_key_values: 'pull', push: 'probe' };

/**
 * @param {string} command
 * @param {string} body
 * @returns {Described}
 */
export function describeRequest(command, body) {
  const json = parse(body);
  const what = COMMANDS[command] ?? OPERATIONS[json.OperateType] ?? command;
  // Each item says which Seq its writer has seen.
  const seqs = (json.ExtensionList ?? []).map((/** @type {any} */ item) => item.Seq);
  if (what === 'pull') return described(what, `StartSeq ${json.StartSeq ?? 0}`, null, json);
  if (what === 'send') return described(what, json.MsgBody?.[0]?.MsgContent?.Desc ?? '', null, json);
  return described(what, pairs(json.ExtensionList), seqs.length ? Math.max(...seqs) : null, json);
}

/**
 * @param {string} command
 * @param {string} body
 * @returns {Described}
 */
export function describeReply(command, body) {
  const json = parse(body);
  const what = command.endsWith('set_key_values') ? 'result' : `${COMMANDS[command] ?? command} result`;
  if (json.ErrorCode) return described(what, `${json.ErrorCode} ${json.ErrorInfo}`, null, json, true);
  /** @type {any[]} */
  const items = json.ExtensionList ?? [];
  const isSet = what === 'result';
  const refused = isSet && items.some((item) => item.ErrorCode);
  const text = isSet
    ? items.map((item) => (item.ErrorCode ? `${item.ErrorCode}: ${pairs([item.Extension])}` : 'OK')).join(', ') || 'OK'
    : json.RspMsgList ? `${json.RspMsgList.length} messages` : pairs(items) || 'OK';
  return described(what, text, json.Seq ?? json.LatestSeq ?? json.MsgSeq ?? null, json, refused);
}

/**
 * A frame of the push connection, in either direction; null for what only keeps it alive.
 *
 * @param {string} text
 * @returns {Described | null}
 */
export function describeFrame(text) {
  const json = parse(text);
  if (json.Type === 'ping' || json.Type === 'pong') return null;
  // Not for a screen that others may see.
  if (json.UserSig) json.UserSig = '…';
  /** @type {any[]} */
  const parts = json.Events ?? json.Messages ?? [];
  const seqs = parts.map((part) => part.LatestSeq ?? part.Seq ?? part.MsgSeq ?? 0);
  if (json.Type === 'resume') return described(json.Type, `${parts.length} messages`, null, json);
  return described(json.Type, parts.map(partText).filter(Boolean).join('; ') || (json.Identifier ?? ''), seqs.length ? Math.max(...seqs) : null, json);
}

/** @param {any} part an event, or a message of a resume */
function partText(part) {
  if (part.MsgBody) return `new message: ${part.MsgBody[0]?.MsgContent?.Desc ?? ''}`;
  const operation = OPERATIONS[part.OperateType];
  return [part.Author, operation, pairs(part.ExtensionList)].filter(Boolean).join(' ');
}

/** @param {{Key: string, Value: string}[]} [items] */
function pairs(items = []) {
  return items.map(({ Key, Value }) => (Value ? `${Key} = ${Value}` : Key)).join(', ');
}

/**
 * @param {string} what
 * @param {string} text
 * @param {number | null} seq
 * @param {unknown} json
 * @param {boolean} [refused]
 * @returns {Described}
 */
const described = (what, text, seq, json, refused = false) => ({ what, text, seq, refused, json: JSON.stringify(json, null, 1) });

/**
 * @param {string} text
 * @returns {any}
 */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
