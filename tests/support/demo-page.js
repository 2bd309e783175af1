// The demo's page as a person uses it: a tab, with a panel for each user, which is an iframe. Elements are named by their
// data-testid.

import { By, Key } from 'selenium-webdriver';
import { until } from './wait.js';

const named = (name) => By.css(`[data-testid="${name}"]`);

/** One tab of the browser. */
export class Stage {
  constructor(driver, window, users) {
    this.driver = driver;
    this.window = window;
    this.panels = users.map((user) => new Panel(this, user));
  }

  static async open(driver, url, users) {
    await driver.get(url);
    return new Stage(driver, await driver.getWindowHandle(), users);
  }

  async inFront() {
    await this.driver.switchTo().window(this.window);
    await this.driver.switchTo().defaultContent();
  }

  async click(name) {
    await this.inFront();
    await click(this.driver, name);
  }

  async run(script, ...args) {
    await this.inFront();
    return this.driver.executeScript(script, ...args);
  }

  /** Presses keys where the focus is. */
  async press(...keys) {
    await this.driver.actions().sendKeys(...keys).perform();
  }

  scene = (name) => this.click(`scene-${name}`);
  outcome = () => this.run('return document.getElementById("outcome").textContent');

  /** Follows the link for another user, as one does to a new tab. */
  async invite(user) {
    await this.click('invite');
    const find = async () => (await this.driver.getAllWindowHandles()).find((handle) => handle !== this.window);
    const handle = await until('no tab has opened', find);
    const guest = new Stage(this.driver, handle, [user]);
    await guest.shows('the guest is not connected', are({ state: 'live' }));
    return guest;
  }

  async close() {
    await this.inFront();
    await this.driver.close();
  }

  /** What the inspector lists, newest first: {user, direction, what, text, seq}. */
  packets = () =>
    this.run(`return [...document.querySelectorAll('[data-testid="wire"] > li')].map((row) => ({
      user: row.dataset.user,
      direction: row.classList.contains('out') ? 'out' : 'in',
      what: row.dataset.what,
      text: row.querySelector('code').textContent,
      seq: row.dataset.seq,
    }));`);

  /** What each panel shows, all read in one moment. */
  shown = () =>
    this.run(`return [...document.querySelectorAll('iframe')].map((frame) => (${readPanel})(frame.contentDocument));`);

  /** All panels come to show what `holds` says of them. */
  async shows(what, holds) {
    let shown;
    await until(
      () => `${what}: ${typeof shown === 'string' ? shown : JSON.stringify(shown, null, 1)}`,
      async () => {
        try {
          shown = await this.shown();
        } catch (error) {
          // A panel that has not loaded yet.
          shown = String(error);
          return false;
        }
        // Nor are there panels at once in a page that was loaded again, or anything in a tab that goes to its page.
        return shown?.length === this.panels.length && holds(...shown);
      },
    );
    return shown;
  }

  /** Runs `work` in the page, and in the page of each panel. */
  async everywhere(work) {
    await this.inFront();
    const results = [await work()];
    for (const panel of this.panels) results.push(await panel.inside(work));
    return results;
  }
}

/** One user's panel. */
class Panel {
  constructor(stage, user) {
    this.stage = stage;
    this.user = user;
  }

  async inside(work) {
    const { driver } = this.stage;
    await this.stage.inFront();
    await driver.switchTo().frame(await driver.findElement(named(`panel-${this.user}`)));
    try {
      return await work(driver);
    } finally {
      await driver.switchTo().defaultContent();
    }
  }

  click = (name) => this.inside((driver) => click(driver, name));

  type = (name, text) => this.inside((driver) => driver.findElement(named(name)).sendKeys(text));

  /** Puts the focus there, without a mouse. */
  focus = (name) =>
    this.inside(async (driver) => driver.executeScript('arguments[0].focus()', await driver.findElement(named(name))));

  /** Presses keys, and gives the data-testid of what then has the focus. */
  press = (...keys) =>
    this.inside(async (driver) => {
      await driver.switchTo().activeElement().sendKeys(...keys);
      return driver.executeScript('return document.activeElement.dataset.testid');
    });

  shown = async () => (await this.stage.shown())[this.stage.panels.indexOf(this)];
}

export { Key };

/** Clicks an element, in the middle of the page; what has a label is clicked there. */
async function click(driver, name) {
  const element = await driver.executeScript(
    `const element = arguments[0].labels?.[0] ?? arguments[0];
     element.scrollIntoView({ block: 'center', behavior: 'instant' });
     return element;`,
    await driver.findElement(named(name)),
  );
  await element.click();
}

/** What a panel shows; runs in the browser. */
function readPanel(document) {
  const find = (name) => document.querySelector(`[data-testid="${name}"]`);
  const text = (name) => find(name)?.textContent.trim() ?? '';
  const status = (element) => element?.querySelector('[data-status]')?.dataset.status ?? 'confirmed';
  const persons = (element) => [...element.querySelectorAll('[data-person]')].map((one) => one.dataset.person);
  /** How much of its bar is filled, in percent; undefined where it is not to be seen. */
  const extent = (row) => {
    const [outer, inner] = ['.bar', '.bar-fill'].map((part) => row.querySelector(part).getBoundingClientRect());
    return outer.width ? Math.round((100 * inner.width) / outer.width) : undefined;
  };
  const vote = (topic) =>
    [...find(topic).querySelectorAll('.option')].map((row) => ({
      result: row.querySelector('.result').textContent,
      voters: persons(row),
      mine: row.querySelector('input').checked,
      bar: extent(row),
      status: status(row),
    }));
  const noticeOf = (topic) => find(topic).querySelector('[data-part="notice"] p')?.textContent ?? '';
  return {
    lang: document.documentElement.lang,
    state: find('state').dataset.state,
    stateText: text('state'),
    notice: find('notice').hidden ? '' : text('notice'),
    vote: vote('vote'),
    days: vote('days'),
    seats: [...find('seat-list').children].map((seat) =>
      seat.dataset.person
        ? { who: seat.dataset.person, note: seat.querySelector('.seat-text .soft').textContent, status: status(seat) }
        : 'free',
    ),
    summaries: [0, 1, 2].map((i) => text(`summary-${i}`)),
    place: text('place-value'),
    placeStatus: status(find('place')),
    messages: Object.fromEntries(['vote', 'days', 'chain', 'form', 'place'].map((topic) => [topic, find(topic).dataset.message])),
    notices: Object.fromEntries(['vote', 'days', 'chain', 'form', 'place'].map((topic) => [topic, noticeOf(topic)])),
  };
}

/** Whether what is shown has all of `expected`, as `toMatchObject` means it; for {@link Stage.shows}. */
export const are = (...expected) => (...shown) => shown.every((one, i) => matches(one, expected[i] ?? expected[0]));

function matches(value, expected) {
  if (typeof expected !== 'object' || expected === null) return value === expected;
  if (Array.isArray(expected)) return value?.length === expected.length && expected.every((one, i) => matches(value[i], one));
  return Object.keys(expected).every((key) => matches(value?.[key], expected[key]));
}
