// The examples for React and Vue, as the documentation prints them, compiled as an app's build does.

import { element } from './support/dom.js';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { messageExtensions } from 'message-extensions/vue';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { transformWithOxc } from 'vite';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createApp } from 'vue';
import { compileScript, parse } from 'vue/compiler-sfc';
import { FakeChat, messageNumber } from './support/fake-chat.js';
import { blocks } from './support/markdown.js';
import { inCheckout } from './support/paths.js';
import { until } from './support/wait.js';

const DOCUMENTS = ['docs/react-and-vue.md', 'pkg-template/README.md'];
const LUNCH = messageNumber(1);
/** Where the packages that the examples import are found. */
const FOLDER = inCheckout(`tests/node_modules/.examples-${process.pid}`);

class VotingChat extends FakeChat {
  async setMessageExtensions(message, [{ key, value }]) {
    this.show(message, { [key]: value });
  }
}

mkdirSync(FOLDER);
afterAll(() => rmSync(FOLDER, { recursive: true }));

let chat;
let page;
beforeEach(() => {
  globalThis.exampleChat = chat = new VotingChat();
  page = element();
});

let written = 0;
async function run(code) {
  const file = `${FOLDER}/${(written += 1)}.mjs`;
  writeFileSync(file, code);
  return import(/* @vite-ignore */ pathToFileURL(file).href);
}

/** Alice votes for pizza by the example, where bob has voted for it. */
async function votes() {
  await until('no watch has begun', () => chat.running === 1);
  chat.show(LUNCH, { bob_0: 'Pizza' });
  const drawn = () => [...page.querySelectorAll('button')].map((button) => [button.textContent.trim(), button.getAttribute('aria-pressed')]);
  await until("bob's vote is not shown", () => drawn()[1]?.[0] === 'Pizza: 1 of 1');
  page.querySelectorAll('button')[0].click();
  await until("alice's vote is not shown", () => drawn()[0][0] === 'Noodles: 1 of 2');
  expect(drawn()).toEqual([['Noodles: 1 of 2', 'true'], ['Pizza: 1 of 2', 'false']]);
}

describe.each(DOCUMENTS)('%s', (file) => {
  test('has an example for React that works', async () => {
    const source = blocks(file, 'jsx')[0].replace(/create\(\{.*\}\)/, 'globalThis.exampleChat');
    const { code } = await transformWithOxc(source, 'example.jsx', { jsx: { runtime: 'automatic' } });
    const { App } = await run(code);
    const root = createRoot(page);
    root.render(createElement(App, { message: LUNCH, me: 'alice' }));
    await votes();
    root.unmount();
    await until('the watch has not ended', () => chat.running === 0);
  });

  test('has an example for Vue that works', async () => {
    const { descriptor } = parse(blocks(file, 'vue')[0]);
    const { content } = compileScript(descriptor, { id: 'example', inlineTemplate: true });
    const { default: Vote } = await run(content.replace("import { chat } from './chat.js'", 'const chat = globalThis.exampleChat'));
    const app = createApp(Vote, { message: LUNCH, me: 'alice' }).use(messageExtensions, { chat });
    app.mount(page);
    await votes();
    app.unmount();
    await until('the watch has not ended', () => chat.running === 0);
  });
});
