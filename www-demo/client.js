// One user's client: signs in, finds the messages of the group or sends them, and hears of new ones. What is on the
// messages, each card watches by itself.

import { create, EVENT, isMessageExtensionError } from 'message-extensions';
import { messageOf, topicOf, topics } from './topics.js';

/** @typedef {import('message-extensions').Message} Message */
/** @typedef {import('./topics.js').Topic} Topic */

/**
 * @param {import('./session.js').Session} session
 * @param {string} userID
 * @param {(topic: Topic, message: Message) => void} onMessage the message that a topic is about now
 */
export function createClient(session, userID, onMessage) {
  const chat = create({ SDKAppID: session.sdkAppID, offline: true });
  const { groupID } = session;
  // The package keeps what is on messages. The messages themselves are your chat's to keep.
  const kept = `messages of ${groupID} ${userID}`;
  /** @type {Partial<Record<Topic, Message>>} */
  const current = {};

  chat.on(EVENT.SDK_READY, async () => {
    Object.values(JSON.parse(localStorage.getItem(kept) ?? '{}')).forEach(take);
    await refresh();
  });
  chat.on(EVENT.MESSAGE_RECEIVED, ({ data }) => data.forEach(take));

  /** @param {Message} message */
  function take(message) {
    const topic = topicOf(message);
    if (!topic || message.sequence <= (current[topic]?.sequence ?? 0)) return;
    current[topic] = message;
    localStorage.setItem(kept, JSON.stringify(current));
    onMessage(topic, message);
  }

  /** @type {Promise<void> | null} */
  let refreshing = null;
  const refresh = () => (refreshing ??= find().finally(() => (refreshing = null)));

  /** The group's messages, from the newest on, until there is one of each topic. The first user sends what is missing. */
  async function find() {
    try {
      let page;
      do {
        const before = page && { nextReqMessageID: page.nextReqMessageID };
        ({ data: page } = await chat.getMessageList({ conversationID: `GROUP${groupID}`, ...before }));
        page.messageList.forEach(take);
      } while (!page.isCompleted && topics.some((topic) => !current[topic]));
      if (userID !== session.users[0]?.userID) return;
      for (const topic of topics) if (!current[topic]) await start(topic);
    } catch (error) {
      // Without network, what was kept is shown; the panel comes back to this when it is connected again.
      if (!isMessageExtensionError(error)) throw error;
    }
  }

  /**
   * Sends a new message about a topic: a new vote, for instance.
   *
   * @param {Topic} topic
   * @param {number} [seats]
   */
  async function start(topic, seats) {
    const { data } = await chat.sendMessage(messageOf(chat, groupID, topic, seats));
    take(data.message);
  }

  return { chat, start, refresh };
}
