// Plays one case against a server: its message, its steps, its state at the end.

import { differences, isObject, shown } from './match.mjs';
import { Names } from './names.mjs';
import { Failure, Push, call } from './wire.mjs';

const EXTENSIONS = 'openim_msg_ext_http_svc';
/** The short names of commands: of the message's own kind. */
const SHORT = { set: 'set_key_values', pull: 'get_key_values' };
const BODY = [{ MsgType: 'TIMCustomElem', MsgContent: { Data: '', Desc: '', Ext: '' } }];
/** Pages of a pull, at most: a server whose pages do not end fails. */
const PAGES = 50;

/**
 * Plays a case with one kind of message; resolves with what failed, `undefined` when nothing did.
 *
 * @returns {Promise<undefined | {step: string, why: string[]}>}
 */
export async function play(server, story, kind) {
  const stage = new Stage(server);
  let step = 'the message';
  try {
    await stage.begin(kind, story.message);
    for (const [i, given] of story.steps.entries()) {
      for (let n = 1; n <= (given.times ?? 1); n += 1) {
        step = `step ${i + 1}${given.times ? `, time ${n}` : ''}: ${shown(given)}`;
        stage.names.bind('n', n);
        await stage.step(given);
      }
    }
    step = 'the state at the end';
    if (story.state) await stage.state(story.state);
    step = 'the push connections at the end';
    await stage.allQuiet();
    return undefined;
  } catch (error) {
    return { step, why: error instanceof Failure ? error.message.split('\n') : [String(error.stack ?? error)] };
  } finally {
    stage.end();
  }
}

class Stage {
  #server;
  #open = new Map();
  /** Messages that mark a moment: a user has them on every connection. */
  #marks = new Set();

  constructor(server) {
    this.#server = server;
    this.names = new Names(server);
  }

  /** Sends the message that the case is about, as an app admin, from alice. */
  async begin(kind, more = {}) {
    const { names } = this;
    const from = names.get('alice');
    const message = { From_Account: from, SupportMessageExtension: 1, MsgBody: BODY, ...names.fill(more) };
    if (kind === 'c2c') {
      const to = names.get('bob');
      const numbers = { MsgSeq: 44739199, MsgRandom: names.get('random') };
      const { MsgKey } = await this.#asAdmin('openim/sendmsg', { To_Account: to, ...numbers, ...message });
      names.bind('message', { From_Account: from, To_Account: to, MsgKey });
    }
    if (kind === 'group') {
      const GroupId = names.get('group');
      const members = ['bob', 'carol'].map((user) => ({ Member_Account: names.get(user) }));
      const group = { Owner_Account: from, Type: 'Public', Name: 'Lunch', GroupId, MemberList: members };
      await this.#asAdmin('group_open_http_svc/create_group', group);
      const sent = { GroupId, Random: names.get('random'), ...message };
      const { MsgSeq } = await this.#asAdmin('group_open_http_svc/send_group_msg', sent);
      names.bind('message', { GroupId, MsgSeq });
    }
  }

  async #asAdmin(path, body) {
    const answer = await call(this.#server, { path, url: this.#url('admin'), body: JSON.stringify(body) });
    this.#check({ ErrorCode: 0 }, answer);
    return answer;
  }

  #url(who) {
    const identifier = this.names.get(who);
    const usersig = this.names.get(`${who}.sig`);
    return { sdkappid: this.#server.app, identifier, usersig, random: 12, contenttype: 'json' };
  }

