// The pages of the READMEs and the guides, written from the documents alone: their commands typed into a shell, their HTML saved in a new folder. Two or three
// users open them, side by side.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startBrowser } from './support/browsers.js';
import { blocks } from './support/markdown.js';
import { inCheckout } from './support/paths.js';
import { openShell } from './support/shell.js';
import { until } from './support/wait.js';

const LISTENING = /^listening on http:\/\/(127\.0\.0\.1:\d+)$/m;

let shell;
afterEach(() => shell.close());

/** What a document's commands print of its users: their links, with the port that the server has. */
async function linksOf(users, at) {
  const links = {};
  for (const user of users) {
    const [, fragment] = await shell.printed(new RegExp(`^http://127\\.0\\.0\\.1:\\d+/(#${user}/\\S{50,})$`, 'm'));
    links[user] = `http://${at}/${fragment}`;
  }
  return links;
}

/** Types the README's commands, and saves its page where it says. */
async function followReadme(file, options) {
  const [prepare, serve] = blocks(file, 'sh');
  const [page] = blocks(file, 'html');
  const [, name] = /^Save this as `(.*)`:$/m.exec(readFileSync(inCheckout(file), 'utf8'));
  shell = openShell(options);
  shell.type(`${prepare}echo "prepared in $PWD"`);
  await shell.printed(/^prepared in .*\/vote$/m);
  writeFileSync(join(shell.checkout, name), page);
  shell.type(serve);
  const [, at] = await shell.printed(LISTENING);
  return linksOf(['alice', 'bob'], at);
}

/** The same for a guide. */
async function followGuide(file) {
  const [prepare, serve, group] = blocks('docs/guides/README.md', 'sh');
  const [page] = blocks(file, 'html');
  shell = openShell();
  shell.type(`${prepare}echo "prepared in $PWD"`);
  await shell.printed(/^prepared in .*\/guide$/m);
  writeFileSync(join(shell.checkout, '../guide/index.html'), page);
  shell.type(serve);
  const [, at] = await shell.printed(LISTENING);
  shell.type(group.replaceAll('127.0.0.1:8080', at));
  await shell.printed(/"ActionStatus":"OK".*"GroupId":"lunch"/);
  return linksOf(['alice', 'bob', 'carol'], at);
}

