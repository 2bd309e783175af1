// A server in the page: the machine of crates/testing at the end of an in-page network, and what a test does with it.

/* global CODES -- the numbers of crates/core/src/code.rs, put in by `cargo xtask build` */

import { InPageServer, initSync } from './message_extensions_testing.js';
import compiled from './message_extensions_testing_bg.wasm';
import { open } from './client.js';
import { MessageExtensionError } from './error.js';
import { decode } from './testing-wasm.js';
import { Network, announceOnline } from './testing-network.js';

/** The app admin, whom neither Seqs nor rules bind. */
const ADMIN = 'administrator';
const APP = 1_400_000_000;
/** Turns of the microtask queue after which whoever was told something has done what comes of it. */
const TURNS = 200;
/** The wasm, once a server is needed. */
let machinery;
const PUSH_EXISTS = { answer: '{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}' };
const CALLS = ['login', 'write', 'read', 'send', 'list'];
/** A registry that has every app: who asks it for a client only has the options checked. */
const ANY = { get: () => true };

export class TestServer {
  #settings;
  #now;
  #firstLatency;
  #latency = 0;
  /** The machine, the network before it, and what hands the one the other's inputs; made when they are first needed. */
  #world;
  #lines = new Map();
  /** Those of `create` that are one for each app, as in a page. */
  #instances = new Map();
  #lastRandom = 0;

  constructor(options = {}) {
    expect(isObject(options), 'options must be an object');
    const { limits = {}, latency = 0, now = () => Date.now() } = options;
    expect(isObject(limits), 'limits must be an object, such as { userWritesPerMinute: 5 }');
    expect(typeof now === 'function', 'now must be a function that gives milliseconds since 1970');
    this.#settings = JSON.stringify(limits);
    this.#now = now;
    this.#firstLatency = this.latency = latency;
    // What is wrong with them is said at once; without any, to import this does nothing.
    if (options.limits) this.#reached();
  }

  /** As the main entry's `create`: the same SDKAppID gives the same client, until it is destroyed. */
  static createOne(server, options) {
    return server.#create(options, server.#instances);
  }

  get latency() {
    return this.#latency;
  }

  set latency(latency) {
    const range = Array.isArray(latency) ? latency : [latency, latency];
    const isRange = range.length === 2 && range.every((ms) => Number.isFinite(ms) && ms >= 0) && range[0] <= range[1];
    expect(isRange, 'latency must be milliseconds, 0 or more, or [least, most]');
    this.#latency = latency;
  }

  // -------------------------------------------------------------------------------------------------------------- clients

  create(options) {
    return this.#create({ SDKAppID: APP, ...options }, new Map());
  }

  async login(userID, options) {
    expect(isText(userID), 'userID must be the name of a user, a string that is not empty');
    const chat = this.create(options);
    await chat.login({ userID, userSig: 'any' });
    return chat;
  }

  goOffline(chat) {
    this.#setOnline(chat, false);
  }

  goOnline(chat) {
    this.#setOnline(chat, true);
    announceOnline();
  }

