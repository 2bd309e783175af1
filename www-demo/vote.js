// A vote. Each voter has one key, `alice_0`; its value is the number of an option, or several: `0,2`. The package counts.

import { createCard } from './card.js';
import { bar } from './charts.js';
import { el } from './dom.js';
import { showPeople } from './people.js';
import { badge } from './status.js';
import { contentOf, OWN, SEPARATOR } from './topics.js';
import { local, t } from './words.js';

/**
 * @param {'vote' | 'days'} topic
 * @param {import('./card.js').Client} client
 * @param {{several: boolean}} options
 */
export function createVote(topic, client, { several }) {
  const { me, chat } = client;
  const card = createCard(topic, client);
  const myKey = me + OWN;
  /** @type {import('./topics.js').Local[]} */
  let options = [];
  /** @type {ReturnType<typeof createRow>[]} */
  let rows = [];
  /** @type {(import('message-extensions').MessageExtensionsSnapshot & {tally: import('message-extensions').Tally}) | undefined} */
  let snapshot;
  let stop = () => {};

  const legend = el('legend', { className: 'sr-only' });
  const list = el('ul', { className: 'options' });
  const withdraw = el('button', { type: 'button', className: 'quiet', data: { testid: `${topic}-withdraw` } });
  withdraw.onclick = async () => {
    await card.write([{ key: myKey, value: '' }]);
    // The button is gone.
    rows[0]?.input.focus();
  };
  card.body.append(el('fieldset', {}, legend, list));
  if (!several) card.extra.append(withdraw);

  /** @param {import('message-extensions').Message} message */
  function open(message) {
    stop();
    card.open(message);
    ({ options } = contentOf(message));
    rows = options.map((_, index) => createRow(topic, index, several, vote));
    list.replaceChildren(...rows.map((row) => row.item));
    const tally = { options: options.map((_, index) => index), suffix: OWN, ...(several && { separator: SEPARATOR }) };
    stop = chat.watchMessageExtensions(message, (now) => {
      snapshot = now;
      render();
    }, { tally });
  }

  async function vote() {
    const value = rows.flatMap(({ input }, index) => (input.checked ? [index] : [])).join(SEPARATOR);
    await card.write([{ key: myKey, value }]);
    // What was refused is not chosen.
    render();
  }

  function render() {
    const { tally, entries = [] } = snapshot ?? {};
    const mine = entries.find(({ key }) => key === myKey);
    card.render(t('voters', { n: tally?.voters ?? 0 }));
    legend.textContent = card.message ? local(contentOf(card.message).title) : '';
    withdraw.textContent = t('withdrawVote');
    withdraw.disabled = !mine?.value;
    rows.forEach((row, index) => {
      const { count = 0, share = 0, voters = [] } = tally?.options[index] ?? {};
      const isMine = voters.includes(me);
      row.label.textContent = local(options[index] ?? {});
      row.input.checked = isMine;
      const percent = Math.round(100 * share);
      row.result.textContent = `${count} · ${percent} %`;
      row.described.textContent = t('votes', { n: count, percent });
      row.status.replaceChildren(...(isMine ? badge(mine?.status) : []));
      showPeople(row.voters, voters, me);
      row.bar.set(share);
    });
  }

  return { card, open, render, conflict: card.conflict, spoken: () => spoken(options, snapshot?.tally) };
}

/**
 * @param {string} topic
 * @param {number} index
 * @param {boolean} several
 * @param {() => void} vote
 */
function createRow(topic, index, several, vote) {
  const id = `${topic}-${index}`;
  const input = el('input', { type: several ? 'checkbox' : 'radio', name: topic, id, data: { testid: id }, onchange: vote });
  input.setAttribute('aria-describedby', `${id}-described`);
  const label = el('label', { htmlFor: id });
  const result = el('span', { className: 'result', ariaHidden: 'true', data: { testid: `${id}-result` } });
  const described = el('span', { id: `${id}-described`, className: 'sr-only' });
  const status = el('span', { className: 'option-status' });
  const voters = el('ul', { className: 'people' });
  const chart = bar();
  const item = el('li', { className: 'option' }, input, label, voters, result, described, chart.svg, status);
  return { item, input, label, result, described, status, voters, bar: chart };
}

/**
 * The result in a sentence.
 *
 * @param {import('./topics.js').Local[]} options
 * @param {import('message-extensions').Tally | undefined} tally
 */
const spoken = (options, tally) =>
  tally ? `${t('voters', { n: tally.voters })}: ${options.map((option, i) => `${local(option)} ${tally.options[i]?.count ?? 0}`).join(', ')}` : '';
