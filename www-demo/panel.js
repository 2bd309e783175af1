// One user's panel: joins the client, the vote, the shared decision and the log.

import { createBars } from './bars.js';
import { createClient } from './client.js';
import { createDecision } from './decision.js';
import { createLog } from './log.js';
import { loadSession } from './session.js';
import { tally, voteKey } from './tally.js';
import { codeInWords, inWords } from './words.js';

const me = new URLSearchParams(location.search).get('user') ?? '';
const log = createLog(byId('log'));
const withdraw = /** @type {HTMLButtonElement} */ (byId('withdraw'));
const noticeAction = byId('notice-action');

/** Until the panel is ready there is no client and no vote. */
/** @type {ReturnType<typeof createClient> | null} */
let client = null;
/** @type {ReturnType<typeof createBars> | null} */
let bars = null;
/** @type {string[]} */
let options = [];
/** @type {ReadonlyMap<string, string>} */
let extensions = new Map();
let ready = false;
/** The option that is being written, -1 while the vote is withdrawn. */
/** @type {number | null} */
let pending = null;

const decision = createDecision({
  me,
  write: (key, value) => /** @type {NonNullable<typeof client>} */ (client).set(key, value),
  onSettled: (won, choice) => tellParent({ kind: 'decided', won, choice }),
  onError: (error) => notice(inWords(error)),
  onStart: clearNotice,
});

byId('name').textContent = me || 'nobody';
byId('avatar').textContent = me.slice(0, 1).toUpperCase();
document.title = `${me} – message-extensions`;
withdraw.addEventListener('click', () => write(-1, () => client?.remove(voteKey(me))));

// The log takes whatever height is left over, so the height that the panel needs is told with the log at its smallest.
const LOG_HEIGHT = 240;
const sizes = new ResizeObserver(() => {
  tellParent({ kind: 'height', height: Math.ceil(byId('panel').offsetHeight - byId('log').offsetHeight + LOG_HEIGHT) });
});
sizes.observe(byId('panel'));
sizes.observe(byId('log'));

addEventListener('message', ({ data, origin, source }) => {
  if (origin === location.origin && source === parent && data.kind === 'decide') decision.decide();
});

try {
  const session = await loadSession();
  const others = session.users.map(({ userID }) => userID);
  client = createClient(session, me, {
    log,
    onState: setState,
    onError: fail,
    onWarning: (error) => (ready ? notice(codeInWords(error)) : notice(codeInWords(error), 'Start again', () => location.reload())),
    onVote(vote, message) {
      options = vote.options;
      byId('title').textContent = vote.title;
      byId('hint').textContent = `Asked by ${message.from === me ? 'you' : message.from}`;
      bars = createBars(byId('options'), options, me, (choice) => write(choice, () => client?.set(voteKey(me), String(choice))));
      decision.open(options, Math.max(others.indexOf(me), 0) % options.length);
    },
    onExtensions(now) {
      extensions = now;
      render();
    },
  });
  await client.start();
} catch (error) {
  fail(error);
}

/**
 * Writes this user's vote and shows it as under way until it is settled. The bars move with the event, not with the answer.
 *
 * @param {number} choice
 * @param {() => Promise<import('./client.js').Result> | undefined} call
 */
async function write(choice, call) {
  if (pending !== null || !ready) return;
  clearNotice();
  pending = choice;
  render();
  try {
    const item = await call();
    if (item?.code) notice('Your vote had been changed somewhere else a moment before, so this change was not stored. What you see is current.');
  } catch (error) {
    notice(inWords(error));
  } finally {
    pending = null;
    render();
  }
}

function render() {
  if (!bars) return;
  const result = tally(extensions, options.length);
  const mine = result.voters.findIndex((names) => names.includes(me));
  bars.render(result, { pending, enabled: ready && !result.closed });
  byId('total').textContent = `${result.total} ${result.total === 1 ? 'vote' : 'votes'}${result.closed ? ', closed' : ''}`;
  withdraw.ariaBusy = String(pending === -1);
  withdraw.disabled = mine < 0 || !ready || pending !== null || result.closed;
  decision.render(result.decision, { preferred: mine < 0 ? null : mine, enabled: ready });
  speak(`${result.total} ${result.total === 1 ? 'vote' : 'votes'}. ${options.map((label, i) => `${label}: ${result.voters[i]?.length ?? 0}`).join(', ')}.`);
}

/**
 * @param {Parameters<Parameters<typeof createClient>[2]['onState']>[0] | 'failed'} state
 * @param {string} text
 */
function setState(state, text) {
  ready = state === 'ready';
  if (ready) clearNotice();
  render();
  tellParent({ kind: 'ready', ready });
  byId('state-text').textContent = text;
  byId('state').dataset.state = state;
  byId('state').textContent = state;
}

/** @param {unknown} error */
function fail(error) {
  setState('failed', 'Could not start');
  notice(inWords(error), 'Start again', () => location.reload());
}

/**
 * @param {string} text
 * @param {string} [label]
 * @param {() => void} [action]
 */
function notice(text, label = 'Dismiss', action = clearNotice) {
  byId('notice-text').textContent = text;
  noticeAction.textContent = label;
  noticeAction.onclick = action;
  byId('notice').hidden = false;
}

function clearNotice() {
  byId('notice').hidden = true;
}

/** The result for screen readers, once it has stopped changing for a moment. */
let speaking = 0;
/** @param {string} text */
function speak(text) {
  clearTimeout(speaking);
  speaking = setTimeout(() => {
    if (byId('spoken').textContent !== text) byId('spoken').textContent = text;
  }, 700);
}

/** @param {import('./main.js').PanelMessage} message */
function tellParent(message) {
  if (parent !== window) parent.postMessage(message, location.origin);
}

/** @param {string} id */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}
