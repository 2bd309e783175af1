// Where crowds are: in a process of Node, or in a page of a browser. `do` calls a method of `pages/crowd.js`.

import { fork } from 'node:child_process';
import { callPage, startBrowser } from './browsers.js';
import { keep } from './children.js';
import { inCheckout } from './paths.js';
import { deferred, until } from './wait.js';

/** @param {'Node' | 'Chromium' | 'Firefox'} host */
export const startCrowd = (host, site) => (host === 'Node' ? inProcess() : inPage(host, site));

async function inProcess() {
  const flags = typeof WebSocket === 'undefined' || process.execArgv.includes('--experimental-websocket') ? ['--experimental-websocket'] : [];
  const child = fork(inCheckout('tests/support/crowd-process.js'), { execArgv: flags });
  const ended = keep(child, 'SIGKILL');
  const open = new Map([[0, deferred()]]);
  let last = 0;
  child.on('message', ({ id, value, error }) => {
    const { resolve, reject } = open.get(id);
    open.delete(id);
    if (error) reject(new Error(`the crowd in Node: ${error}`));
    else resolve(value);
  });
  ended.then((code) => open.forEach(({ reject }) => reject(new Error(`the crowd in Node ended with ${code}`))));
  await open.get(0).promise;
  return {
    do(method, ...args) {
      const answer = deferred();
      open.set((last += 1), answer);
      child.send({ id: last, method, args });
      return answer.promise;
    },
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function inPage(browser, site) {
  const driver = await startBrowser(browser);
  await driver.get(`${site.url}/crowd.html`);
  await until('the page has not started', () => driver.executeScript('return Boolean(window.crowd)'));
  return { do: (method, ...args) => callPage(driver, 'crowd', method, ...args), stop: () => driver.quit() };
}
