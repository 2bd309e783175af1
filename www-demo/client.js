// One user's client: sign in, find the vote or start it, write, and hear what the others write.
// Everything here is the public API of the package; read this file to see how to use it.

import { create, EVENT, TYPES } from 'message-extensions';
import { codeOf, pairs } from './words.js';

/** Nothing is kept over a reload: the browser cannot. */
const STORAGE = 9007;

/** @typedef {import('message-extensions').Message} Message */
/** @typedef {import('message-extensions').MessageExtensionResult} Result */
/** @typedef {{title: string, options: string[]}} Vote */

/** @type {Vote} */
const LUNCH = {
  title: 'Where shall we have lunch?',
  options: ['Noodles', 'Sushi', 'Tacos', 'Soup and salad'],
};

/**
 * @param {import('./session.js').Session} session
 * @param {string} userID
 * @param {object} hooks
 * @param {ReturnType<typeof import('./log.js').createLog>} hooks.log
 * @param {(state: 'signing in' | 'loading' | 'waiting' | 'ready' | 'offline', text: string) => void} hooks.onState
 * @param {(vote: Vote, message: Message) => void} hooks.onVote
 * @param {(extensions: ReadonlyMap<string, string>) => void} hooks.onExtensions
 * @param {(error: unknown) => void} hooks.onError the vote cannot be shown
 * @param {(error: {code: number, message: string}) => void} hooks.onWarning an error that no call reports
 */
