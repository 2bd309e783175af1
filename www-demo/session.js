// Who takes part: session.json, made by `cargo xtask demo`. In your app, your backend makes the signatures.

import { t } from './words.js';

/** @typedef {{sdkAppID: number, users: {userID: string, userSig: string}[], groupID: string}} Session */

/** @returns {Promise<Session>} */
export async function loadSession() {
  const response = await fetch('session.json', { cache: 'no-store' }).catch(() => null);
  if (!response) throw new Error(t('noServer'));
  if (!response.ok) throw new Error(t('noSession'));
  return response.json();
}
