// The options of a vote: a radio group whose buttons are the result's bars.

/**
 * @param {HTMLElement} group
 * @param {string[]} options
 * @param {string} me
 * @param {(choice: number) => void} choose
 */
export function createBars(group, options, me, choose) {
  const rows = options.map((label, index) => {
    const button = el('button', 'option');
    button.type = 'button';
    button.role = 'radio';
    button.dataset.testid = `option-${index}`;
    const count = el('span', 'count');
    count.dataset.testid = `count-${index}`;
    const noun = el('span', 'noun');
    const share = el('b', 'share');
    share.dataset.testid = `share-${index}`;
    const fill = el('span', 'fill');
    const voters = el('span', 'voters');
    const dot = el('span', 'dot');
    const text = el('span', 'label');
    text.textContent = label;
    const votes = el('span', 'votes');
    votes.append(count, ' ', noun);
    const bar = el('span', 'bar');
    bar.append(fill);
    button.append(dot, text, ' ', share, bar, ' ', votes, ' ', voters);
    button.addEventListener('click', () => {
      if (button.ariaDisabled !== 'true') choose(index);
    });
    return { button, count, noun, share, fill, voters };
  });
  group.replaceChildren(...rows.map((row) => row.button));
  group.ariaBusy = 'false';

  // Arrows move through the group as in any radio group; they do not choose, because a choice is written to the server.
  group.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const at = rows.findIndex((row) => row.button === document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    reach(/** @type {number} */ ((at + step + rows.length) % rows.length))?.focus();
  };

  /**
   * Makes one button the group's tab stop.
   *
   * @param {number} index
   */
  function reach(index) {
    rows.forEach((row, i) => (row.button.tabIndex = i === index ? 0 : -1));
    return rows[index]?.button;
  }

  return {
    /**
     * @param {import('./tally.js').Tally} result
     * @param {{pending: number | null, enabled: boolean}} state the option that is being written, and whether one can be chosen
     */
    render(result, { pending, enabled }) {
      const mine = result.voters.findIndex((names) => names.includes(me));
      rows.forEach((row, index) => {
        const names = result.voters[index] ?? [];
        const percent = result.total ? Math.round((100 * names.length) / result.total) : 0;
        row.button.ariaChecked = String(index === mine);
        row.button.ariaBusy = String(index === pending);
        row.button.ariaDisabled = String(!enabled || pending !== null);
        row.count.textContent = String(names.length);
        row.noun.textContent = names.length === 1 ? 'vote' : 'votes';
        row.share.textContent = `${percent} %`;
        row.fill.style.setProperty('--share', `${percent}%`);
        row.voters.replaceChildren(...names.map((name) => chip(name, name === me)));
      });
      if (!group.contains(document.activeElement)) reach(Math.max(mine, 0));
    },
  };
}

/**
 * @param {string} name
 * @param {boolean} you
 */
function chip(name, you) {
  const outer = el('span', you ? 'chip you' : 'chip');
  const initial = el('span', 'initial');
  initial.textContent = name.slice(0, 1).toUpperCase();
  initial.ariaHidden = 'true';
  outer.append(initial, you ? 'you' : name);
  return outer;
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} name
 */
function el(tag, name) {
  const element = document.createElement(tag);
  element.className = name;
  return element;
}