  #check(expected, actual) {
    const wrong = differences(this.names.fill(expected), actual, (name, value) => this.names.bind(name, value));
    if (wrong.length) throw new Failure(wrong.join('\n'));
  }

  async step(step) {
    if (step.call !== undefined) return this.#call(step);
    if (step.open) return this.#opens(step);
    const [kind] = ['send', 'events', 'frame', 'resumed', 'closed', 'quiet'].filter((one) => step[one]);
    const push = this.#open.get(step[kind]);
    if (!push) throw new Failure(`no push connection is called ${step[kind]}`);
    if (kind === 'send') return push.send(this.#said(step));
    if (kind === 'quiet') return this.#quiet(push);
    if (kind === 'frame') return this.#check(step.expect, await push.frame());
    if (kind === 'resumed') return this.#check(step.expect, await resumed(push));
    if (kind === 'events') {
      for (const expected of this.names.fill(step.expect)) this.#check(expected, await this.#event(push));
      return undefined;
    }
    const code = await push.end();
    this.#open.delete(step.closed);
    return this.#check(step.expect, code);
  }

  async #call(step) {
    const { names } = this;
    const isShort = Object.hasOwn(SHORT, step.call);
    const about = isShort ? names.fill(step.about ?? { $about: 'message' }) : {};
    const command = `${EXTENSIONS}/${about.GroupId === undefined ? '' : 'group_'}${SHORT[step.call]}`;
    const body = { ...about, ...names.fill(step.body ?? {}) };
    const answer = await call(this.#server, {
      path: isShort ? command : step.call,
      url: { ...this.#url(step.as), ...names.fill(step.url ?? {}) },
      method: step.method,
      body: step.raw || step.hex ? this.#said(step) : JSON.stringify(body),
    });
    const { ErrorCode } = answer;
    this.#check({ ErrorCode: 0, ...step.expect }, answer);
    const status = { ActionStatus: ErrorCode === 0 ? 'OK' : 'FAIL', ErrorInfo: ErrorCode === 0 ? '' : { $any: 'string' } };
    this.#check(status, answer);
  }

  #said({ frame, raw, hex }) {
    if (hex) return Buffer.from(hex, 'hex');
    return raw ? this.names.text(raw) : JSON.stringify(this.names.fill(frame));
  }

  async #opens(step) {
    const who = step.as ?? step.open;
    const { sdkappid, identifier, usersig } = this.#url(who);
    const isInUrl = step.login === 'url';
    const push = new Push(this.#server, isInUrl ? this.names.fill({ sdkappid, identifier, usersig, ...step.url }) : undefined);
    push.user = identifier;
    this.#open.set(step.open, push);
    await push.opened;
    if (step.login === 'none') return;
    if (!isInUrl) {
      const frame = { Type: 'login', SDKAppID: sdkappid, Identifier: identifier, UserSig: usersig };
      push.send(JSON.stringify(this.names.fill({ ...frame, ...step.frame })));
    }
    this.#check(step.expect ?? { Type: 'ready' }, await push.frame());
    if (step.expect) return;
    // Of several servers one may tell late what was before the login; it is no part of the story.
    push.known = await this.#latestSeq();
    const mark = await this.#mark(push);
    while ((await push.event()).MsgKey !== mark);
    this.#marks.add(mark);
  }

  /** The counter of the case's message; 0 if there is none to be pulled. */
  async #latestSeq() {
    if (!this.names.has('message')) return 0;
    const { path, address } = this.#pull();
    const answer = await call(this.#server, { path, url: this.#url('admin'), body: JSON.stringify(address) });
    return answer.LatestSeq ?? 0;
  }

  #pull() {
    const address = this.names.get('message');
    return { address, path: `${EXTENSIONS}/${address.GroupId === undefined ? '' : 'group_'}${SHORT.pull}` };
  }

  /** A message to whoever the connection is of: what was to be told before has come before it. Gives its MsgKey. */
  async #mark(push) {
    const MsgRandom = Math.floor(Math.random() * 2 ** 31);
    const to = { From_Account: this.names.get('admin'), To_Account: push.user, MsgRandom, MsgBody: BODY };
    const { MsgKey } = await this.#asAdmin('openim/sendmsg', to);
    return MsgKey;
  }

  async #quiet(push) {
    const mark = await this.#mark(push);
    const event = await this.#event(push);
    if (event.MsgKey !== mark) throw new Failure(`events: expected no more, got ${shown(event)}`);
    this.#marks.add(mark);
  }

  /** The next event that is neither another connection's mark nor a change from before the login. */
  async #event(push) {
    const isOld = (event) => event.OperateType && event.Seq <= push.known && this.#isOfMessage(event);
    let event;
    do event = await push.event();
    while (this.#marks.has(event.MsgKey) || isOld(event));
    return event;
  }

  #isOfMessage(event) {
    return Object.entries(this.names.get('message')).every(([name, value]) => event[name] === value);
  }

  async allQuiet() {
    for (const push of this.#open.values()) if (push.closed === undefined) await this.#quiet(push);
  }

  /** What an admin pulls from 0, all pages, and what from 1 besides. */
  async state(expected) {
    const wanted = expected === 'untouched' ? { LatestSeq: 0, ClearSeq: 0, entries: [] } : this.names.fill(expected);
    const { entries: listed, LatestSeq, ClearSeq } = await this.#pulled(0);
    // Pages after the first are pulled from a Seq past 0, and have tombstones.
    const entries = listed.filter(({ Value }) => Value !== '');
    this.#check({ LatestSeq: wanted.LatestSeq, ClearSeq: wanted.ClearSeq }, { LatestSeq, ClearSeq });
    if (wanted.count !== undefined) this.#check({ count: wanted.count }, { count: entries.length });
    else this.#compare('entries', wanted.entries, entries.map(({ Key, Value, Seq, Author }) => [Key, Value, Seq, Author]));
    const tombstones = (await this.#pulled(1)).entries.filter(({ Value }) => Value === '');
    this.#compare('tombstones', wanted.tombstones ?? [], tombstones.map(({ Key, Seq, Author }) => [Key, Seq, Author]));
  }

  /** Entries of one Seq come in any order. */
  #compare(what, expected, actual) {
    const sorted = (list) => list.map((entry) => JSON.stringify(entry)).sort();
    if (sorted(expected).join() !== sorted(actual).join()) {
      throw new Failure(`${what}: expected ${shown(expected)}, got ${shown(actual)}`);
    }
  }

  async #pulled(start) {
    const { path, address } = this.#pull();
    const entries = [];
    for (let StartSeq = start, page = 0; page < PAGES; page += 1) {
      const answer = await this.#asAdmin(path, { ...address, StartSeq, WithAuthor: 1 });
      this.#check({ ExtensionList: { $any: 'array' }, LatestSeq: { $any: 'integer' }, ClearSeq: { $any: 'integer' } }, answer);
      entries.push(...answer.ExtensionList);
      checkOrder(entries, answer);
      if (StartSeq === 0 && entries.some(({ Value }) => Value === '')) throw new Failure('a pull from 0: expected no deleted keys, got some');
      if (answer.CompleteFlag === 1) return { ...answer, entries };
      StartSeq = entries.at(-1).Seq + 1;
    }
    throw new Failure(`a pull from ${start}: expected an end, got ${PAGES} pages`);
  }

  end() {
    for (const push of this.#open.values()) push.close();
  }
}

/** What holds for every pull. */
function checkOrder(entries, { LatestSeq, ClearSeq, CompleteFlag }) {
  const seqs = entries.map(({ Seq }) => Seq);
  const isGood =
    seqs.every((seq, i) => Number.isInteger(seq) && seq > ClearSeq && seq <= LatestSeq && (i === 0 || seq >= seqs[i - 1])) &&
    (CompleteFlag === 1 || entries.length > 0);
  if (!isGood) throw new Failure(`a pull: expected ascending Seqs past ClearSeq ${ClearSeq} and up to LatestSeq ${LatestSeq}, got ${shown(seqs)}`);
}

/** What a resume is answered, over all its frames. */
async function resumed(push) {
  const messages = [];
  for (;;) {
    const frame = await push.frame();
    if (frame.Type !== 'resumed' || !Array.isArray(frame.Messages) || !frame.Messages.every(isObject)) {
      throw new Failure(`expected a frame of Type resumed, got ${shown(frame)}`);
    }
    messages.push(...frame.Messages);
    if (frame.Complete === 1) return messages;
  }
}
