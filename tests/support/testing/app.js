// An app that knows nothing of tests.

import TIM, { create, EVENT } from 'message-extensions';

export const connect = () => create({ SDKAppID: 1_400_000_001, endpoint: 'https://chat.example.com' });
export const connectAsBefore = () => TIM.create({ SDKAppID: '1400000001' });

/** Votes, and resolves with what everybody is told. */
export async function vote(chat, message, option) {
  const told = new Promise((resolve) => chat.once(EVENT.MESSAGE_EXTENSIONS_UPDATED, resolve));
  await chat.setMessageExtensions(message, [{ key: 'vote', value: option }]);
  return (await told).data.extensions;
}
