// What every entry exports.

import { open } from './client.js';
import { ENDPOINTS, EVENT, TYPES, VERSION } from './constants.js';
import { MessageExtensionError, isMessageExtensionError } from './error.js';

/** @type {Map<number, import('./client.js').Chat>} */
const instances = new Map();

/** The same SDKAppID gives the same instance, until it is destroyed. */
export const create = (options) => open(options, instances);

export { ENDPOINTS, EVENT, MessageExtensionError, TYPES, VERSION, isMessageExtensionError };
const MessageExtensions = { create, EVENT, TYPES, VERSION, ENDPOINTS };
export { MessageExtensions as TIM, MessageExtensions as TencentCloudChat };
export default MessageExtensions;
