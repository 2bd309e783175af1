// Errors and events in words.

import { isMessageExtensionError } from 'message-extensions';

/** @type {Record<number, string>} */
const WORDS = {
  2024: 'You are not signed in.',
  2800: 'The server cannot be reached. Is it running, and are you online?',
  2801: 'The server did not answer in time. It is not known whether your write counted.',
  3000: 'Not connected yet. Try again in a moment.',
  3005: 'You have been signed out.',
  9005: 'The SDK could not be loaded.',
  10002: 'The server had a problem and stored nothing. Try again.',
  23003: 'Too many votes at once on this message. Wait a little, then try again.',
  23004: 'This vote does not exist any more, or you are no longer a member of the group.',
  60007: 'That was too fast. Wait a moment, then try again.',
  70001: 'Your sign-in has expired. Start the demo again to get a new one.',
};

/**
 * For people.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function inWords(error) {
  return isMessageExtensionError(error) ? codeInWords(error) : error instanceof Error ? error.message : String(error);
}

/** @param {{code: number, message: string}} error */
export function codeInWords({ code, message }) {
  return `${WORDS[code] ?? message} (${code})`;
}

/**
 * For the log.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function codeOf(error) {
  return isMessageExtensionError(error) ? `${error.code} ${error.message}` : inWords(error);
}

/**
 * @param {{key: string, value: string}[]} extensions
 * @returns {string}
 */
export function pairs(extensions) {
  return extensions.map(({ key, value }) => `${key} = ${value}`).join(', ') || 'nothing';
}
