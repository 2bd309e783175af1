// From a message's extensions to what a vote shows. The key of a vote is `{userID}_0`, its value the index of the chosen
// option; `closed` = `1` ends the vote; `decision` is the key that both share.

/** @typedef {{choice: number, by: string}} Decision */
/** @typedef {{voters: string[][], total: number, closed: boolean, decision: Decision | null}} Tally */

export const DECISION_KEY = 'decision';

/** @param {string} userID */
export const voteKey = (userID) => `${userID}_0`;

/**
 * @param {ReadonlyMap<string, string>} extensions
 * @param {number} options
 * @returns {Tally}
 */
export function tally(extensions, options) {
  const voters = Array.from({ length: options }, () => /** @type {string[]} */ ([]));
  for (const [key, value] of extensions) {
    if (key.endsWith('_0') && /^\d+$/.test(value)) voters[Number(value)]?.push(key.slice(0, -2));
  }
  return {
    voters: voters.map((names) => names.sort()),
    total: voters.reduce((sum, names) => sum + names.length, 0),
    closed: extensions.get('closed') === '1',
    decision: readDecision(extensions.get(DECISION_KEY)),
  };
}

/** @param {Decision} decision */
export const writeDecision = ({ choice, by }) => JSON.stringify({ choice, by });

/**
 * @param {string | undefined} value
 * @returns {Decision | null}
 */
export function readDecision(value) {
  try {
    const { choice, by } = JSON.parse(value ?? '');
    return Number.isInteger(choice) && typeof by === 'string' ? { choice, by } : null;
  } catch {
    return null;
  }
}