  #setOnline(chat, isOnline) {
    const isOne = chat !== undefined;
    expect(!isOne || this.#lines.has(chat), 'chat must be a client of this server that was not destroyed, or left out for all of them');
    const { network } = this.#reached();
    // All of them are also those that come later.
    if (!isOne) network.isOnline = isOnline;
    for (const line of isOne ? [this.#lines.get(chat)] : this.#lines.values()) network.setOnline(line, isOnline);
  }

  #create(options, instances) {
    // The endpoint is judged, and then this one takes its place.
    open({ endpoint: 'http://in-page.test', ...options }, ANY);
    const { network } = this.#reached();
    let line;
    const registry = {
      get: (id) => instances.get(id),
      set: (id, chat) => {
        instances.set(id, chat);
        this.#lines.set(chat, line);
      },
      delete: (id) => {
        const chat = instances.get(id);
        instances.delete(id);
        this.#lines.delete(chat);
        network.release(line);
      },
    };
    const id = Number(options.SDKAppID);
    if (instances.has(id)) return instances.get(id);
    line = network.line();
    return open({ persistence: false, ...options, endpoint: line.url, wasm: undefined }, registry);
  }

  // ------------------------------------------------------------------------------------------------- groups and messages

  createGroup(groupID, members = [], { type = 'Public' } = {}) {
    this.#ask('group_open_http_svc/create_group', {
      Type: type,
      Name: groupID,
      GroupId: groupID,
      MemberList: users(members).map((user) => ({ Member_Account: user })),
    });
  }

  addMembers(groupID, members) {
    this.#ask('group_open_http_svc/add_group_member', {
      GroupId: groupID,
      MemberList: users(members).map((user) => ({ Member_Account: user })),
    });
  }

  removeMembers(groupID, members) {
    this.#ask('group_open_http_svc/delete_group_member', { GroupId: groupID, MemberToDel_Account: users(members) });
  }

  destroyGroup(groupID) {
    this.#ask('group_open_http_svc/destroy_group', { GroupId: groupID });
  }

  sendMessage(options) {
    expect(isObject(options), 'the message must be an object with from, to and conversationType');
    const { from, to, conversationType, payload, isSupportExtension = true, extensionRules } = options;
    expect(isText(from), 'from must be the UserID of the sender');
    expect(isText(to), 'to must be the UserID of the recipient, or the group ID');
    expect(conversationType === 'C2C' || conversationType === 'GROUP', "conversationType must be 'C2C' or 'GROUP'");
    expect(payload === undefined || isObject(payload), 'payload must be an object with data, description and extension');
    const isGroup = conversationType === 'GROUP';
    const random = (this.#lastRandom += 1);
    const clientTime = Math.floor(this.#now() / 1000);
    const content = { data: payload?.data ?? '', description: payload?.description ?? '', extension: payload?.extension ?? '' };
    const sent = this.#ask(isGroup ? 'group_open_http_svc/send_group_msg' : 'openim/sendmsg', {
      From_Account: from,
      ...(isGroup ? { GroupId: to, Random: random } : { To_Account: to, MsgSeq: random, MsgRandom: random }),
      SupportMessageExtension: isSupportExtension ? 1 : 0,
      ...(extensionRules && { ExtensionRules: onTheWire(extensionRules) }),
      MsgBody: [{ MsgType: 'TIMCustomElem', MsgContent: { Data: content.data, Desc: content.description, Ext: content.extension } }],
    });
    return {
      ID: sent.MessageID,
      conversationID: conversationType + to,
      conversationType,
      type: 'TIMCustomElem',
      from,
      to,
      flow: 'in',
      status: 'success',
      time: sent.MsgTime,
      clientTime,
      sequence: isGroup ? sent.MsgSeq : random,
      clientSequence: random,
      random,
      isSupportExtension,
      ...(extensionRules && { extensionRules }),
      payload: content,
    };
  }

  // ------------------------------------------------------------------------------------------------------------ extensions

  extensions(message) {
    return this.#entries(message).filter(({ value }) => value !== '');
  }

  set(message, extensions, { by = ADMIN } = {}) {
    expect(areExtensions(extensions), 'extensions must be an array of { key, value }, both strings');
    return this.#write(message, 1, extensions.map(({ key, value }) => ({ Key: key, Value: value })), by);
  }

  delete(message, keyList, { by = ADMIN } = {}) {
    expect(keyList === undefined || (Array.isArray(keyList) && keyList.every(isText)), 'keyList must be an array of keys, or left out for all of them');
    return keyList ? this.#write(message, 2, keyList.map((key) => ({ Key: key })), by) : this.#write(message, 3, [], by);
  }

  #write(message, OperateType, items, by) {
    expect(isText(by), 'by must be the UserID of who writes');
    const name = nameOf(message);
    // Whoever is no admin must say which Seq they know.
    const seqs = by === ADMIN ? undefined : new Map(this.#entries(message).map(({ key, seq }) => [key, seq]));
    const ExtensionList = items.map((item) => (seqs ? { ...item, Seq: seqs.get(item.Key) ?? 0 } : item));
    const reply = this.#ask(command(message, 'set_key_values'), { ...name, OperateType, ...(items.length > 0 && { ExtensionList }) }, by);
    return reply.ExtensionList.map(({ ErrorCode, Extension: { Key, Value } }) => ({ code: ErrorCode, key: Key, value: Value }));
  }

  /** Tombstones too, whose value is empty. */
  #entries(message) {
    const name = nameOf(message);
    const entries = [];
    let StartSeq = 1;
    for (;;) {
      const page = this.#ask(command(message, 'get_key_values'), { ...name, StartSeq, WithAuthor: 1 });
      entries.push(...page.ExtensionList.map(({ Key, Value, Seq, Author, Time }) => ({ key: Key, value: Value, seq: Seq, author: Author, time: Time })));
      if (page.CompleteFlag === 1) return entries;
      StartSeq = entries.at(-1).seq + 1;
    }
  }

  // ---------------------------------------------------------------------------------------------------- what shall go wrong

  refuse(code, options = {}) {
    expect(Number.isSafeInteger(code) && code > 0, 'code must be an error code, a positive integer');
    this.#fault({ code, ...faulty(options) });
  }

  loseAnswer(options = {}) {
    const fault = faulty(options);
    expect(fault.kind !== 'login', "call must not be 'login', which has no answer that could be lost");
    this.#fault(fault);
  }

  conflict(message, extensions, { by = ADMIN } = {}) {
    expect(areExtensions(extensions), 'extensions must be an array of { key, value }, both strings');
    expect(isText(by), 'by must be the UserID of who writes first');
    this.#tell({ what: 'rival', message: nameOf(message), by, extensions: extensions.map(({ key, value }) => [key, value]) });
  }

  heal() {
    this.#tell({ what: 'heal' });
  }

  #fault(fault) {
    this.#tell({ what: 'fault', ...fault });
  }

  // ------------------------------------------------------------------------------------------------------ between the tests

  async idle() {
    for (let turns = 0; turns < TURNS; turns += 1) {
      await null;
      if (!this.#world?.network.isBusy) continue;
      await this.#world?.network.settled();
      turns = 0;
    }
  }

  async reset() {
    // Those that it makes from here on are others.
    const [lines, world] = [this.#lines, this.#world];
    this.#world = undefined;
    this.#lines = new Map();
    this.latency = this.#firstLatency;
    await Promise.all([...lines.keys()].map((chat) => chat.destroy()));
    world?.network.end();
    world?.machine.free();
  }

  // ---------------------------------------------------------------------------------------------------------- the machine

  #reached() {
    this.#world ??= this.#makeWorld();
    return this.#world;
  }

  #makeWorld() {
    machinery ??= initSync({ module: decode(compiled) });
    const machine = said(() => new InPageServer(this.#settings));
    /** Hands the machine an input; what it says goes out, its answer is given. */
    const take = (input) => {
      const output = JSON.parse(said(() => machine.handle(JSON.stringify(input), this.#now())));
      network.deliver(output);
      return output;
    };
    const network = new Network(this.#delay, {
      // Without a body somebody only asks whether push exists.
      call: (request) => (request.body ? take({ what: 'call', ...parsed(request) }) : PUSH_EXISTS),
      opened: (connection) => take({ what: 'open', connection }),
      said: (connection, text) => take({ what: 'frame', connection, text }),
      closed: (connection) => take({ what: 'close', connection }),
    });
    return { machine, network, take };
  }

  #delay = () => {
    if (!Array.isArray(this.#latency)) return this.#latency;
    const [least, most] = this.#latency;
    return Math.round(least + Math.random() * (most - least));
  };

  #tell(input) {
    return this.#reached().take(input);
  }

  /** A call of the test's own: it takes no time, and nothing goes wrong with it. */
  #ask(path, body, identifier = ADMIN) {
    const [service, command] = path.split('/');
    const call = { what: 'call', service, command, identifier, usersig: 'test', isTest: true, body: JSON.stringify(body) };
    const reply = JSON.parse(this.#tell(call).answer);
    if (reply.ErrorCode !== 0) throw new MessageExtensionError(reply.ErrorCode, reply.ErrorInfo);
    return reply;
  }
}

/** What the machine refuses is an argument of the test's. */
function said(call) {
  try {
    return call();
  } catch (text) {
    throw new MessageExtensionError(CODES.INVALID_ARGUMENT, String(text));
  }
}

function parsed({ url, body }) {
  const { pathname, searchParams } = new URL(url);
  const [service, command] = pathname.split('/').slice(-2);
  return {
    service,
    command,
    identifier: searchParams.get('identifier') ?? '',
    usersig: searchParams.get('usersig') ?? '',
    requestId: searchParams.get('requestid'),
    body,
  };
}

const isGroup = ({ conversationType }) => conversationType === 'GROUP';
const command = (message, name) => `openim_msg_ext_http_svc/${isGroup(message) ? 'group_' : ''}${name}`;

function nameOf(message) {
  expect(isObject(message) && isText(message.to), 'message must be a message that was sent');
  const { conversationType, from, to, clientSequence, sequence, random, time } = message;
  if (isGroup(message)) return { GroupId: to, MsgSeq: sequence };
  expect(conversationType === 'C2C', "message.conversationType must be 'C2C' or 'GROUP'");
  return { From_Account: from, To_Account: to, MsgKey: `${clientSequence ?? sequence}_${random}_${time}` };
}

/** The rules as the SDK sends them: the names begin with a capital. */
function onTheWire(rules) {
  expect(isObject(rules), 'extensionRules must be an object');
  return Object.fromEntries(Object.entries(rules).map(([name, rule]) => [name[0].toUpperCase() + name.slice(1), rule]));
}

function faulty(options) {
  expect(isObject(options), 'options must be an object, such as { times: 2 }');
  const { call, user, times = 1 } = options;
  expect(call === undefined || CALLS.includes(call), `call must be one of ${CALLS.join(', ')}`);
  expect(user === undefined || isText(user), 'user must be a UserID');
  expect(times === Infinity || (Number.isSafeInteger(times) && times > 0), 'times must be a positive integer or Infinity');
  return { kind: call, user, ...(times !== Infinity && { times }) };
}

function users(members) {
  expect(Array.isArray(members) && members.every(isText), 'members must be an array of UserIDs');
  return members;
}

const isObject = (value) => typeof value === 'object' && value !== null;
const isText = (value) => typeof value === 'string' && value !== '';
const areExtensions = (list) => Array.isArray(list) && list.every((item) => isText(item?.key) && typeof item.value === 'string');

function expect(isGood, text) {
  if (!isGood) throw new MessageExtensionError(CODES.INVALID_ARGUMENT, text);
}
