// An app as a user of the package writes it: imports by name, and no word about the WebAssembly part.

import { create, EVENT, TYPES } from 'message-extensions';

window.app = {
  events: [],

  /** Logs in, sends a message to a group, writes to it; gives the message and what the server answered. */
  async vote({ SDKAppID, endpoint, groupID, ...user }) {
    const chat = create(endpoint ? { SDKAppID, endpoint } : { SDKAppID });
    for (const name of [EVENT.MESSAGE_EXTENSIONS_UPDATED, EVENT.MESSAGE_EXTENSIONS_DELETED]) {
      chat.on(name, (event) => this.events.push(event));
    }
    await chat.login(user);
    const draft = chat.createCustomMessage({
      to: groupID,
      conversationType: TYPES.CONV_GROUP,
      payload: { data: '{"title":"Lunch?"}' },
      isSupportExtension: true,
    });
    const { data } = await chat.sendMessage(draft);
    const written = await chat.setMessageExtensions(data.message, [{ key: user.userID, value: '1' }]);
    return { message: data.message, written };
  },

  seen: () => window.app.events,
};
