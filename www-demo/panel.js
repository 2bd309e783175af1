// One user's panel: joins wire, client and cards, and talks with the page around it.

import { wire } from './wire.js'; // first: it wraps what the package uses
import { EVENT } from 'message-extensions';
import { createChain } from './chain.js';
import { createClient } from './client.js';
import { byId } from './dom.js';
import { codeInWords, inWords } from './errors.js';
import { createForm } from './form.js';
import { avatar, colourOf } from './people.js';
import { createPlace } from './place.js';
import { loadSession } from './session.js';
import { onSettings, setting } from './settings.js';
import { createVote } from './vote.js';
import { t, translatePage } from './words.js';

/** @typedef {{kind: 'height', height: number} | {kind: 'packet', packet: import('./wire.js').Packet} | {kind: 'chain', chain: {messageID: string, free: number, mine: boolean}} | {kind: 'ended', code: number, waits: boolean}} FromPanel */
/** @typedef {{kind: 'write'} | {kind: 'take'} | {kind: 'start', seats: number}} ToPanel */

const me = new URLSearchParams(location.search).get('user') ?? '';
const CUT = `${me} is offline`;
/** Nothing is kept over a reload: the browser cannot. */
const STORAGE = 9007;

/** @type {(message: FromPanel) => void} */
const tellStage = (message) => parent.postMessage(message, location.origin);

wire.onPacket((packet) => tellStage({ kind: 'packet', packet }));
// A panel that was offline is so after a reload too.
if (sessionStorage.getItem(CUT)) wire.cut();

translatePage();
byId('name').textContent = me;
byId('avatar').replaceWith(avatar(me));
document.documentElement.dataset.colour = String(colourOf(me));
byId('reload').onclick = () => location.reload();
const BORDERS = 2;
new ResizeObserver(() => tellStage({ kind: 'height', height: byId('content').offsetHeight + BORDERS })).observe(byId('content'));

try {
  await run();
} catch (error) {
  notice(inWords(error));
}

async function run() {
  const session = await loadSession();
  const user = session.users.find(({ userID }) => userID === me);
  if (!user) throw new Error(t('noUser', { name: me }));

  const { chat, start, refresh } = createClient(session, me, (topic, message) => cards[topic].open(message));
  const client = { me, chat, start };
  const chain = createChain(client, () => tellStage({ kind: 'chain', chain: chain.state() }));
  const place = createPlace(client, session.users.indexOf(user), renderState);
  const cards = {
    vote: createVote('vote', client, { several: false }),
    days: createVote('days', client, { several: true }),
    chain,
    form: createForm(client),
    place,
  };
  /** Whether all was shown, when that was last looked at. */
  let wasSynced = false;

  function renderState() {
    const synced = place.isSynced();
    const state = wire.isCut ? 'offline' : synced ? 'live' : 'connecting';
    byId('state').dataset.state = state;
    byId('state').textContent = t(state);
    byId('network').textContent = wire.isCut ? t('goOnline') : t('goOffline');
    // Messages that were sent meanwhile are not pushed again.
    if (synced && !wasSynced) refresh();
    wasSynced = synced;
  }

  byId('network').onclick = () => {
    if (wire.isCut) {
      sessionStorage.removeItem(CUT);
      wire.mend();
    } else {
      sessionStorage.setItem(CUT, 'yes');
      wire.cut();
    }
    renderState();
  };
  byId('slow').onclick = () => {
    wire.isSlow = !wire.isSlow;
    byId('slow').ariaPressed = String(wire.isSlow);
  };
  onSettings(() => {
    for (const scene of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-scene]'))) {
      scene.hidden = scene.dataset.scene !== setting('scene');
    }
    for (const card of Object.values(cards)) card.render();
    renderState();
  });

  chat.on(EVENT.MESSAGE_EXTENSIONS_CONFLICT, ({ data }) => {
    Object.values(cards).find(({ card }) => card.message?.ID === data.messageID)?.conflict(data.extensions);
  });
  chat.on(EVENT.ERROR, ({ data }) => {
    if (data.code !== STORAGE) notice(codeInWords(data.code, data.message));
  });
  hearStage({
    write: () => place.wish().then(tellEnd),
    take: () => chain.take().then(tellEnd),
    start: ({ seats }) => chain.card.attempt(() => start('chain', seats)),
  });
  speak(() => cards[/** @type {keyof typeof cards} */ (setting('scene'))].spoken());
  await chat.login(user);
}

/** @param {number} code */
const tellEnd = (code) => tellStage({ kind: 'ended', code, waits: wire.isCut });

/** @param {{[Kind in ToPanel['kind']]: (message: any) => void}} handlers */
function hearStage(handlers) {
  addEventListener('message', ({ data, origin, source }) => {
    if (origin === location.origin && source === parent) handlers[/** @type {ToPanel} */ (data).kind]?.(data);
  });
}

/** @param {string} text */
function notice(text) {
  byId('notice').textContent = text;
  byId('notice').hidden = false;
}

/**
 * Says to screen readers how the scene stands, once it has been the same for a while: pushes may come fast.
 *
 * @param {() => string} text
 */
function speak(text) {
  let before = '';
  setInterval(() => {
    const now = text();
    if (now === before && byId('spoken').textContent !== now) byId('spoken').textContent = now;
    before = now;
  }, 1500);
}
