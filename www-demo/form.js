// A questionnaire: one key a question and user, `alice_0`, `alice_1`, … Answers are sent together, as one operation with one
// Seq. Each question is counted by a tally of its own.

import { createAnswer } from './answers.js';
import { createCard } from './card.js';
import { el } from './dom.js';
import { badge } from './status.js';
import { createSummary } from './summaries.js';
import { contentOf } from './topics.js';
import { local, t } from './words.js';

/** @param {import('./card.js').Client} client */
export function createForm(client) {
  const { me, chat } = client;
  const card = createCard('form', client);
  /** @type {{title: import('./words.js').Local, key: string, answer: ReturnType<typeof createAnswer>, summary: ReturnType<typeof createSummary>}[]} */
  let questions = [];
  /** @type {readonly import('message-extensions').WatchedExtension[]} */
  let entries = [];
  /** Something was chosen that is not sent. */
  let isEdited = false;
  /** @type {(() => void)[]} */
  let stops = [];

  const fields = el('div', { className: 'questions' });
  const send = el('button', { className: 'primary', data: { testid: 'send' } });
  const status = el('span', { className: 'form-status', data: { testid: 'form-status' } });
  const form = el('form', {}, fields, el('div', { className: 'actions' }, send, status));
  const heading = el('h3');
  const summaries = el('div', { className: 'summaries' });
  card.body.append(form, el('div', { className: 'results' }, heading, summaries));
  form.oninput = () => {
    isEdited = true;
    render();
  };
  form.onsubmit = async (event) => {
    event.preventDefault();
    const changed = questions.map(({ key, answer }) => ({ key, value: answer.value })).filter(({ key, value }) => value !== stored(key));
    isEdited = false;
    if (changed.length) await card.write(changed);
    render();
  };

  /** @param {import('message-extensions').Message} message */
  function open(message) {
    for (const stop of stops) stop();
    card.open(message);
    isEdited = false;
    /** @type {import('./topics.js').FormContent} */
    const content = contentOf(message);
    questions = content.questions.map((question, index) => ({
      title: question.title,
      key: `${me}_${index}`,
      answer: createAnswer(question, index),
      summary: createSummary(question, index, me),
    }));
    fields.replaceChildren(...questions.map(({ answer }) => answer.root));
    summaries.replaceChildren(...questions.map(({ summary }) => summary.root));
    stops = questions.map(({ summary }, index) =>
      chat.tally(message, { options: summary.options, suffix: `_${index}` }, (tally) => summary.show(tally)),
    );
    stops.push(chat.watchMessageExtensions(message, (snapshot) => {
      ({ entries } = snapshot);
      render();
    }));
  }

  const stored = (/** @type {string} */ key) => entries.find((entry) => entry.key === key)?.value ?? '';

  function render() {
    const answered = new Set(entries.filter(({ value }) => value).map(({ key }) => key.slice(0, key.lastIndexOf('_'))));
    card.render(t('answered', { n: answered.size }));
    heading.textContent = t('summary');
    for (const { title, key, answer, summary } of questions) {
      answer.title.textContent = local(title);
      summary.title.textContent = local(title);
      answer.render();
      summary.render();
      if (!isEdited) answer.value = stored(key);
    }
    const mine = entries.filter(({ key }) => questions.some((question) => question.key === key));
    send.textContent = t('send');
    const waiting = mine.find((entry) => entry.status !== 'confirmed');
    status.replaceChildren(...(isEdited ? [] : waiting ? badge(waiting.status) : mine.some(({ value }) => value) ? [t('sent')] : []));
  }

  return { card, open, render, conflict: card.conflict, spoken: () => t('answered', { n: new Set(entries.map(({ author }) => author)).size }) };
}
