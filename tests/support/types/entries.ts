// Every entry has the same exports, of the same types: what one has made, the functions of another take.

import * as main from 'message-extensions';
import * as inline from 'message-extensions/inline';
import * as node from 'message-extensions/node';

const entries: (typeof main)[] = [main, inline, node];
const chat: main.Chat = inline.create({ SDKAppID: 1_400_000_001 });
const isTold = (error: unknown): error is inline.MessageExtensionError => node.isMessageExtensionError(error);

export { chat, entries, isTold };
