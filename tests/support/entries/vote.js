// What an app does with the package, whichever entry it has imported, and wherever it runs.

/**
 * Logs in, sends a message to a group, votes; gives what the server answered, and what was told.
 *
 * @param {typeof import('message-extensions')} sdk
 */
export async function vote({ create, EVENT, TYPES }, { groupID, userID, userSig, ...options }) {
  const chat = create(options);
  try {
    const told = new Promise((resolve) => chat.once(EVENT.MESSAGE_EXTENSIONS_UPDATED, resolve));
    await chat.login({ userID, userSig });
    const draft = chat.createCustomMessage({
      to: groupID,
      conversationType: TYPES.CONV_GROUP,
      payload: { data: '{"title":"Lunch?"}' },
      isSupportExtension: true,
    });
    const { data } = await chat.sendMessage(draft);
    const written = await chat.setMessageExtensions(data.message, [{ key: userID, value: '1' }]);
    return { written: written.data.extensions, told: (await told).data.extensions };
  } finally {
    await chat.destroy();
  }
}

/** Tries to log in; gives the code and the text of the error. */
export async function refusal({ create }, { userID, userSig, ...options }) {
  const error = await create(options).login({ userID, userSig }).catch((error) => error);
  return { code: error?.code, message: error?.message };
}
