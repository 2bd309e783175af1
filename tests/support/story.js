// A story of the SDK's API, told on any server: what each call gave, with codes and texts, and what everybody was told.

/** Fields that say when and by chance, not what. */
const CHANCE = new Set(['time', 'clientTime', 'random', 'clientSequence']);

/**
 * A world to tell it in.
 *
 * @typedef {object} World
 * @property {(user: string, options?: object) => Promise<object>} login a client with all of its events in `seen`
 * @property {(groupID: string, members: string[], type?: string) => unknown} createGroup
 * @property {(groupID: string, members: string[]) => unknown} addMembers
 * @property {(groupID: string, members: string[]) => unknown} removeMembers
 * @property {(groupID: string) => unknown} destroyGroup
 * @property {(clients: Map<string, object>, step: number) => Promise<void>} settle everybody has heard of the step
 */

/** Tells the story; gives its transcript. */
export async function tell(story, world) {
  const clients = new Map();
  const names = new Map();
  const transcript = [];
  const name = (id) => names.get(id) ?? id;

  /** Chance taken out, and messages by the names that the story gives them. */
  const plain = (value, key) => {
    if (Array.isArray(value)) return value.map((item) => plain(item));
    if (value instanceof Error) return { name: value.name, code: value.code, message: plainText(value.message) };
    if (typeof value === 'object' && value !== null) {
      const isC2c = value.conversationType === 'C2C';
      const fields = Object.entries(value).filter(([field]) => !CHANCE.has(field) && !(isC2c && field === 'sequence'));
      return Object.fromEntries(fields.sort().map(([field, item]) => [field, plain(item, field)]));
    }
    return key === 'ID' || key === 'messageID' || key === 'nextReqMessageID' ? name(value) : value;
  };
  const plainText = (text) =>
    [...names].reduce((said, [id, label]) => said.replaceAll(id, label), text).replace(/ at line \d+ column \d+$/, ' at some place');

  const events = new Map();
  const step = async (label, act) => {
    const outcome = await Promise.resolve().then(act).then((result) => ({ result: plain(result) }), (error) => ({ error: plain(error) }));
    await world.settle(clients, transcript.length);
    const told = {};
    for (const [user, chat] of clients) {
      const from = events.get(user) ?? 0;
      if (chat.seen.length > from) told[user] = plain(chat.seen.slice(from));
      events.set(user, chat.seen.length);
    }
    transcript.push({ label, ...outcome, told });
    return outcome;
  };

  await story({
    world,
    step,
    client: async (user, options) => {
      const chat = await world.login(user, options);
      clients.set(user, chat);
      return chat;
    },
    /** Sends a message, and has the transcript call it by this name. */
    send: async (label, chat, draft) => {
      const message = chat.createCustomMessage({ payload: { data: label }, isSupportExtension: true, ...draft });
      names.set(message.ID, label);
      await step(`send ${label}`, () => chat.sendMessage(message));
      names.set(`${message.clientSequence}_${message.random}_${message.time}`, label);
      return message;
    },
  });
  return transcript;
}