export function createClient(session, userID, { log, onState, onVote, onExtensions, onError, onWarning }) {
  const chat = create({ SDKAppID: session.sdkAppID });
  /** @type {Message | null} */
  let message = null;
  /** @type {Map<string, string>} */
  let extensions = new Map();
  /** Events seen: tells whether one came while a read was under way. */
  let seen = 0;

  chat.on(EVENT.SDK_READY, () => {
    log('event', 'SDK_READY');
    open().catch(onError);
  });
  chat.on(EVENT.SDK_NOT_READY, () => {
    log('event', 'SDK_NOT_READY');
    onState('offline', 'Signed out');
  });
  chat.on(EVENT.ERROR, ({ data }) => {
    log('refused', 'ERROR', `${data.code} ${data.message}`);
    // That nothing is kept over a reload is no reason to start again.
    if (data.code !== STORAGE) onWarning(data);
  });

  chat.on(EVENT.MESSAGE_RECEIVED, ({ data }) => {
    log('event', 'MESSAGE_RECEIVED', data.map((one) => `${one.from}: ${voteIn(one)?.title ?? one.type}`).join(', '));
    const vote = newestVote([...data, ...(message ? [message] : [])]);
    if (vote && vote.ID !== message?.ID) show(vote).catch(onError);
  });
  chat.on(EVENT.MESSAGE_EXTENSIONS_UPDATED, ({ data }) => {
    log('event', 'UPDATED', pairs(data.extensions));
    if (data.messageID !== message?.ID) return;
    seen += 1;
    for (const { key, value } of data.extensions) extensions.set(key, value);
    onExtensions(extensions);
  });
  chat.on(EVENT.MESSAGE_EXTENSIONS_DELETED, ({ data }) => {
    log('event', 'DELETED', data.keyList.join(', '));
    if (data.messageID !== message?.ID) return;
    seen += 1;
    for (const key of data.keyList) extensions.delete(key);
    onExtensions(extensions);
  });

  /** After each SDK_READY: the first, and one after being signed out. */
  async function open() {
    onState('loading', 'Loading the vote…');
    const found = message ?? (await findVote());
    if (found) return show(found);
    if (userID !== session.users[0]?.userID) {
      return onState('waiting', `Waiting for ${session.users[0]?.userID} to start the vote…`);
    }
    const draft = chat.createCustomMessage({
      to: session.groupID,
      conversationType: TYPES.CONV_GROUP,
      payload: { data: JSON.stringify(LUNCH), description: 'vote', extension: '' },
      isSupportExtension: true,
    });
    const sent = await logged(`sendMessage “${LUNCH.title}”`, chat.sendMessage(draft), () => 'sent');
    // Our own message may have come as an event before.
    if (!message) await show(sent.message);
  }

  /** The newest vote of the group, a few pages back at most. */
  async function findVote() {
    let before = /** @type {string | undefined} */ (undefined);
    for (let page = 0; page < 5; page += 1) {
      const { messageList, nextReqMessageID, isCompleted } = await logged(
        'getMessageList',
        chat.getMessageList({ conversationID: `GROUP${session.groupID}`, ...(before ? { nextReqMessageID: before } : {}) }),
        (data) => `${data.messageList.length} messages`,
      );
      const found = newestVote(messageList);
      if (found || isCompleted) return found;
      before = nextReqMessageID;
    }
    return null;
  }

  /** @param {Message} shown */
  async function show(shown) {
    const vote = voteIn(shown);
    if (!vote) return;
    if (message?.ID !== shown.ID) {
      message = shown;
      extensions = new Map();
    }
    let before;
    do {
      before = seen;
      const read = await logged('getMessageExtensions', chat.getMessageExtensions(shown), (data) => pairs(data.extensions));
      // Another vote has been opened meanwhile.
      if (message !== shown) return;
      extensions = new Map(read.extensions.map(({ key, value }) => [key, value]));
    } while (before !== seen);
    onVote(vote, shown);
    onExtensions(extensions);
    onState('ready', 'Signed in');
  }

  /**
   * Writes a call's outcome and its time to the log.
   *
   * @template Data
   * @param {string} call
   * @param {Promise<{code: 0, data: Data}>} promise
   * @param {(data: Data) => string} tell
   * @param {(data: Data) => boolean} [refused] whether the answer refuses something
   * @returns {Promise<Data>}
   */
  async function logged(call, promise, tell, refused = () => false) {
    const start = performance.now();
    const took = () => `${Math.round(performance.now() - start)} ms`;
    try {
      const { code, data } = await promise;
      log(refused(data) ? 'refused' : 'call', call, `→ ${code}, ${tell(data)}, ${took()}`);
      return data;
    } catch (error) {
      log('refused', call, `→ ${codeOf(error)}, ${took()}`);
      throw error;
    }
  }

  /** @param {Result} item */
  const tellItem = (item) => (item.code === 0 ? 'stored' : `item ${item.code}, the server has ${item.key} = ${item.value}`);

  /** @param {{extensions: Result[]}} data */
  const anyRefused = (data) => data.extensions.some((item) => item.code !== 0);

  return {
    async start() {
      const user = session.users.find((one) => one.userID === userID);
      if (!user) throw new Error(`session.json has no user “${userID}”.`);
      onState('signing in', 'Signing in…');
      await logged(`login ${userID}`, chat.login(user), (data) => data.actionStatus);
    },

    /**
     * @param {string} key
     * @param {string} value
     * @returns {Promise<Result>} the one key's result: look at its code
     */
    async set(key, value) {
      if (!message) throw new Error('There is no vote yet.');
      const { extensions: [item] } = await logged(
        `set ${key} = ${value}`,
        chat.setMessageExtensions(message, [{ key, value }]),
        (data) => data.extensions.map(tellItem).join(', '),
        anyRefused,
      );
      if (!item) throw new Error('The server’s answer has no item.');
      return item;
    },

    /**
     * @param {string} key
     * @returns {Promise<Result>}
     */
    async remove(key) {
      if (!message) throw new Error('There is no vote yet.');
      const { extensions: [item] } = await logged(
        `delete ${key}`,
        chat.deleteMessageExtensions(message, [key]),
        (data) => data.extensions.map((one) => (one.code === 0 ? 'deleted' : tellItem(one))).join(', '),
        anyRefused,
      );
      if (!item) throw new Error('The server’s answer has no item.');
      return item;
    },
  };
}

/**
 * The vote that a message carries, if it is one.
 *
 * @param {Message} message
 * @returns {Vote | null}
 */
function voteIn(message) {
  if (message.type !== 'TIMCustomElem' || message.payload.description !== 'vote' || !message.isSupportExtension) return null;
  try {
    const { title, options } = JSON.parse(message.payload.data);
    return typeof title === 'string' && Array.isArray(options) && options.length > 1 ? { title, options: options.map(String) } : null;
  } catch {
    return null;
  }
}

/**
 * @param {Message[]} messages
 * @returns {Message | null}
 */
function newestVote(messages) {
  return messages.filter(voteIn).reduce(
    (/** @type {Message | null} */ newest, one) => (newest && newest.sequence >= one.sequence ? newest : one),
    null,
  );
}
