// The demo as a person starts it, and its page as a person uses it: two panels, an iframe each.

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { By } from 'selenium-webdriver';
import { keep } from './children.js';
import { XTASK } from './paths.js';

/** Builds and serves the demo on a free port; resolves when it says where. */
export async function startDemo() {
  const child = spawn(XTASK, ['demo', '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = keep(child, 'SIGTERM');
  let said = '';
  const say = (text) => (said = (said + text).slice(-4000));
  child.stderr.on('data', say);
  child.on('error', say);
  for await (const line of createInterface({ input: child.stdout })) {
    say(`${line}\n`);
    const url = /^demo: (http:\/\/127\.0\.0\.1:\d+\/)$/.exec(line)?.[1];
    if (url) {
      child.stdout.resume();
      return {
        url,
        /** Resolves with its exit code. */
        stop() {
          child.kill('SIGTERM');
          return ended;
        },
      };
    }
  }
  throw new Error(`cargo xtask demo ended: ${said}`);
}

/** One user's panel. Elements are named by their data-testid. */
export class Panel {
  constructor(driver, user) {
    this.driver = driver;
    this.user = user;
  }

  /** Runs `work` with the panel's page as the driver's. */
  async inside(work) {
    const frame = await this.driver.findElement(By.css(`[data-testid="panel-${this.user}"]`));
    await this.driver.switchTo().frame(frame);
    try {
      return await work();
    } finally {
      await this.driver.switchTo().defaultContent();
    }
  }

  click(name) {
    return this.inside(() => this.driver.findElement(By.css(`[data-testid="${name}"]`)).click());
  }

  /** What the panel shows, all read in one moment. */
  shown() {
    return this.inside(() =>
      this.driver.executeScript(`
        const find = (name) => document.querySelector('[data-testid="' + name + '"]');
        const text = (name) => find(name)?.textContent.trim();
        // How far the fill reaches into the bar, in percent.
        const extent = (bar, fill) => {
          const [outer, inner] = [bar, fill].map((element) => element.getBoundingClientRect());
          return Math.round((100 * (inner.right - outer.left)) / outer.width);
        };
        const options = [...document.querySelectorAll('[data-testid^="option-"]')];
        return {
          state: text('state'),
          options: options.map((option, i) => ({
            count: text('count-' + i),
            share: text('share-' + i),
            bar: extent(option.querySelector('.bar'), option.querySelector('.fill')),
            mine: option.ariaChecked === 'true',
          })),
          decision: text('decision'),
          conflict: find('conflict').checkVisibility(),
          withdraw: !find('withdraw').disabled,
          notice: document.getElementById('notice').checkVisibility() ? document.getElementById('notice').textContent.trim() : '',
        };
      `),
    );
  }
}

/** A picture of the whole page at a size, as PNG. */
export async function screenshot(driver, path, { width, height, mobile = false }) {
  await driver.sendDevToolsCommand('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile });
  // The page lays itself out, the panels tell their heights, the page lays itself out again.
  await driver.executeAsyncScript('const done = arguments[0]; setTimeout(() => requestAnimationFrame(() => done()), 700);');
  const { data } = await driver.sendAndGetDevToolsCommand('Page.captureScreenshot', { captureBeyondViewport: true });
  writeFileSync(path, Buffer.from(data, 'base64'));
}
