// Real browsers without a screen, driven by WebDriver. Programs and drivers are those that the caller names: nothing is
// looked for, let alone downloaded.

import { Builder } from 'selenium-webdriver';
import chrome from 'selenium-webdriver/chrome.js';
import firefox from 'selenium-webdriver/firefox.js';
import { program } from './paths.js';

// In case selenium should want to bring a driver of its own after all.
process.env.SE_OFFLINE = 'true';
process.env.SE_AVOID_STATS = 'true';

/** As root it refuses its sandbox; it is to have no traffic of its own. */
const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const BROWSERS = {
  Chromium: (isPrivate) => {
    const options = new chrome.Options();
    options.setChromeBinaryPath(program('CHROME'));
    options.addArguments(...CHROMIUM_FLAGS, ...(isPrivate ? ['--incognito'] : []));
    return new Builder()
      .forBrowser('chrome')
      .setChromeOptions(options)
      .setChromeService(new chrome.ServiceBuilder(program('CHROMEDRIVER')));
  },
  Firefox: (isPrivate) => {
    const options = new firefox.Options();
    options.setBinary(program('FIREFOX'));
    options.addArguments('-headless');
    if (isPrivate) options.setPreference('browser.privatebrowsing.autostart', true);
    return new Builder()
      .forBrowser('firefox')
      .setFirefoxOptions(options)
      .setFirefoxService(new firefox.ServiceBuilder(program('GECKODRIVER')));
  },
};

/**
 * @param {'Chromium' | 'Firefox'} name
 * @param {{isPrivate?: boolean}} [options] whether its windows are private ones
 * @returns {Promise<import('selenium-webdriver').WebDriver>} to be ended with `quit`
 */
export async function startBrowser(name, { isPrivate = false } = {}) {
  const driver = await BROWSERS[name](isPrivate).build();
  await driver.manage().setTimeouts({ script: 40_000, pageLoad: 40_000 });
  return driver;
}

/** Calls `window[object][method](...args)` in the page, which may be async; what it gives must be JSON. */
export async function callPage(driver, object, method, ...args) {
  const json = await driver.executeAsyncScript(
    `const [object, method, args, done] = arguments;
     Promise.resolve(window[object][method](...JSON.parse(args)))
       .then((value) => done(JSON.stringify({ value })), (error) => done(JSON.stringify({ error: String(error?.stack ?? error) })));`,
    object,
    method,
    JSON.stringify(args),
  );
  const { value, error } = JSON.parse(json);
  if (error) throw new Error(`${object}.${method} in the page: ${error}`);
  return value;
}
