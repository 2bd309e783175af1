// How far a write has come: what a snapshot's `status` says, as a badge.

import { el } from './dom.js';
import { t } from './words.js';

/** @typedef {import('message-extensions').WatchedExtension['status']} Status */

/** @type {Record<Status, () => string>} */
const TEXTS = {
  confirmed: () => '',
  pending: () => t('pending'),
  queued: () => t('queued'),
  conflict: () => t('conflict'),
};

/**
 * Nothing for what the server has.
 *
 * @param {Status | undefined} status
 * @returns {HTMLElement[]}
 */
export const badge = (status = 'confirmed') =>
  status === 'confirmed' ? [] : [el('span', { className: `badge ${status}`, data: { status } }, TEXTS[status]())];
