// Pictures of the demo, which CI keeps in target/screenshots/. With DEMO_PICTURES=1 those of README.md are made anew, in
// docs/images/: DEMO_PICTURES=1 CHROME=… CHROMEDRIVER=… FIREFOX=… GECKODRIVER=… npx vitest run demo.test.js, in tests/.

import { mkdirSync, writeFileSync } from 'node:fs';
import { inCheckout } from './paths.js';
import { until } from './wait.js';

export const FOLDER = inCheckout('target/screenshots');
const IMAGES = inCheckout('docs/images');

const SIZES = {
  desktop: { width: 1280, height: 900, mobile: false },
  phone: { width: 390, height: 844, mobile: true },
};

/** The page's and its panels' heights; a string as long as something moves. */
const LAYOUT = `
  const pages = [document, ...[...document.querySelectorAll('iframe')].map((frame) => frame.contentDocument)];
  const moving = pages.flatMap((page) => page.getAnimations()).filter((one) => one.effect.getComputedTiming().endTime !== Infinity);
  const overflow = pages.slice(1).some((page) => page.documentElement.scrollHeight > page.defaultView.innerHeight);
  return moving.length || overflow ? 'moving' : JSON.stringify(pages.map((page) => page.documentElement.scrollHeight));`;

/** Until the page has laid itself out, the panels have told their heights, and nothing moves. */
async function settle(stage) {
  let before;
  await until('the page does not come to rest', async () => {
    const now = await stage.run(LAYOUT);
    const isAtRest = now !== 'moving' && now === before;
    before = now;
    return isAtRest;
  });
}

/** A whole page in Chromium. */
export async function takePicture(stage, fonts, name, size, { scheme = 'light', path = `${FOLDER}/${name}-${size}.png`, cut = false } = {}) {
  const { driver } = stage;
  const { width, height, mobile } = SIZES[size];
  await stage.everywhere(async () => {
    await fonts.wear(driver);
    await driver.executeScript('document.activeElement.blur()');
  });
  await driver.sendDevToolsCommand('Emulation.setScrollbarsHidden', { hidden: true });
  await driver.sendDevToolsCommand('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
  await driver.sendDevToolsCommand('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile });
  // As it is when the page is opened on a phone.
  await stage.run('document.getElementById("inspector").open = arguments[0]; scrollTo(0, 0)', !mobile);
  await settle(stage);
  const bottom = cut && (await stage.run('return document.getElementById("panels").getBoundingClientRect().bottom'));
  const clip = cut && { clip: { x: 0, y: 0, width, height: Math.ceil(bottom) + 12, scale: 1 } };
  const { data } = await driver.sendAndGetDevToolsCommand('Page.captureScreenshot', { captureBeyondViewport: true, ...clip });
  mkdirSync(path.slice(0, path.lastIndexOf('/')), { recursive: true });
  writeFileSync(path, Buffer.from(data, 'base64'));
  await driver.sendDevToolsCommand('Emulation.clearDeviceMetricsOverride', {});
  await driver.sendDevToolsCommand('Emulation.setEmulatedMedia', { features: [] });
}

/** What README.md shows: the page down to the end of the panels. */
export async function takeReadmePictures(stage, fonts) {
  if (!process.env.DEMO_PICTURES) return;
  for (const [scheme, path] of [['light', `${IMAGES}/demo.png`], ['dark', `${IMAGES}/demo-dark.png`]]) {
    await takePicture(stage, fonts, 'readme', 'desktop', { scheme, path, cut: true });
  }
}

/** What any browser shows in its window. */
export async function takeWindow(stage, fonts, name) {
  await stage.everywhere(() => fonts.wear(stage.driver));
  await stage.inFront();
  await stage.driver.manage().window().setRect({ width: 1280, height: 1200 });
  await settle(stage);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}/${name}.png`, Buffer.from(await stage.driver.takeScreenshot(), 'base64'));
}
