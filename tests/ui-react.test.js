// `message-extensions/react`, with React itself, the oldest that it works with and the newest.

import { element } from './support/dom.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeAll, login, newUser, sendVote } from './support/chat.js';
import { FakeChat, messageNumber } from './support/fake-chat.js';
import { loadReact, VERSIONS } from './support/reacts.js';
import { startServer } from './support/server.js';
import { until } from './support/wait.js';

const [LUNCH, DINNER] = [messageNumber(1), messageNumber(2)];

describe.each(VERSIONS)('React %i', (version) => {
  let react;
  let h;
  let chat;
  let page;
  let root;
  /** The names of the components that were rendered, in order. */
  let rendered;

  beforeAll(async () => {
    react = await loadReact(version);
    h = react.createElement;
  });
  beforeEach(() => {
    globalThis.IS_REACT_ACT_ENVIRONMENT = true;
    chat = new FakeChat();
    page = element();
    root = react.createRoot(page);
    rendered = [];
  });
  afterEach(async () => {
    globalThis.IS_REACT_ACT_ENVIRONMENT = true;
    await react.act(() => root.unmount());
    page.remove();
  });

  const draw = (child, { strict = false, of = chat } = {}) => {
    const app = h(react.MessageExtensionsProvider, { chat: of }, child);
    return react.act(async () => root.render(strict ? h(react.React.StrictMode, null, app) : app));
  };
  const show = (...change) => react.act(async () => chat.show(...change));
  const text = () => page.textContent;

  /** Shows all entries. */
  function All({ message, name = 'all' }) {
    const { entries, synced } = react.useMessageExtensions(message);
    rendered.push(name);
    return `${entries.map(({ key, value }) => `${key}=${value}`).join(' ')}${synced ? '' : '?'};`;
  }
  /** Shows one entry. */
  function One({ message, name }) {
    const entry = react.useMessageExtension(message, name);
    rendered.push(name);
    return `${name}=${entry?.value ?? ''};`;
  }

  test('it shows what the watch tells, as it is told', async () => {
    await draw(h(All, { message: LUNCH }));
    expect(text()).toBe('?;');
    await show(LUNCH, { a: '1' }, false);
    expect(text()).toBe('a=1?;');
    await show(LUNCH, { b: '2' });
    expect(text()).toBe('a=1 b=2;');
    await show(LUNCH, { a: '' });
    expect(text()).toBe('b=2;');
  });

  test('a key that changes renders again what shows it, and nothing else', async () => {
    const keys = ['a', 'b', 'c'];
    const List = () => {
      rendered.push('list');
      return keys.map((name) => h(One, { key: name, message: LUNCH, name }));
    };
    await draw(h(List));
    await show(LUNCH, { a: '1', b: '1' });
    rendered = [];
    await show(LUNCH, { b: '2' });
    expect(text()).toBe('a=1;b=2;c=;');
    expect(rendered).toEqual(['b']);
    await show(LUNCH, { c: '1', d: '1' });
    expect(rendered).toEqual(['b', 'c']);
    await show(LUNCH, {}, false);
    expect(rendered).toEqual(['b', 'c']);
  });

  test('what did not change is the same object in the next snapshot', async () => {
    const seen = [];
    const Seen = () => void seen.push(react.useMessageExtensions(LUNCH)) ?? null;
    await draw(h(Seen));
    await show(LUNCH, { a: '1', b: '1' });
    const before = seen.at(-1);
    await draw(h(Seen));
    expect(seen.at(-1)).toBe(before);
    await show(LUNCH, { b: '2' });
    expect(seen.at(-1)).not.toBe(before);
    expect(seen.at(-1).entries[0]).toBe(before.entries[0]);
  });

  test('all that show a message share one watch, which ends with the last of them', async () => {
    const parts = (...names) => names.map((name) => h(One, { key: name, message: { ...LUNCH }, name }));
    const Counts = () => `${react.useTally(LUNCH).voters}`;
    await draw(h('p', null, h(All, { message: LUNCH }), h(Counts), ...parts('a', 'b')));
    expect(chat.begun).toHaveLength(1);
    await draw(h('p', null, ...parts('b')));
    expect([chat.begun.length, chat.running]).toEqual([1, 1]);
    await draw(null);
    expect(chat.running).toBe(0);
    await draw(h(One, { message: LUNCH, name: 'a' }));
    expect([chat.begun.length, chat.running]).toEqual([2, 1]);
    expect(text()).toBe('a=;');
  });

  test('strict mode, which mounts everything twice, begins one watch and leaves none', async () => {
    await draw(h(All, { message: LUNCH }), { strict: true });
    expect([chat.begun.length, chat.running]).toEqual([1, 1]);
    await show(LUNCH, { a: '1' });
    expect(text()).toBe('a=1;');
    await draw(null, { strict: true });
    expect(chat.running).toBe(0);
  });

  test('what moves to another place keeps its watch, and what it shows', async () => {
    await draw(h('p', { key: 'here' }, h(All, { message: LUNCH })));
    await show(LUNCH, { a: '1' });
    await draw(h('p', { key: 'there' }, h(All, { message: LUNCH })));
    expect(text()).toBe('a=1;');
    expect([chat.begun.length, chat.running]).toEqual([1, 1]);
  });

  test('another message is shown at once, without anything of the one before', async () => {
    await draw(h(All, { message: LUNCH }));
    await show(LUNCH, { a: '1' });
    await draw(h(All, { message: DINNER }));
    expect(text()).toBe('?;');
    expect(chat.begun).toEqual([LUNCH, DINNER]);
    expect(chat.running).toBe(1);
    await show(DINNER, { b: '2' });
    await show(LUNCH, { a: '3' });
    expect(text()).toBe('b=2;');
  });

  test('the same message as another object is the same message', async () => {
    await draw(h(All, { message: { ...LUNCH } }));
    await show(LUNCH, { a: '1' });
    await draw(h(All, { message: { ...LUNCH, payload: { data: '' } } }));
    expect(text()).toBe('a=1;');
    expect(chat.begun).toHaveLength(1);
  });

  test('a message is watched anew when it has been sent', async () => {
    const message = { ...LUNCH, status: 'unSend' };
    await draw(h(All, { message }));
    message.status = 'success';
    await draw(h(All, { message }));
    expect([chat.begun.length, chat.running]).toEqual([2, 1]);
  });

  test.each([null, undefined])('as long as the message is %s there is nothing, and no watch', async (message) => {
    await draw(h('p', null, h(All, { message }), h(One, { message, name: 'a' })));
    expect(text()).toBe('?;a=;');
    expect(chat.begun).toEqual([]);
    await draw(h('p', null, h(All, { message: LUNCH }), h(One, { message: LUNCH, name: 'a' })));
    await show(LUNCH, { a: '1' });
    expect(text()).toBe('a=1;a=1;');
  });

  test('as long as there is no client there is nothing; another client shows its own', async () => {
    await draw(h(All, { message: LUNCH }), { of: null });
    expect(text()).toBe('?;');
    await draw(h(All, { message: LUNCH }));
    await show(LUNCH, { a: '1' });
    const other = new FakeChat();
    await draw(h(All, { message: LUNCH }), { of: other });
    expect(text()).toBe('?;');
    expect([chat.running, other.running]).toEqual([0, 1]);
  });

  test('without a provider it throws, with a code', async () => {
    const caught = [];
    class Boundary extends react.React.Component {
      state = { failed: false };
      static getDerivedStateFromError = () => ({ failed: true });
      componentDidCatch = (error) => caught.push(error);
      render = () => (this.state.failed ? 'failed' : this.props.children);
    }
    const { error } = console;
    console.error = () => {};
    await react.act(async () => root.render(h(Boundary, null, h(All, { message: LUNCH }))));
    console.error = error;
    expect(text()).toBe('failed');
    expect(caught).toMatchObject([{ name: 'MessageExtensionError', code: 9001 }]);
    expect(caught[0].message).toContain('<MessageExtensionsProvider chat={chat}>');
  });

  describe('a vote', () => {
    let tallies;
    let parts;
    beforeEach(() => {
      tallies = [];
      parts = [];
    });

    /** Rendered again only when its option is another object. */
    let Bar;
    beforeAll(() => {
      Bar = react.React.memo(({ option: { option, count } }) => parts.push(option) && `${option}:${count};`);
    });
    const Vote = ({ options }) => {
      const tally = react.useTally(LUNCH, options());
      tallies.push(tally);
      return tally.options.map((option) => h(Bar, { key: option.option, option }));
    };

    test('is counted as chat.tally counts', async () => {
      await draw(h(Vote, { options: () => ({ options: [0, 1, 2], suffix: '_0', separator: '_' }) }));
      expect(text()).toBe('0:0;1:0;2:0;');
      await show(LUNCH, { alice_0: '0_2', bob_0: '2', closed: '1' });
      expect(tallies.at(-1)).toEqual({
        voters: 2,
        synced: true,
        options: [
          { option: '0', count: 1, share: 0.5, voters: ['alice'] },
          { option: '1', count: 0, share: 0, voters: [] },
          { option: '2', count: 2, share: 1, voters: ['alice', 'bob'] },
        ],
      });
    });

    test('is rendered again when a count changes: the options that changed, and not for keys that are no votes', async () => {
      await draw(h(Vote, { options: () => ({ options: [0, 1, 2], suffix: '_0' }) }));
      await show(LUNCH, { alice_0: '0', bob_0: '1' });
      const { length } = tallies;
      parts = [];
      await show(LUNCH, { closed: '1' });
      await show(LUNCH, { alice_0: '0' });
      expect([tallies.length, parts]).toEqual([length, []]);
      await show(LUNCH, { bob_0: '2' });
      expect([tallies.length, parts]).toEqual([length + 1, ['1', '2']]);
    });

    test('whose options are written anew for each rendering is counted on, and settles', async () => {
      const options = () => ({ options: ['x', 'y'], optionsOf: ({ value }) => [value] });
      await draw(h(Vote, { options }));
      await show(LUNCH, { alice: 'x' });
      const { length } = tallies;
      const before = tallies.at(-1);
      await draw(h(Vote, { options }));
      expect(tallies.length).toBe(length + 1);
      expect(tallies.at(-1)).toBe(before);
      expect(chat.begun).toHaveLength(1);
      await draw(h(Vote, { options: () => ({ optionsOf: ({ value }) => [value.toUpperCase()] }) }));
      expect(text()).toBe('X:1;');
    });
  });

  test('what a server has drawn is taken over as it is, then goes on', async () => {
    const app = h(react.MessageExtensionsProvider, { chat }, h(All, { message: LUNCH }), h(One, { message: LUNCH, name: 'a' }));
    const html = react.renderToString(app);
    expect(chat.begun).toEqual([]);
    const drawn = element(html);
    const complaints = [];
    const { error } = console;
    console.error = (...said) => complaints.push(said);
    const hydrated = await react.act(async () => react.hydrateRoot(drawn, app, { onRecoverableError: (what) => complaints.push(what) }));
    await show(LUNCH, { a: '1' });
    console.error = error;
    expect(complaints).toEqual([]);
    expect(drawn.textContent).toBe('a=1;a=1;');
    await react.act(async () => hydrated.unmount());
    expect(chat.running).toBe(0);
  });

  describe('with the real server', () => {
    let server;
    beforeAll(async () => (server = await startServer()));
    beforeEach(() => (globalThis.IS_REACT_ACT_ENVIRONMENT = false));
    afterEach(closeAll);
    afterAll(() => server.stop());

    test('two users see each other vote, their own votes at once', async () => {
      const alice = await login(server.url, newUser('alice'));
      const bob = await login(server.url, newUser('bob'));
      const [mine, theirs] = await sendVote(alice, 'C2C', bob.userID, [bob]);
      const other = element();
      const otherRoot = react.createRoot(other);
      function Vote({ message }) {
        const { entries, synced } = react.useMessageExtensions(message);
        const { voters } = react.useTally(message, { suffix: '_0' });
        const drawn = synced ? `${entries.map(({ value, status }) => `${value} ${status}`)}, ${voters} voted` : '…';
        rendered.push(drawn);
        return drawn;
      }
      root.render(h(react.MessageExtensionsProvider, { chat: alice }, h(Vote, { message: mine })));
      otherRoot.render(h(react.MessageExtensionsProvider, { chat: bob }, h(Vote, { message: theirs })));
      await until('nothing is shown', () => text() === ', 0 voted' && other.textContent === ', 0 voted');
      await alice.setMessageExtensions(mine, [{ key: 'alice_0', value: '1' }]);
      await until('both do not see it', () => text() === '1 confirmed, 1 voted' && other.textContent === text());
      expect(rendered).toContain('1 pending, 1 voted');
      await bob.setMessageExtensions(theirs, [{ key: 'bob_0', value: '2' }]);
      await until('both do not see it', () => text() === '1 confirmed,2 confirmed, 2 voted' && other.textContent === text());
      otherRoot.unmount();
      other.remove();
    });
  });
});
