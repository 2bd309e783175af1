// What crosses the wire of each panel, newest first, at most so many; each can be opened to see it whole.

import { byId, el } from './dom.js';
import { avatar } from './people.js';
import { onSettings } from './settings.js';
import { t } from './words.js';

const MOST = 60;

export function createInspector() {
  const list = byId('wire');
  let count = 0;

  const render = () => (byId('wire-count').textContent = t('packets', { n: count }));
  byId('wire-clear').onclick = () => {
    list.replaceChildren();
    count = 0;
    render();
  };
  onSettings(render);
  // On a phone it is far below and long: closed until somebody wants it.
  byId('inspector').toggleAttribute('open', matchMedia('(min-width: 48rem)').matches);

  return {
    /**
     * @param {string} userID
     * @param {import('./wire.js').Packet} packet
     */
    add(userID, packet) {
      list.prepend(row(userID, packet));
      while (list.children.length > MOST) list.lastElementChild?.remove();
      count += 1;
      render();
    },
  };
}

/**
 * @param {string} userID
 * @param {import('./wire.js').Packet} packet
 */
function row(userID, { direction, what, text, seq, ms, bytes, time, refused, json }) {
  const isOut = direction === 'out';
  const arrow = el('span', { className: 'arrow', ariaHidden: 'true' }, isOut ? '↑' : '↓');
  const summary = el('summary', {},
    el('time', {}, clock(time)),
    avatar(userID),
    el('span', { className: 'sr-only' }, `${userID} ${isOut ? t('sends') : t('gets')} `),
    arrow,
    el('b', {}, what),
    el('code', {}, text),
    el('span', { className: 'number' }, seq === null ? '' : `Seq ${seq}`),
    el('span', { className: 'number' }, ms === undefined ? '' : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`),
    el('span', { className: 'number bytes' }, `${bytes} B`));
  return el('li', { className: `${direction}${refused ? ' refused' : ''}`, data: { what, user: userID, seq: seq ?? '' } },
    el('details', {}, summary, el('pre', { tabIndex: 0 }, json)));
}

/** @param {number} time */
function clock(time) {
  const date = new Date(time);
  return `${date.toLocaleTimeString('en-GB')}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
