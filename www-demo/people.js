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
 * Who has done something, as a list of initials; names are read out and shown on hover.
 *
 * @param {readonly string[]} userIDs
 * @param {string} me
 */
export const people = (userIDs, me) =>
  el('ul', { className: 'people' }, ...userIDs.map((userID) => {
    const name = nameOf(userID, me);
    return el('li', { title: name, data: { person: userID } }, avatar(userID), el('span', { className: 'sr-only' }, name));
  }));

/**
 * @param {string} userID
 * @param {string} me
 */
export const nameOf = (userID, me) => (userID === me ? t('you') : userID);
