// The entry for tests: the client as it is, with a server in the page instead of a network.

import compiled from './message_extensions_bg.wasm';
import { ENDPOINTS, EVENT, TYPES, VERSION } from './constants.js';
import { MessageExtensionError, isMessageExtensionError } from './error.js';
import { loadFrom } from './load.js';
import { TestServer } from './testing-server.js';
import { decode } from './testing-wasm.js';

loadFrom(() => decode(compiled), 'It is inside the script.');

export const createTestServer = (options) => new TestServer(options);
export const server = /* @__PURE__ */ createTestServer();
export const create = (options) => TestServer.createOne(server, options);

export { ENDPOINTS, EVENT, MessageExtensionError, TYPES, VERSION, isMessageExtensionError };
const MessageExtensions = { create, EVENT, TYPES, VERSION, ENDPOINTS };
export { MessageExtensions as TIM, MessageExtensions as TencentCloudChat };
export default MessageExtensions;