describe.each(['Chromium', 'Firefox'])('in %s', (browser) => {
  let driver;
  beforeAll(async () => {
    driver = await startBrowser(browser);
  });
  afterAll(() => driver?.quit());

  /** A user's window. */
  class Person {
    constructor(window) {
      this.window = window;
    }

    async run(script, ...args) {
      await driver.switchTo().window(this.window);
      return driver.executeScript(script, ...args);
    }

    /** What is shown of the elements of a selector. */
    texts(selector) {
      return this.run(
        'return [...document.querySelectorAll(arguments[0])].filter((one) => one.checkVisibility()).map((one) => one.textContent.trim())',
        selector,
      );
    }

    async shows(selector, ...expected) {
      let shown;
      await until(
        () => `${selector} to show ${JSON.stringify(expected)}: ${JSON.stringify(shown)}`,
        async () => JSON.stringify((shown = await this.texts(selector))) === JSON.stringify(expected),
      );
    }

    /** Clicks on what begins with a text. */
    click(selector, text) {
      return this.run(
        'const found = [...document.querySelectorAll(arguments[0])].find((one) => one.textContent.trim().startsWith(arguments[1])); found.click()',
        selector,
        text,
      );
    }

    /** Presses the button that sends the message, as soon as that can be pressed. */
    async start() {
      await until('the button cannot be pressed', () => this.run("return document.getElementById('start').disabled === false"));
      await this.click('#start', '');
    }

    fill(selector, text) {
      return this.run('document.querySelector(arguments[0]).value = arguments[1]', selector, text);
    }

    /** Writes a key of the newest message by the page's own client, as from its console; gives the item's code. */
    async set(key, value) {
      await this.run(
        `const script = document.createElement('script');
         script.type = 'module';
         script.textContent = 'const [key, value] = ' + JSON.stringify([...arguments]) + ';' + \`
           import { create } from '/message-extensions/index.js';
           const chat = create({ SDKAppID: 1400000001 });
           const { data } = await chat.getMessageList({ conversationID: 'GROUPlunch' });
           const answer = await chat.setMessageExtensions(data.messageList.at(-1), [{ key, value }]);
           document.body.dataset.answer = answer.data.extensions[0].code;
         \`;
         delete document.body.dataset.answer;
         document.body.append(script);`,
        key,
        value,
      );
      return until(`an answer to ${key}`, async () => this.run('return document.body.dataset.answer'));
    }
  }

  async function open(url) {
    await driver.switchTo().newWindow('window');
    await driver.get(url);
    return new Person(await driver.getWindowHandle());
  }

  test.each([
    ['README.md', {}],
    ['pkg-template/README.md', { hasServer: true }],
  ])('the page of %s works at the first try', async (file, options) => {
    const links = await followReadme(file, options);
    const alice = await open(links.alice);
    await alice.shows('button', 'Noodles: 0', 'Pizza: 0');
    const bob = await open(links.bob);
    await bob.shows('button', 'Noodles: 0', 'Pizza: 0');
    await alice.click('button', 'Pizza');
    await bob.shows('button', 'Noodles: 0', 'Pizza: 1');
    await bob.click('button', 'Pizza');
    await alice.shows('button', 'Noodles: 0', 'Pizza: 2');
    await bob.click('button', 'Noodles');
    for (const person of [alice, bob]) await person.shows('button', 'Noodles: 1', 'Pizza: 1');
  });

  test('the vote of the guide: counted in every window, by one vote each', async () => {
    const links = await followGuide('docs/guides/vote.md');
    const alice = await open(links.alice);
    const bob = await open(links.bob);
    for (const person of [alice, bob]) await person.shows('#title', 'No vote yet');
    await alice.start();
    const none = ['Noodles: 0 (0 %)', 'Pizza: 0 (0 %)', 'Salad: 0 (0 %)'];
    // Carol comes later.
    const carol = await open(links.carol);
    const all = [alice, bob, carol];
    for (const person of all) await person.shows('#options button', ...none);

    await alice.click('#options button', 'Noodles');
    await bob.click('#options button', 'Pizza');
    for (const person of all) await person.shows('#options button', 'Noodles: 1 (50 %)', 'Pizza: 1 (50 %)', 'Salad: 0 (0 %)');
    await bob.shows('#options button[aria-pressed="true"]', 'Pizza: 1 (50 %)');
    await bob.click('#options button', 'Noodles');
    for (const person of all) await person.shows('#options button', 'Noodles: 2 (100 %)', 'Pizza: 0 (0 %)', 'Salad: 0 (0 %)');
    await alice.click('#withdraw', '');
    for (const person of all) await person.shows('#options button', 'Noodles: 1 (100 %)', 'Pizza: 0 (0 %)', 'Salad: 0 (0 %)');
    await alice.shows('#withdraw');

    // The rules hold, also from the console.
    expect(await bob.set('alice_0', '1')).toBe('23102');
    expect(await bob.set('bob_0', '7')).toBe('23106');
    await carol.shows('#options button', 'Noodles: 1 (100 %)', 'Pizza: 0 (0 %)', 'Salad: 0 (0 %)');
  });

  test('the chain of the guide: two seats, and a third when somebody leaves', async () => {
    const links = await followGuide('docs/guides/chain.md');
    const alice = await open(links.alice);
    await alice.shows('#title', 'No chain yet');
    await alice.start();
    const bob = await open(links.bob);
    const carol = await open(links.carol);
    const all = [alice, bob, carol];
    for (const person of all) await person.shows('#title', 'Picnic on Friday (0 of 2)');

    const join = async (person, note) => {
      await person.fill('#note', note);
      await person.click('#join button', 'Join');
    };
    await join(bob, 'Salad');
    for (const person of all) await person.shows('#people li', 'bob: Salad');
    await join(alice, 'Bread');
    for (const person of all) await person.shows('#people li', 'bob: Salad', 'alice: Bread');
    await join(carol, 'Cake');
    await carol.shows('#refused', 'All seats are taken.');
    for (const person of all) await person.shows('#people li', 'bob: Salad', 'alice: Bread');
    expect(await carol.set('bob', 'Nothing')).toBe('23102');

    await bob.click('#leave', '');
    for (const person of all) await person.shows('#title', 'Picnic on Friday (1 of 2)');
    await join(carol, 'Cake');
    for (const person of all) await person.shows('#people li', 'alice: Bread', 'carol: Cake');
    await carol.shows('#refused', '');
  });

  test('the questionnaire of the guide: a summary of all answers, which stay', async () => {
    const links = await followGuide('docs/guides/questionnaire.md');
    const alice = await open(links.alice);
    await alice.shows('#title', 'No questionnaire yet');
    await alice.start();
    const bob = await open(links.bob);
    const both = [alice, bob];
    for (const person of both) await person.shows('#summary p', 'Answers: 0');

    await alice.click('label', 'Right');
    for (const liked of ['Talks', 'People']) await alice.click('label', liked);
    await alice.fill('[name="more"]', 'More tea');
    await alice.click('#form button', 'Send');
    await alice.shows('#state', 'Thank you.');
    await alice.shows('#form');
    await bob.click('label', 'Fast');
    await bob.click('label', 'People');
    await bob.click('#form button', 'Send');
    for (const person of both) {
      await person.shows('#summary p', 'Answers: 2');
      await person.shows('#summary li', 'Slow: 0', 'Right: 1', 'Fast: 1', 'Talks: 1', 'Food: 0', 'People: 2', 'More tea');
    }
    // Not even from the console: what was sent stays, and nobody answers for another; what is no answer harms no page.
    expect(await alice.set('alice', '{}')).toBe('23103');
    expect(await bob.set('alice', '{}')).toBe('23102');
    const carol = await open(links.carol);
    await carol.shows('#summary p', 'Answers: 2');
    expect(await carol.set('carol', 'not JSON {')).toBe('0');
    for (const person of both) await person.shows('#summary p', 'Answers: 3');
  });
});
