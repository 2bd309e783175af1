// What a client saw: newest on top, bounded.

const LONGEST = 60;

/** @typedef {'event' | 'call' | 'refused'} Kind */

/**
 * @param {HTMLElement} list
 * @returns {(kind: Kind, name: string, text?: string) => void}
 */
export function createLog(list) {
  return (kind, name, text = '') => {
    const entry = document.createElement('li');
    entry.className = kind;
    const time = document.createElement('time');
    const now = new Date();
    time.dateTime = now.toISOString();
    time.textContent = `${now.toLocaleTimeString('en-GB')}.${String(now.getMilliseconds()).padStart(3, '0')}`;
    const title = document.createElement('b');
    title.textContent = name;
    const detail = document.createElement('span');
    detail.textContent = text;
    entry.append(time, title, detail);
    list.prepend(entry);
    while (list.children.length > LONGEST) list.lastElementChild?.remove();
  };
}
