// The messages of the demo: what each carries, and the rules that the server holds everybody to. The state that people
// make together is not in here: it is the messages' extensions.

import { TYPES } from 'message-extensions';

/** @typedef {'vote' | 'days' | 'chain' | 'form' | 'place'} Topic */
/** @typedef {import('./words.js').Local} Local */
/** @typedef {{title: Local, options: Local[]}} VoteContent */
/** @typedef {{title: Local, seats: number}} ChainContent */
/** @typedef {{title: Local, questions: {kind: 'choice' | 'scale' | 'text', title: Local, options?: Local[]}[]}} FormContent */

/** Each user has one key: `alice` writes `alice_0`, and nothing else. */
export const OWN = '_0';
/** Joins the options of a vote with several. */
export const SEPARATOR = ',';

/** @type {VoteContent} */
const LUNCH = {
  title: { en: 'Where shall we have lunch?', zh: '中午吃什么？' },
  options: [
    { en: 'Noodles', zh: '面条' },
    { en: 'Dumplings', zh: '饺子' },
    { en: 'Tacos', zh: '墨西哥卷饼' },
    { en: 'Soup and salad', zh: '轻食沙拉' },
  ],
};

/** @type {VoteContent} */
const DAYS = {
  title: { en: 'Which days suit you?', zh: '哪几天有空？' },
  options: [
    { en: 'Tuesday', zh: '周二' },
    { en: 'Wednesday', zh: '周三' },
    { en: 'Thursday', zh: '周四' },
    { en: 'Friday', zh: '周五' },
  ],
};

/** @type {FormContent} */
const FORM = {
  title: { en: 'Before we book the table', zh: '订位前的小问卷' },
  questions: [
    {
      kind: 'choice',
      title: { en: 'How do you get there?', zh: '你怎么过去？' },
      options: [{ en: 'On foot', zh: '步行' }, { en: 'By bike', zh: '骑车' }, { en: 'By train', zh: '地铁' }],
    },
    { kind: 'scale', title: { en: 'How spicy may it be? (5 is hottest)', zh: '能吃多辣？（5 为最辣）' } },
    { kind: 'text', title: { en: 'Anything we should know?', zh: '还有什么要说明的？' } },
  ],
};

/** @type {Record<Topic, (seats: number) => {content: object, rules?: import('message-extensions').ExtensionRules}>} */
const TOPICS = {
  vote: () => ({ content: LUNCH, rules: { keyOwner: { suffix: OWN }, values: ['0', '1', '2', '3'] } }),
  days: () => ({ content: DAYS, rules: { keyOwner: { suffix: OWN }, values: subsets(DAYS.options.length) } }),
  chain: (seats) => ({
    content: { title: { en: 'Who comes along in the boat?', zh: '周末划船接龙' }, seats },
    rules: { keyOwner: { suffix: OWN }, maxKeys: seats },
  }),
  // Several keys a user, so no keyOwner: each writes their own by agreement, as in the API that is mirrored.
  form: () => ({ content: FORM, rules: { clearBy: 'author' } }),
  // Without rules: everybody may write, and two may meet.
  place: () => ({ content: { title: { en: 'Where do we meet?', zh: '在哪儿集合？' } } }),
};

export const topics = /** @type {Topic[]} */ (Object.keys(TOPICS));

/**
 * A message that is ready to be sent.
 *
 * @param {import('message-extensions').Chat} chat
 * @param {string} groupID
 * @param {Topic} topic
 * @param {number} [seats]
 */
export function messageOf(chat, groupID, topic, seats = 2) {
  const { content, rules } = TOPICS[topic](seats);
  return chat.createCustomMessage({
    to: groupID,
    conversationType: TYPES.CONV_GROUP,
    payload: { data: JSON.stringify(content), description: topic },
    isSupportExtension: true,
    ...(rules && { extensionRules: rules }),
  });
}

/**
 * What a message is about, if it is one of ours.
 *
 * @param {import('message-extensions').Message} message
 * @returns {Topic | undefined}
 */
export function topicOf(message) {
  if (message.type !== 'TIMCustomElem' || !message.isSupportExtension) return undefined;
  return topics.find((topic) => topic === message.payload.description);
}

/**
 * What a message carries.
 *
 * @param {import('message-extensions').Message} message
 * @returns {any}
 */
export const contentOf = (message) => JSON.parse(/** @type {import('message-extensions').CustomMessage} */ (message).payload.data);

/**
 * Every choice of some of so many options: `0`, `0,1`, … The rule `values` names them all.
 *
 * @param {number} options
 */
function subsets(options) {
  return Array.from({ length: 2 ** options - 1 }, (_, i) =>
    Array.from({ length: options }, (_, option) => option).filter((option) => (i + 1) & (1 << option)).join(SEPARATOR),
  );
}
