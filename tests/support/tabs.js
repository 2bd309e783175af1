// Tabs of real browsers, each with a user's client (`pages/tab.js`), and the site that they are served from. The client
// reaches the server through a gateway, so a page can be reloaded while its client is offline.

import { callPage } from './browsers.js';
import { startGateway } from './gateway.js';
import { APP, sign, startServer } from './server.js';
import { makeSite } from './site.js';
import { until } from './wait.js';

/** A server that also serves the pages. */
export async function startTabSite(flags = []) {
  const site = makeSite();
  const server = await startServer({ staticDir: site.folder, flags });
  const stop = async () => {
    await server.stop();
    site.remove();
  };
  return Object.assign(server, { stopSite: stop });
}

export class Tab {
  #driver;
  #window;
  #page;

  constructor(driver, window, page) {
    this.#driver = driver;
    this.#window = window;
    this.#page = page;
  }

  /** The only tab that the browser has, blank. */
  static async first(driver, server) {
    const [window, ...others] = await driver.getAllWindowHandles();
    for (const other of others) {
      await driver.switchTo().window(other);
      await driver.close();
    }
    await driver.switchTo().window(window);
    await driver.get('about:blank');
    return new Tab(driver, window, `${server.url}/tab.html`);
  }

  /** One more of the same user. */
  async another() {
    await this.#driver.switchTo().newWindow('tab');
    return new Tab(this.#driver, await this.#driver.getWindowHandle(), this.#page);
  }

  async #inFront() {
    await this.#driver.switchTo().window(this.#window);
  }

  /** Calls a method of `window.tab`. */
  async do(method, ...args) {
    await this.#inFront();
    return callPage(this.#driver, 'tab', method, ...args);
  }

  /**
   * Loads the page, again if it is there, with a client that nobody is logged in to; calls some of its methods before its
   * wasm is there, and gives their answers.
   */
  async load(gateway, options = {}, calls = []) {
    await this.#inFront();
    await this.#driver.get(this.#page);
    await until('the page has not started', () => this.#driver.executeScript('return Boolean(window.tab)'));
    return this.do('create', { SDKAppID: APP, endpoint: gateway.url, ...options }, calls);
  }

  /** Goes to another page. */
  async leave() {
    await this.#inFront();
    await this.#driver.get('about:blank');
  }

  login = (userID) => this.call(...loginOf(userID));

  /** Calls a method of the client: `{data}` or `{code}`. */
  call = (method, ...args) => this.do('call', method, ...args);

  /** The data of the events of one name. */
  async told(name) {
    return (await this.do('seen')).filter((event) => event.name === name).map((event) => event.data);
  }

  /** What a watch shows, as [key, value, status], once `holds` says that it is right. */
  async showing(watch, what, holds) {
    let shown;
    await until(
      () => `${what}: ${JSON.stringify(shown)}`,
      async () => {
        shown = await this.do('shown', watch);
        return shown && holds(shown);
      },
    );
    return brief(shown);
  }

  close = async () => {
    await this.#inFront();
    await this.#driver.close();
  };
}

/** The call of `login`, with its arguments. */
export const loginOf = (userID) => ['login', { userID, userSig: sign(userID) }];

/** Of a snapshot's entries what the tests compare. */
export const brief = ({ entries }) => entries.map(({ key, value, status }) => [key, value, status]);

/** A gateway that can be the network of a page. */
export async function startNetwork(server) {
  const gateway = await startGateway(server);
  return Object.assign(gateway, {
    goDown() {
      gateway.isOpen = false;
      gateway.cut();
    },
    goUp() {
      gateway.isOpen = true;
    },
  });
}
