// The frame of every message's card: title, author and rules; a notice for what was refused; "clear" and "start anew".

import { byId, el } from './dom.js';
import { codeInWords, inWords } from './errors.js';
import { avatar } from './people.js';
import { onSettings } from './settings.js';
import { contentOf, OWN } from './topics.js';
import { local, t, translate } from './words.js';

/** @typedef {import('message-extensions').Message} Message */
/** @typedef {import('message-extensions').MessageExtensionConflict} Conflict */
/** @typedef {import('message-extensions').MessageExtensionWriteResult} WriteResult */
/** @typedef {import('./topics.js').Topic} Topic */
/** @typedef {{me: string, chat: import('message-extensions').Chat, start: (topic: Topic, seats?: number) => Promise<void>}} Client */
/** @typedef {ReturnType<typeof createCard>} Card */

/**
 * @param {Topic} topic also the id of the card's element
 * @param {Client} client
 * @param {{seats?: () => number}} [options]
 */
export function createCard(topic, { me, chat, start }, { seats } = {}) {
  const root = byId(topic);
  root.append(/** @type {HTMLTemplateElement} */ (byId('card')).content.cloneNode(true));
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(`[data-part="${name}"]`));
  const [title, meta, summary] = [part('title'), part('meta'), part('summary')];
  const [body, notice, extra] = [part('body'), part('notice'), part('extra')];
  title.id = `${topic}-title`;
  root.setAttribute('aria-labelledby', title.id);

  /** @type {Message | undefined} */
  let message;
  /** What the notice says. */
  let said = () => /** @type {Node[]} */ ([]);
  /** Writes go one after the other, in the order of the clicks. */
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();

  onSettings(renderNotice);
  button('clear', async () => {
    if (message) await chat.deleteMessageExtensions(message);
  });
  button('again', () => start(topic, seats?.()));

  /**
   * @param {string} name
   * @param {() => Promise<unknown>} work
   */
  function button(name, work) {
    const element = part(name);
    element.dataset.testid = `${topic}-${name}`;
    element.onclick = async () => {
      element.ariaBusy = 'true';
      await attempt(work);
      element.ariaBusy = 'false';
    };
  }

  /**
   * What goes wrong is said on the card.
   *
   * @template Value
   * @param {() => Promise<Value>} work
   * @returns {Promise<Value | undefined>}
   */
  async function attempt(work) {
    hush();
    try {
      return await work();
    } catch (error) {
      tell(() => inWords(error));
      return undefined;
    }
  }

  /**
   * Sets keys, and deletes those without a value; gives what became of the first that was refused.
   *
   * @param {{key: string, value: string}[]} items
   */
  async function send(items) {
    if (!message) return undefined;
    const [set, remove] = [items.filter(({ value }) => value), items.filter(({ value }) => !value)];
    /** @type {WriteResult[]} */
    const results = [];
    if (set.length) results.push(...(await chat.setMessageExtensions(message, set)).data.extensions);
    if (remove.length) results.push(...(await chat.deleteMessageExtensions(message, remove.map(({ key }) => key))).data.extensions);
    const refused = results.find(({ code }) => code !== 0);
    if (refused) tell(() => codeInWords(refused.code));
    return refused;
  }

  /**
   * @param {() => string} text in the language of the moment
   * @param {() => Node[]} [actions]
   */
  function tell(text, actions) {
    said = () => [el('p', {}, text()), ...(actions ? [el('div', { className: 'actions' }, ...actions())] : [])];
    renderNotice();
  }
  function hush() {
    said = () => [];
    renderNotice();
  }
  function renderNotice() {
    notice.replaceChildren(...said());
  }

  return {
    root,
    body,
    extra,
    attempt,
    tell,
    hush,

    get message() {
      return message;
    },

    /** @param {Message} next */
    open(next) {
      message = next;
      root.dataset.message = next.ID;
      hush();
    },

    /**
     * Sends items after those that were asked for before.
     *
     * @type {typeof send}
     */
    write: (items) =>
      attempt(() => {
        const done = last.then(() => send(items));
        last = done.catch(() => {});
        return done;
      }),

    /** @param {readonly Conflict[]} conflicts of writes that were made offline */
    conflict(conflicts) {
      const [first] = conflicts;
      if (first) tell(() => `${t('offlineRefused')} ${codeInWords(first.code)}`);
    },

    /** @param {string} text how it stands, in a few words */
    render(text) {
      translate(root);
      if (!message) return;
      const { extensionRules: rules, from } = message;
      title.textContent = local(contentOf(message).title);
      meta.replaceChildren(
        avatar(from),
        from === me ? t('byYou') : t('by', { name: from }),
        ...[
          rules?.keyOwner && rule('keyOwner', t('ruleOwner', { suffix: OWN })),
          rules?.values && rule('values', t('ruleValues')),
          rules?.maxKeys && rule(`maxKeys: ${rules.maxKeys}`, t('ruleSeats', { n: rules.maxKeys })),
        ].filter((one) => typeof one === 'object'),
      );
      summary.textContent = text;
    },
  };
}

/**
 * A rule of the message, as code writes it.
 *
 * @param {string} name
 * @param {string} meaning
 */
const rule = (name, meaning) => el('code', { className: 'rule', title: meaning }, name);
