// A document in this process, for the frameworks. To be imported before them: they look for it when they are loaded.

import { Window } from 'happy-dom';

const window = new Window({ url: 'http://localhost/' });
const NAMES = ['document', 'navigator', 'Node', 'Element', 'HTMLElement', 'HTMLIFrameElement', 'SVGElement', 'MathMLElement', 'ShadowRoot', 'Event', 'MouseEvent'];
globalThis.window = window;
for (const name of NAMES) globalThis[name] ??= window[name];

/** An element of the page, with this in it. */
export function element(html = '') {
  const made = window.document.createElement('div');
  made.innerHTML = html;
  window.document.body.append(made);
  return made;
}
