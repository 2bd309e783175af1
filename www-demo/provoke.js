// Two at once, by a button: both panels write the same key, or both want the last seat. The server lets one of them win.

import { byId } from './dom.js';
import { onSettings } from './settings.js';
import { t } from './words.js';

const CONFLICT = 23001;
const FULL = 23105;

/** @typedef {{userID: string, code: number, waits: boolean}} Ended */

/** @param {import('./stage.js').Seat[]} seats */
export function createProvoker(seats) {
  /** What each panel's chain shows. */
  /** @type {Map<string, {messageID: string, free: number, mine: boolean}>} */
  const chains = new Map();
  /** How the round has ended so far. */
  /** @type {Ended[]} */
  let ended = [];
  /** A chain with one seat has been asked for. */
  let isWaiting = false;
  /** How the round has ended, in the language of the moment. */
  let outcome = () => '';

  const render = () => (byId('outcome').textContent = outcome());
  onSettings(render);

  byId('provoke').onclick = () => {
    begin();
    tellAll({ kind: 'write' });
  };
  byId('race').onclick = () => {
    begin();
    if (race()) return;
    // There is no last seat to race for: a new chain has one.
    isWaiting = true;
    tell(seats[0], { kind: 'start', seats: 1 });
  };

  function begin() {
    ended = [];
    isWaiting = false;
    outcome = () => '';
    render();
  }

  /** Has both take the last seat, if all panels show the same one and none sits. */
  function race() {
    const all = seats.map(({ userID }) => chains.get(userID));
    const isLast = all.every((chain) => chain?.free === 1 && !chain.mine && chain.messageID === all[0]?.messageID);
    if (isLast) tellAll({ kind: 'take' });
    return isLast;
  }

  /** @param {Ended} end */
  function count(end) {
    // A retry is no part of the round.
    if (ended.length === seats.length || ended.some(({ userID }) => userID === end.userID)) return;
    ended.push(end);
    if (ended.length < seats.length) return;
    const winner = ended.find(({ code }) => code === 0)?.userID ?? '';
    const loser = ended.find(({ code }) => code === CONFLICT || code === FULL);
    const waiting = ended.find(({ waits }) => waits);
    outcome = () => (waiting ? t('raceWaits', { name: waiting.userID }) : inWords(winner, loser));
    render();
  }

  return {
    /**
     * @param {string} userID
     * @param {import('./panel.js').FromPanel} message
     */
    hear(userID, message) {
      if (message.kind === 'ended') count({ userID, ...message });
      if (message.kind !== 'chain') return;
      chains.set(userID, message.chain);
      if (isWaiting && race()) isWaiting = false;
    },
  };

  /** @param {import('./panel.js').ToPanel} message */
  function tellAll(message) {
    for (const seat of seats) tell(seat, message);
  }
}

/**
 * @param {import('./stage.js').Seat | undefined} seat
 * @param {import('./panel.js').ToPanel} message
 */
const tell = (seat, message) => seat?.frame.contentWindow?.postMessage(message, location.origin);

/**
 * @param {string} winner
 * @param {Ended | undefined} loser
 */
function inWords(winner, loser) {
  if (!loser) return t('noLoser');
  return t(loser.code === FULL ? 'raceEnded' : 'provokeEnded', { winner, loser: loser.userID });
}
