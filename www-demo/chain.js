// A sign-up chain (接龙): one key a person, its value a note. Entries come in the order in which they were written, which is
// the order of the line, and the server gives no more seats than the message's rule `maxKeys` says.

import { createCard } from './card.js';
import { el } from './dom.js';
import { avatar, nameOf } from './people.js';
import { badge } from './status.js';
import { contentOf, OWN } from './topics.js';
import { t } from './words.js';

/**
 * @param {import('./card.js').Client} client
 * @param {() => void} onChange
 */
export function createChain(client, onChange) {
  const { me, chat } = client;
  const seatsInput = el('input', { type: 'number', id: 'seats', min: '1', max: '9', value: '2', data: { testid: 'seats' } });
  const card = createCard('chain', client, { seats: () => Math.min(Math.max(Number(seatsInput.value) || 2, 1), 9) });
  const myKey = me + OWN;
  /** @type {readonly import('message-extensions').WatchedExtension[]} */
  let entries = [];
  let seats = 0;
  let stop = () => {};

  const list = el('ol', { className: 'seats', data: { testid: 'seat-list' } });
  const noteLabel = el('label', { htmlFor: 'note' });
  const note = el('input', { id: 'note', maxLength: 60, autocomplete: 'off', data: { testid: 'note' } });
  const signUp = el('button', { className: 'primary', data: { testid: 'sign-up' } });
  const withdraw = el('button', { type: 'button', data: { testid: 'sign-off' } });
  const form = el('form', { className: 'line' }, el('div', { className: 'field' }, noteLabel, note), signUp, withdraw);
  const seatsLabel = el('label', { className: 'seats-wanted' });
  card.body.append(list, form);
  card.extra.append(seatsLabel);

  form.onsubmit = async (event) => {
    event.preventDefault();
    // The button that was pressed is gone; who uses the keyboard goes on with the one in its place.
    if ((await take()) === 0) withdraw.focus();
  };
  withdraw.onclick = async () => {
    await card.write([{ key: myKey, value: '' }]);
    signUp.focus();
  };

  /** Takes a seat, if there is one. */
  async function take() {
    const refused = await card.write([{ key: myKey, value: note.value.trim() || '+1' }]);
    if (!refused) note.value = '';
    return refused?.code ?? 0;
  }

  /** @param {import('message-extensions').Message} message */
  function open(message) {
    stop();
    card.open(message);
    ({ seats } = contentOf(message));
    stop = chat.watchMessageExtensions(message, (snapshot) => {
      ({ entries } = snapshot);
      render();
      onChange();
    });
  }

  /** Those that are not being withdrawn. */
  const taken = () => entries.filter(({ value }) => value);

  function render() {
    const signedUp = taken();
    const mine = signedUp.find(({ key }) => key === myKey);
    const free = Math.max(seats - signedUp.length, 0);
    card.render(t('seatsFree', { n: free }));
    list.replaceChildren(
      ...signedUp.map((entry) => seat(entry, me)),
      ...Array.from({ length: free }, () => el('li', { className: 'seat free' }, t('freeSeat'))),
    );
    noteLabel.textContent = t('note');
    note.placeholder = t('notePlaceholder');
    signUp.textContent = free ? t('signUp') : t('signUpFull');
    withdraw.textContent = t('signOff');
    seatsLabel.replaceChildren(t('seats'), ' ', seatsInput);
    note.parentElement?.toggleAttribute('hidden', Boolean(mine));
    signUp.hidden = Boolean(mine);
    withdraw.hidden = !mine;
  }

  return {
    card,
    open,
    render,
    conflict: card.conflict,
    take,
    /** What the race for the last seat needs to know. */
    state: () => ({ messageID: card.message?.ID ?? '', free: seats - taken().length, mine: taken().some(({ key }) => key === myKey) }),
    spoken: () => t('seatsFree', { n: Math.max(seats - taken().length, 0) }),
  };
}

/**
 * @param {import('message-extensions').WatchedExtension} entry
 * @param {string} me
 */
function seat({ key, value, time, status }, me) {
  const userID = key.slice(0, -OWN.length);
  const when = time ? new Date(time).toLocaleTimeString(document.documentElement.lang, { timeStyle: 'medium' }) : '';
  return el('li', { className: 'seat', data: { person: userID } },
    avatar(userID),
    el('span', { className: 'seat-text' }, el('b', {}, nameOf(userID, me)), el('span', { className: 'soft' }, value)),
    ...badge(status),
    el('time', { className: 'soft' }, when));
}
