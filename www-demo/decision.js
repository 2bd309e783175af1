// The key that both share. The first writer wins; the other gets code 23001 with the winner's value and decides whether to
// write over it. The SDK knows the new state by then, so a retry is the same call again.

import { DECISION_KEY, readDecision, writeDecision } from './tally.js';

/**
 * @param {object} panel
 * @param {string} panel.me
 * @param {(key: string, value: string) => Promise<import('./client.js').Result>} panel.write
 * @param {() => void} panel.onStart
 * @param {(won: boolean, choice: string) => void} panel.onSettled
 * @param {(error: unknown) => void} panel.onError
 */
export function createDecision({ me, write, onStart, onSettled, onError }) {
  const button = /** @type {HTMLButtonElement} */ (document.getElementById('decide'));
  const text = /** @type {HTMLElement} */ (document.getElementById('decision'));
  const author = /** @type {HTMLElement} */ (document.getElementById('decided-by'));
  const conflict = /** @type {HTMLElement} */ (document.getElementById('conflict'));
  const conflictText = /** @type {HTMLElement} */ (document.getElementById('conflict-text'));
  const retry = /** @type {HTMLButtonElement} */ (document.getElementById('retry'));
  const keep = /** @type {HTMLButtonElement} */ (document.getElementById('keep'));

  /** @type {string[]} */
  let options = [];
  let fallback = 0;
  /** @type {number | null} */
  let preferred = null;
  /** What the write that was refused wanted. */
  let wanted = 0;
  let enabled = false;
  let pending = false;

  const label = (/** @type {number} */ choice) => options[choice] ?? 'something else';

  button.addEventListener('click', () => decide());
  retry.addEventListener('click', () => {
    decide(wanted);
    button.focus();
  });
  keep.addEventListener('click', () => {
    conflict.hidden = true;
    button.focus();
  });

  async function decide(choice = preferred ?? fallback) {
    if (!enabled || pending) return;
    onStart();
    conflict.hidden = true;
    pending = true;
    update();
    try {
      const item = await write(DECISION_KEY, writeDecision({ choice, by: me }));
      if (item.code !== 0) {
        wanted = choice;
        const winner = readDecision(item.value);
        conflictText.textContent = winner ? `${winner.by} was faster: ${label(winner.choice)}. Retry?` : 'Somebody else was faster. Retry?';
        retry.textContent = `Retry with ${label(choice)}`;
        conflict.hidden = false;
      }
      onSettled(item.code === 0, label(choice));
    } catch (error) {
      onError(error);
    } finally {
      pending = false;
      update();
    }
  }

  function update() {
    button.textContent = options.length ? `Decide: ${label(preferred ?? fallback)}` : 'Decide';
    button.ariaBusy = String(pending);
    button.ariaDisabled = String(pending);
    button.disabled = !enabled;
    retry.disabled = !enabled;
  }

  return {
    /**
     * @param {string[]} labels
     * @param {number} otherwise the option that counts as preferred while this user has not voted
     */
    open(labels, otherwise) {
      options = labels;
      fallback = otherwise;
      conflict.hidden = true;
    },

    decide: () => decide(),

    /**
     * @param {import('./tally.js').Decision | null} current
     * @param {{preferred: number | null, enabled: boolean}} state
     */
    render(current, state) {
      ({ preferred, enabled } = state);
      text.textContent = current ? label(current.choice) : 'Not yet';
      text.classList.toggle('none', !current);
      author.textContent = current ? `by ${current.by === me ? 'you' : current.by}` : '';
      update();
    },
  };
}
