// One user's page, with the globals that the samples speak of: tim and chat, TIM and TencentCloudChat, message.

import { create, EVENT, TencentCloudChat, TIM } from './message-extensions/index.js';

const { app, userID, userSig, endpoint } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
// Without an endpoint: the origin of the page.
const chat = create({ SDKAppID: app, ...(endpoint ? { endpoint } : {}) });

/** `handled`: what handlers were called with that the samples added. The rest is what the samples print, and mistakes. */
const record = { handled: [], log: [], warn: [], errors: [] };

const { on } = chat;
chat.on = (name, handler) =>
  on.call(chat, name, (event) => {
    record.handled.push(structuredClone(event));
    handler(event);
  });
for (const kind of ['log', 'warn']) console[kind] = (...printed) => record[kind].push(structuredClone(printed));
addEventListener('error', ({ message }) => record.errors.push(message));
addEventListener('unhandledrejection', ({ reason }) => record.errors.push(String(reason)));

const received = [];
on.call(chat, EVENT.MESSAGE_RECEIVED, ({ data }) => received.push(...data));

Object.assign(window, { tim: chat, chat, TIM, TencentCloudChat });

window.user = {
  record,

  async login() {
    const ready = new Promise((resolve) => chat.once(EVENT.SDK_READY, resolve));
    await chat.login({ userID, userSig });
    await ready;
  },

  async send(conversationType, to) {
    const draft = chat.createCustomMessage({
      to,
      conversationType,
      payload: { data: '{"title":"Lunch?"}', description: 'vote', extension: '' },
      isSupportExtension: true,
    });
    const { data } = await chat.sendMessage(draft);
    window.message = data.message;
    return data.message;
  },

  async receive(id) {
    while (!window.message) {
      window.message = received.find(({ ID }) => ID === id);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  },

  run(sample) {
    const script = document.createElement('script');
    script.src = `samples/${sample}.js`;
    const ran = new Promise((resolve, reject) => {
      script.addEventListener('load', () => resolve());
      script.addEventListener('error', reject);
    });
    document.body.append(script);
    return ran;
  },

  async result() {
    // `let promise` of a script is no property of window, but other scripts see it.
    const script = document.createElement('script');
    script.textContent = 'window.user.promise = promise;';
    document.body.append(script);
    return window.user.promise;
  },

  call: (method, ...args) => chat[method](window.message, ...args),
};
