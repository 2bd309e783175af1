// The outer page: puts one iframe a user side by side and starts the conflict.
//
// The SDK gives one instance a page and app, as one user has one connection. Two users in one window are two pages.

import { loadSession } from './session.js';

/** What a panel tells: its height, that it can write, how its write of the shared key ended. */
/** @typedef {{kind: 'height', height: number} | {kind: 'ready', ready: boolean} | {kind: 'decided', won: boolean, choice: string}} PanelMessage */

const panels = /** @type {HTMLElement} */ (document.getElementById('panels'));
const provoke = /** @type {HTMLButtonElement} */ (document.getElementById('provoke'));
const outcome = /** @type {HTMLElement} */ (document.getElementById('outcome'));

/** @typedef {{seat: HTMLElement, frame: HTMLIFrameElement, ready: boolean}} User */

/** @type {Map<string, User>} */
const users = new Map();
/** How the writes of the conflict ended so far, by user; null before there was one. */
/** @type {Map<string, {won: boolean, choice: string}> | null} */
let round = null;

try {
  const session = await loadSession();
  for (const { userID } of session.users) seat(userID);
} catch (error) {
  const text = document.createElement('p');
  text.className = 'notice';
  text.role = 'alert';
  text.textContent = error instanceof Error ? error.message : String(error);
  panels.append(text);
}

addEventListener('message', ({ data, origin, source }) => {
  if (origin !== location.origin) return;
  for (const [userID, user] of users) {
    if (user.frame.contentWindow === source) hear(userID, user, /** @type {PanelMessage} */ (data));
  }
});

provoke.addEventListener('click', () => {
  outcome.textContent = '';
  round = new Map();
  for (const { frame } of users.values()) frame.contentWindow?.postMessage({ kind: 'decide' }, location.origin);
});

/** @param {string} userID */
function seat(userID) {
  const frame = document.createElement('iframe');
  frame.src = `user.html?user=${encodeURIComponent(userID)}`;
  frame.title = `${userID}’s client`;
  frame.dataset.testid = `panel-${userID}`;
  const seat = document.createElement('div');
  seat.className = 'seat';
  seat.append(frame);
  users.set(userID, { seat, frame, ready: false });
  panels.append(seat);
}

/**
 * @param {string} userID
 * @param {User} user
 * @param {PanelMessage} message
 */
function hear(userID, user, message) {
  if (message.kind === 'height') user.seat.style.minHeight = `${message.height}px`;
  if (message.kind === 'ready') {
    user.ready = message.ready;
    provoke.disabled = ![...users.values()].every((one) => one.ready);
  }
  if (message.kind === 'decided' && round) outcome.textContent = tellOutcome(round, userID, message);
}

/**
 * @param {Map<string, {won: boolean, choice: string}>} round
 * @param {string} userID
 * @param {{won: boolean, choice: string}} wrote
 */
function tellOutcome(round, userID, wrote) {
  if (round.has(userID)) {
    return wrote.won ? `${userID} wrote again: ${wrote.choice} it is.` : `${userID} wrote again and was too late once more.`;
  }
  round.set(userID, wrote);
  if (round.size < users.size) return '';
  const winner = [...round].find(([, one]) => one.won);
  const losers = [...round].filter(([, one]) => !one.won).map(([name]) => name);
  if (!winner) return '';
  return losers.length
    ? `${winner[0]} was first with ${winner[1].choice}; ${losers.join(' and ')} was told and can retry.`
    : 'Both writes counted, one after the other: no conflict this time.';
}
