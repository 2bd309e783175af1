// The inputs of a question: a choice, a scale from 1 to 5, a text. `value` is what is written to the question's key.

import { el } from './dom.js';
import { local, t } from './words.js';

export const SCALE = 5;

/**
 * @param {import('./topics.js').FormContent['questions'][number]} question
 * @param {number} index
 */
export function createAnswer({ kind, options = [] }, index) {
  const id = `question-${index}`;
  return kind === 'text' ? createText(id) : createRadios(id, kind, kind === 'scale' ? scaleLabels() : options);
}

const scaleLabels = () => Array.from({ length: SCALE }, (_, i) => ({ en: String(i + 1) }));

/** @param {string} id */
function createText(id) {
  const title = el('label', { className: 'question-title', htmlFor: id });
  const input = el('textarea', { id, rows: 2, maxLength: 200, data: { testid: id } });
  return {
    root: el('div', { className: 'question' }, title, input),
    title,
    render: () => (input.placeholder = t('textPlaceholder')),
    get value() {
      return input.value.trim();
    },
    set value(value) {
      input.value = value;
    },
  };
}

/**
 * @param {string} id
 * @param {'choice' | 'scale'} kind
 * @param {import('./words.js').Local[]} options
 */
function createRadios(id, kind, options) {
  const title = el('legend', { className: 'question-title' });
  const radios = options.map((_, i) => el('input', { type: 'radio', name: id, value: String(i), data: { testid: `${id}-${i}` } }));
  const labels = options.map(() => el('span'));
  const pills = radios.map((radio, i) => el('label', { className: 'pill' }, radio, labels[i] ?? ''));
  return {
    root: el('fieldset', { className: 'question' }, title, el('div', { className: `pills ${kind}` }, ...pills)),
    title,
    render: () => labels.forEach((label, i) => (label.textContent = local(options[i] ?? {}))),
    get value() {
      return radios.find(({ checked }) => checked)?.value ?? '';
    },
    set value(value) {
      for (const radio of radios) radio.checked = radio.value === value;
    },
  };
}
