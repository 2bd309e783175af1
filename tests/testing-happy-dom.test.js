// @vitest-environment happy-dom
// message-extensions/testing under happy-dom, whose fetch, Request, WebSocket and AbortController are not Node's; with hooks.

import { MessageExtensionsProvider, useTally } from 'message-extensions/react';
import { server } from 'message-extensions/testing';
import { act, createElement as h } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, expect, test } from 'vitest';

globalThis.IS_REACT_ACT_ENVIRONMENT = true;
afterEach(() => server.reset());

function Poll({ message }) {
  const { options, voters } = useTally(message, { options: ['Noodles', 'Pizza'] });
  return `${options.map(({ option, count }) => `${option} ${count}`).join(', ')} of ${voters}`;
}

test('a component counts what others vote, and what is voted offline', async () => {
  server.createGroup('lunch', ['alice', 'bob']);
  const message = server.sendMessage({ from: 'bob', to: 'lunch', conversationType: 'GROUP' });
  const alice = await server.login('alice', { offline: true });
  const page = document.createElement('div');
  const root = createRoot(page);
  await act(async () => {
    root.render(h(MessageExtensionsProvider, { chat: alice }, h(Poll, { message })));
    await server.idle();
  });
  expect(page.textContent).toBe('Noodles 0, Pizza 0 of 0');
  await act(async () => {
    server.set(message, [{ key: 'bob', value: 'Pizza' }], { by: 'bob' });
    await server.idle();
  });
  expect(page.textContent).toBe('Noodles 0, Pizza 1 of 1');
  server.goOffline(alice);
  await act(() => alice.setMessageExtensions(message, [{ key: 'alice', value: 'Noodles' }]));
  expect(page.textContent).toBe('Noodles 1, Pizza 1 of 2');
  expect(server.extensions(message)).toHaveLength(1);
  await act(async () => {
    server.goOnline(alice);
    await server.idle();
  });
  expect(server.extensions(message)).toHaveLength(2);
  await act(async () => root.unmount());
});

test("the page's own news of the network reach the client too", async () => {
  const alice = await server.login('alice');
  server.goOffline(alice);
  server.goOnline(alice);
  window.dispatchEvent(new Event('online'));
  await server.idle();
  await expect(alice.getMessageList({ conversationID: 'C2Cbob' })).resolves.toMatchObject({ code: 0 });
});
