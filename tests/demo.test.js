// The demo, started as a person starts it: two people vote side by side.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { By, logging } from 'selenium-webdriver';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBrowser } from './support/browsers.js';
import { Panel, screenshot, startDemo } from './support/demo.js';
import { until } from './support/wait.js';

/** The demo is built first. */
const BUILD = 300_000;
const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844, mobile: true } };

let demo;
let driver;
let alice;
let bob;
const pictures = mkdtempSync(join(tmpdir(), 'message-extensions-demo-'));

beforeAll(async () => {
  demo = await startDemo();
  driver = await startBrowser('Chromium');
  await driver.get(demo.url);
  [alice, bob] = ['alice', 'bob'].map((user) => new Panel(driver, user));
}, BUILD);
afterAll(async () => {
  await driver?.quit();
  await demo?.stop();
  console.log(`screenshots: ${pictures}`);
});

/** Both panels come to show what `holds` says of them. */
async function both(holds) {
  let shown;
  await until(
    () => JSON.stringify(shown, null, 1),
    async () => {
      try {
        shown = [await alice.shown(), await bob.shown()];
        return holds(...shown);
      } catch (error) {
        // A panel that has not loaded yet.
        shown = String(error);
        return false;
      }
    },
  );
  return shown;
}

/** Whether what is shown is all of `expected`, for {@link both}. */
const are = (expected) => (...shown) => {
  for (const one of shown) expect(one).toMatchObject(expected);
  return true;
};

/** What an option shows that has so many of all votes. */
const option = (count, total) => {
  const percent = total ? Math.round((100 * count) / total) : 0;
  return { count: String(count), share: `${percent} %`, bar: percent };
};
const votes = (...counts) => ({
  state: 'ready',
  notice: '',
  options: counts.map((count) => option(count, counts.reduce((sum, one) => sum + one))),
});

async function takePictures(name) {
  for (const [size, metrics] of Object.entries(SIZES)) await screenshot(driver, join(pictures, `${name}-${size}.png`), metrics);
  await driver.sendDevToolsCommand('Emulation.clearDeviceMetricsOverride', {});
}

test('both panels are ready and show the same vote without votes', async () => {
  const [ours] = await both(are(votes(0, 0, 0, 0)));
  expect(ours).toMatchObject({ decision: 'Not yet', conflict: false, withdraw: false });
  await takePictures('1-start');
});

test('a vote in one panel is counted in both', async () => {
  await alice.click('option-1');
  const [ours, theirs] = await both(are(votes(0, 1, 0, 0)));
  expect(ours.options.map(({ mine }) => mine)).toEqual([false, true, false, false]);
  expect(theirs.options.some(({ mine }) => mine)).toBe(false);
});

test('a vote in the other is added, and shares are of all votes', async () => {
  await bob.click('option-2');
  await both(are(votes(0, 1, 1, 0)));
  await takePictures('2-votes');
});

test('a vote that is changed moves, and is not counted twice', async () => {
  await alice.click('option-2');
  await both(are(votes(0, 0, 2, 0)));
});

test('a vote that is withdrawn is gone from both', async () => {
  await bob.click('withdraw');
  const [ours, theirs] = await both(are(votes(0, 0, 1, 0)));
  expect([ours.withdraw, theirs.withdraw]).toEqual([true, false]);
  await bob.click('option-0');
  await both(are(votes(1, 0, 1, 0)));
});

test('of two decisions at once one counts: exactly one panel shows the conflict, and a retry settles it in both', async () => {
  await driver.findElement(By.css('[data-testid="provoke"]')).click();
  const outcome = () => driver.findElement(By.id('outcome')).getText();
  await until('nobody says how it ended', async () => (await outcome()).includes('was first'));
  const shown = await both((ours, theirs) => ours.decision !== 'Not yet' && ours.decision === theirs.decision);
  expect(shown.filter(({ conflict }) => conflict)).toHaveLength(1);
  await takePictures('3-conflict');

  const [{ decision: first }] = shown;
  await (shown[0].conflict ? alice : bob).click('retry');
  const [{ decision: second }] = await both(
    (ours, theirs) => ours.decision !== first && ours.decision === theirs.decision && !ours.conflict && !theirs.conflict,
  );
  // What they have voted for.
  expect([first, second].sort()).toEqual(['Noodles', 'Tacos']);
  await both(are(votes(1, 0, 1, 0)));
  await takePictures('4-settled');
});

test('who opens the page later sees the same', async () => {
  const { decision } = await alice.shown();
  await driver.navigate().refresh();
  const [ours, theirs] = await both(are({ ...votes(1, 0, 1, 0), decision }));
  expect(ours.options[2].mine && theirs.options[0].mine).toBe(true);
});

test('the page has reported no mistake', async () => {
  const entries = await driver.manage().logs().get(logging.Type.BROWSER);
  expect(entries.map(({ message }) => message)).toEqual([]);
});

test('the demo ends when it is asked to, and its server with it', async () => {
  expect(await demo.stop()).toBe(0);
  await expect(fetch(demo.url)).rejects.toThrow();
  demo = undefined;
});
