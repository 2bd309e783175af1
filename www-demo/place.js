// A key that everybody may write. The first to write wins; who comes too late is told so with 23001 and sees both values: at
// once, or, if they wrote offline, when they are back. The package knows the new state by then: a retry is the same call.

import { createCard } from './card.js';
import { el } from './dom.js';
import { nameOf, avatar } from './people.js';
import { badge } from './status.js';
import { local, t } from './words.js';

const KEY = 'place';
const CONFLICT = 23001;

/** What a provoked conflict is about: each user wants another place. */
const WISHES = [
  { en: 'The old bridge', zh: '老石桥' },
  { en: 'The fountain', zh: '喷泉广场' },
  { en: 'The north gate', zh: '北门' },
];

/**
 * @param {import('./card.js').Client} client
 * @param {number} number of this user among all
 * @param {() => void} onSynced whether all that the server has is shown
 */
export function createPlace(client, number, onSynced) {
  const { me, chat } = client;
  const card = createCard('place', client);
  /** @type {import('message-extensions').WatchedExtension | undefined} */
  let entry;
  /** The winner of a conflict with which the user is content. */
  /** @type {typeof entry} */
  let accepted;
  let synced = false;
  let stop = () => {};

  const author = el('span', { className: 'place-author' });
  const value = el('b', { className: 'place-value', data: { testid: 'place-value' } });
  const status = el('span', { data: { testid: 'place-status' } });
  const label = el('label', { className: 'sr-only', htmlFor: 'place-input' });
  const input = el('input', { id: 'place-input', maxLength: 60, autocomplete: 'off', required: true, data: { testid: 'place-input' } });
  const save = el('button', { data: { testid: 'place-save' } });
  const form = el('form', { className: 'line' }, el('div', { className: 'field' }, label, input), save);
  card.body.append(el('p', { className: 'place-now' }, author, value, status), form);
  form.onsubmit = (event) => {
    event.preventDefault();
    const wish = input.value.trim();
    input.value = '';
    if (wish) write(wish);
  };

  /**
   * @param {string} wish
   * @returns {Promise<number>} 0, or why it was refused
   */
  async function write(wish) {
    const refused = await card.write([{ key: KEY, value: wish }]);
    if (refused?.code === CONFLICT) tellConflict(wish, refused.value);
    return refused?.code ?? 0;
  }

  /**
   * @param {string} wish
   * @param {string} current
   */
  function tellConflict(wish, current) {
    const actions = () => [
      action('retry', 'primary', () => write(wish)),
      action('keep', '', () => {
        accepted = entry;
        card.hush();
        render();
      }),
    ];
    card.tell(() => t('tooLate', { wish, current: current || t('nothing') }), actions);
  }

  /**
   * @param {'retry' | 'keep'} name
   * @param {string} className
   * @param {() => void} work
   */
  function action(name, className, work) {
    const button = el('button', { type: 'button', className, data: { testid: name } }, t(name));
    button.onclick = () => {
      work();
      // The button is gone.
      save.focus();
    };
    return button;
  }

  /** @param {import('message-extensions').Message} message */
  function open(message) {
    stop();
    card.open(message);
    stop = chat.watchMessageExtensions(message, (snapshot) => {
      entry = snapshot.entries.find(({ key }) => key === KEY);
      ({ synced } = snapshot);
      render();
      onSynced();
    });
  }

  function render() {
    card.render(t('anybodyMayWrite'));
    const writer = entry?.value ? entry.author || me : '';
    author.replaceChildren(...(writer ? [avatar(writer), el('span', { className: 'sr-only' }, nameOf(writer, me))] : []));
    value.textContent = entry?.value || t('noPlace');
    value.classList.toggle('none', !entry?.value);
    status.replaceChildren(...(entry === accepted ? [] : badge(entry?.status)));
    label.textContent = t('newPlace');
    input.placeholder = t('newPlace');
    save.textContent = t('save');
  }

  /** @param {readonly import('./card.js').Conflict[]} conflicts of writes that were made offline */
  function conflict(conflicts) {
    const [first] = conflicts;
    if (first?.code === CONFLICT) tellConflict(first.value, first.current);
    else card.conflict(conflicts);
  }

  return {
    card,
    open,
    render,
    /** Writes this user's own wish. */
    wish: () => write(local(WISHES[number % WISHES.length] ?? {})),
    isSynced: () => synced,
    conflict,
    spoken: () => '',
  };
}
