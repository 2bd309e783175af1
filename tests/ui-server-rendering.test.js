// The entries for React and Vue on a server, where there is no page: they show nothing yet, begin nothing and look for nothing of a browser's.

import { readFileSync } from 'node:fs';
import { messageExtensions, useMessageExtension, useMessageExtensions, useTally } from 'message-extensions/vue';
import { describe, expect, test } from 'vitest';
import { createSSRApp, h } from 'vue';
import { renderToString } from 'vue/server-renderer';
import { FakeChat, messageNumber } from './support/fake-chat.js';
import { PACKAGE } from './support/paths.js';
import { loadReact, VERSIONS } from './support/reacts.js';

const LUNCH = messageNumber(1);
const OPTIONS = { options: ['x', 'y'] };
const DRAWN = 'false 0 undefined x:0,y:0 false';

/** Both shapes of what the hooks of a framework gave. */
const drawn = ({ synced, entries }, entry, { options, synced: counted }) =>
  `${synced} ${entries.length} ${entry} ${options.map(({ option, count }) => `${option}:${count}`)} ${counted}`;

const withReact = async (version, chat, message) => {
  const { createElement, MessageExtensionsProvider, renderToString: render, ...hooks } = await loadReact(version);
  const Vote = () => drawn(hooks.useMessageExtensions(message), hooks.useMessageExtension(message, 'a'), hooks.useTally(message, OPTIONS));
  return render(createElement(MessageExtensionsProvider, { chat }, createElement(Vote)));
};

const withVue = async (chat, message) => {
  const setup = () => {
    const [all, one, tally] = [useMessageExtensions(message), useMessageExtension(message, 'a'), useTally(message, OPTIONS)];
    return () => drawn(all.value, one.value, tally.value);
  };
  return renderToString(createSSRApp({ render: () => h({ setup }) }).use(messageExtensions, { chat }));
};

describe.each([...VERSIONS.map((version) => [`React ${version}`, (...args) => withReact(version, ...args)]), ['Vue', withVue]])('%s', (_, render) => {
  test.each([
    ['a message', LUNCH],
    ['no message yet', undefined],
  ])('draws %s without entries and not synced, and watches nothing', async (__, message) => {
    const chat = new FakeChat();
    expect(typeof window).toBe('undefined');
    expect(await render(chat, message)).toBe(DRAWN);
    expect(chat.begun).toEqual([]);
  });

  test('draws the same without a client', async () => {
    expect(await render(undefined, LUNCH)).toBe(DRAWN);
  });
});

test.each(['react', 'vue'])('the entry for %s imports that and nothing else', (name) => {
  const source = readFileSync(`${PACKAGE}/${name}.js`, 'utf8');
  expect([...source.matchAll(/\b(?:from|import)\s*\(?["']([^"']+)/g)].map(([, from]) => from)).toEqual([name]);
});

test('the entry for React says that it is for the browser, so that server components may import it', () => {
  expect(readFileSync(`${PACKAGE}/react.js`, 'utf8')).toMatch(/^"use client";/);
});
