// Errors of the package in words: what a code means here, for people.

import { isMessageExtensionError } from 'message-extensions';
import { dictionary } from './words.js';

/**
 * Those that the demo does not expect are told as the package says them.
 *
 * @param {unknown} error
 */
export function inWords(error) {
  if (isMessageExtensionError(error)) return codeInWords(error.code, error.message);
  return error instanceof Error ? error.message : String(error);
}

/**
 * @param {number} code
 * @param {string} [otherwise]
 */
export const codeInWords = (code, otherwise = '') =>
  `${/** @type {Record<number, string>} */ (dictionary().codes)[code] ?? otherwise} (${code})`;
