// A person: a round initial in a colour of their own.

import { el } from './dom.js';
import { t } from './words.js';

const COLOURS = 6;

/** @param {string} userID */
export function colourOf(userID) {
  const known = ['alice', 'bob', 'carol'].indexOf(userID);
  const sum = [...userID].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  return known < 0 ? sum % COLOURS : known;
}

/** @param {string} userID */
export const avatar = (userID) =>
  el('span', { className: 'avatar', data: { colour: colourOf(userID) }, ariaHidden: 'true' }, userID.slice(0, 1).toUpperCase());

/**
 * Shows in a list who has done something, as initials; names are read out and shown on hover. Those who are there already
 * stay, so that only who is new arrives.
 *
 * @param {HTMLElement} list
 * @param {readonly string[]} userIDs
 * @param {string} me
 */
export function showPeople(list, userIDs, me) {
  for (const [i, userID] of userIDs.entries()) {
    const there = /** @type {HTMLElement | undefined} */ (list.children[i]);
    const name = nameOf(userID, me);
    if (there?.dataset.person === userID && there.title === name) continue;
    const person = el('li', { title: name, data: { person: userID } }, avatar(userID), el('span', { className: 'sr-only' }, name));
    if (there) there.replaceWith(person);
    else list.append(person);
  }
  while (list.children.length > userIDs.length) list.lastElementChild?.remove();
}

/**
 * @param {string} userID
 * @param {string} me
 */
export const nameOf = (userID, me) => (userID === me ? t('you') : userID);
