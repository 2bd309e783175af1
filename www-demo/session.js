// Who takes part: session.json, made by `cargo xtask demo`.

/** @typedef {{sdkAppID: number, users: {userID: string, userSig: string}[], groupID: string}} Session */

/** @returns {Promise<Session>} */
export async function loadSession() {
  const response = await fetch('session.json', { cache: 'no-store' }).catch(() => null);
  if (!response) throw new Error('The server of this page cannot be reached.');
  if (!response.ok) throw new Error('There is no session.json beside this page. Start the demo with: cargo xtask demo');
  return response.json();
}
