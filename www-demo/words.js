// English and Chinese: the texts of the page, by name.

import { onSettings, setting } from './settings.js';
import { en } from './words/en.js';
import { zh } from './words/zh.js';

/** @typedef {Record<string, string>} Local a text in each language, as the demo's messages carry them */

/** @type {Record<string, typeof en>} */
const dictionaries = { en, zh };
export const dictionary = () => dictionaries[setting('language')] ?? en;

/**
 * A text of the page; `{name}` in it is filled in.
 *
 * @param {Exclude<keyof typeof en, 'codes'>} name
 * @param {Record<string, string | number>} [values]
 */
export function t(name, values = {}) {
  const form = `${name}_${values['n']}`;
  const words = /** @type {Record<string, any>} */ (dictionary());
  // A count may have a text of its own, such as that for one.
  return String(words[form] ?? words[name]).replace(/\{(\w+)\}/g, (_, key) => String(values[key]));
}

/** @param {Local} text */
export const local = (text) => text[setting('language')] ?? text['en'] ?? '';

/** Keeps the page's fixed texts, `data-t` and `data-t-label`, in the language that is chosen. */
export function translatePage() {
  onSettings(() => {
    document.documentElement.lang = setting('language') === 'zh' ? 'zh-CN' : 'en';
    translate(document);
  });
}

/** @param {ParentNode} root */
export function translate(root) {
  for (const element of root.querySelectorAll('[data-t], [data-t-label]')) {
    const { t: text, tLabel } = /** @type {HTMLElement} */ (element).dataset;
    if (text) element.textContent = t(/** @type {any} */ (text));
    if (tLabel) element.ariaLabel = t(/** @type {any} */ (tLabel));
  }
}
