// The page: a panel for each user, an iframe each, since a page has one connection of an app; what they tell, and the
// buttons that concern both. `?user=carol` shows one user alone.

import { byId, el } from './dom.js';
import { createInspector } from './inspector.js';
import { createProvoker } from './provoke.js';
import { loadSession } from './session.js';
import { choose, onSettings, setting } from './settings.js';
import { t, translatePage } from './words.js';

/** @typedef {{userID: string, seat: HTMLElement, frame: HTMLIFrameElement}} Seat */

const SIDE_BY_SIDE = 2;
const scenes = /** @type {NodeListOf<HTMLInputElement>} */ (document.getElementsByName('scene'));
const invite = /** @type {HTMLAnchorElement} */ (byId('invite'));
const alone = new URLSearchParams(location.search).get('user');

/** @type {Seat[]} */
let seats = [];
/** Who is invited to join in another tab. */
let guest = '';

translatePage();
const inspector = createInspector();

try {
  const { users } = await loadSession();
  const names = users.map(({ userID }) => userID);
  seats = (alone ? [alone] : names.slice(0, SIDE_BY_SIDE)).map(seat);
  guest = names[SIDE_BY_SIDE] ?? '';
} catch (error) {
  byId('panels').append(el('p', { className: 'notice', role: 'alert' }, error instanceof Error ? error.message : String(error)));
}

const provoker = createProvoker(seats);
byId('panels').classList.toggle('alone', seats.length === 1);
byId('provoke').hidden = seats.length < SIDE_BY_SIDE;
invite.hidden = Boolean(alone) || !guest;
invite.href = `?user=${encodeURIComponent(guest)}`;

for (const input of scenes) input.onchange = () => choose('scene', input.value);
byId('language').onclick = () => choose('language', setting('language') === 'en' ? 'zh' : 'en');
byId('theme').onclick = () => choose('theme', setting('theme') === 'dark' ? 'light' : 'dark');

onSettings(() => {
  for (const input of scenes) input.checked = input.value === setting('scene');
  for (const snippet of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.snippet'))) {
    snippet.hidden = snippet.dataset.for !== setting('scene');
  }
  byId('race').hidden = seats.length < SIDE_BY_SIDE || setting('scene') !== 'chain';
  // The other language, in its own words.
  const isEnglish = setting('language') === 'en';
  Object.assign(byId('language'), { textContent: isEnglish ? '中文' : 'English', lang: isEnglish ? 'zh-CN' : 'en' });
  byId('theme').textContent = setting('theme') === 'dark' ? t('toLight') : t('toDark');
  invite.textContent = t('invite', { name: guest });
  invite.title = t('inviteHint');
  for (const { frame, userID } of seats) frame.title = t('panelOf', { name: userID });
});

addEventListener('message', ({ data, origin, source }) => {
  const from = seats.find(({ frame }) => frame.contentWindow === source);
  if (origin !== location.origin || !from) return;
  const message = /** @type {import('./panel.js').FromPanel} */ (data);
  if (message.kind === 'height') from.seat.style.minHeight = `${message.height}px`;
  else if (message.kind === 'packet') inspector.add(from.userID, message.packet);
  else provoker.hear(from.userID, message);
});

/**
 * @param {string} userID
 * @returns {Seat}
 */
function seat(userID) {
  const frame = el('iframe', { src: `panel.html?user=${encodeURIComponent(userID)}`, data: { testid: `panel-${userID}` } });
  const seat = el('div', { className: 'seat' }, frame);
  byId('panels').append(seat);
  return { userID, seat, frame };
}
