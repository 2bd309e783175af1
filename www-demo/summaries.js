// What all have answered to a question, live: bars for a choice, columns and the mean for a scale, texts as they are.

import { SCALE } from './answers.js';
import { bar, histogram } from './charts.js';
import { el } from './dom.js';
import { avatar, nameOf, showPeople } from './people.js';
import { local, t } from './words.js';

/** @typedef {import('message-extensions').Tally} Tally */

/**
 * @param {import('./topics.js').FormContent['questions'][number]} question
 * @param {number} index
 * @param {string} me
 */
export function createSummary({ kind, options: labels = [] }, index, me) {
  const title = el('h4');
  const chart = { choice: () => createBars(labels, me), scale: createColumns, text: () => createQuotes(me) }[kind]();
  /** @type {Tally} */
  let tally = { voters: 0, options: [] };
  const render = () => chart.show(tally);
  return {
    root: el('section', { className: 'summary', data: { testid: `summary-${index}` } }, title, ...chart.parts),
    title,
    render,
    /** What is counted also when nobody has chosen it. */
    options: Array.from({ length: kind === 'scale' ? SCALE : labels.length }, (_, i) => i),
    /** @param {Tally} now */
    show(now) {
      tally = now;
      render();
    },
  };
}

/**
 * @param {import('./words.js').Local[]} labels
 * @param {string} me
 */
function createBars(labels, me) {
  const rows = labels.map(() => {
    const chart = bar();
    const [label, count, voters] = [el('span'), el('span', { className: 'result' }), el('ul', { className: 'people' })];
    return { chart, label, count, voters, root: el('li', { className: 'summary-row' }, label, voters, count, chart.svg) };
  });
  return {
    parts: [el('ul', {}, ...rows.map(({ root }) => root))],
    /** @param {Tally} tally */
    show: (tally) => rows.forEach(({ chart, label, count, voters }, i) => {
      const option = tally.options[i];
      label.textContent = local(labels[i] ?? {});
      count.textContent = String(option?.count ?? 0);
      chart.set(option?.share ?? 0);
      showPeople(voters, option?.voters ?? [], me);
    }),
  };
}

function createColumns() {
  const chart = histogram(SCALE);
  const text = el('p', { className: 'soft' });
  return {
    parts: [chart.svg, el('p', { className: 'ticks', ariaHidden: 'true' }, ...Array.from({ length: SCALE }, (_, i) => el('span', {}, String(i + 1)))), text],
    /** @param {Tally} tally */
    show({ options, voters }) {
      chart.set(options.map(({ count }) => count));
      const sum = options.reduce((total, { option, count }) => total + (Number(option) + 1) * count, 0);
      text.textContent = voters ? t('mean', { mean: (sum / voters).toFixed(1) }) : t('nothingYet');
    },
  };
}

/** @param {string} me */
function createQuotes(me) {
  const list = el('ul', { className: 'quotes' });
  return {
    parts: [list],
    /** @param {Tally} tally here each text is an option of its own */
    show({ options }) {
      const quotes = options.flatMap(({ option, voters }) => voters.map((userID) =>
        el('li', {}, avatar(userID), el('span', { className: 'sr-only' }, `${nameOf(userID, me)}: `), el('q', {}, option))));
      list.replaceChildren(...(quotes.length ? quotes : [el('li', { className: 'soft' }, t('nothingYet'))]));
    },
  };
}
