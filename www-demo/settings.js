// What a visitor has chosen: language and theme, remembered; the scene, for this tab. Panels are pages of their own and
// hear of a change by the `storage` event.

const stores = { language: localStorage, theme: localStorage, scene: sessionStorage };

const defaults = {
  language: () => (navigator.language.startsWith('zh') ? 'zh' : 'en'),
  theme: () => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'),
  scene: () => 'vote',
};

/** @typedef {keyof typeof stores} Setting */

/** @type {(() => void)[]} */
const listeners = [];

/** @param {Setting} name */
export const setting = (name) => stores[name].getItem(name) ?? defaults[name]();

/**
 * @param {Setting} name
 * @param {string} value
 */
export function choose(name, value) {
  stores[name].setItem(name, value);
  tell();
}

/**
 * Calls `listener` now and after each change.
 *
 * @param {() => void} listener
 */
export function onSettings(listener) {
  listeners.push(listener);
  listener();
}

function tell() {
  // Without a choice the stylesheet follows the system.
  document.documentElement.dataset.theme = stores.theme.getItem('theme') ?? '';
  for (const listener of listeners) listener();
}

addEventListener('storage', tell);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', tell);
tell();
