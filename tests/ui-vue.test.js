// `message-extensions/vue`, with Vue itself.

import { element } from './support/dom.js';
import { messageExtensions, useMessageExtension, useMessageExtensions, useTally } from 'message-extensions/vue';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createApp, createSSRApp, effectScope, h, isReadonly, nextTick, reactive, ref, shallowRef, watchEffect } from 'vue';
import { renderToString } from 'vue/server-renderer';
import { closeAll, login, newUser, sendVote } from './support/chat.js';
import { FakeChat, messageNumber } from './support/fake-chat.js';
import { startServer } from './support/server.js';
import { until } from './support/wait.js';

const [LUNCH, DINNER] = [messageNumber(1), messageNumber(2)];

let chat;
let page;
let app;
/** The names of the components that were rendered, in order. */
let rendered;

beforeEach(() => {
  chat = new FakeChat();
  page = element();
  rendered = [];
});
afterEach(() => {
  app?.unmount();
  app = undefined;
  page.remove();
});

/** An app that draws what `render` gives. */
function draw(render, of = chat) {
  app = createApp({ render }).use(messageExtensions, { chat: of });
  app.mount(page);
}
const show = (...change) => {
  chat.show(...change);
  return nextTick();
};
const text = () => page.textContent;

/** Shows all entries. */
const All = {
  props: ['message', 'name'],
  setup(props) {
    const snapshot = useMessageExtensions(() => props.message);
    return () => {
      rendered.push('all');
      const { entries, synced } = snapshot.value;
      return `${entries.map(({ key, value }) => `${key}=${value}`).join(' ')}${synced ? '' : '?'};`;
    };
  },
};
/** Shows one entry. */
const One = {
  props: ['message', 'name'],
  setup(props) {
    const entry = useMessageExtension(() => props.message, () => props.name);
    return () => {
      rendered.push(props.name);
      return `${props.name}=${entry.value?.value ?? ''};`;
    };
  },
};

test('it shows what the watch tells, as it is told', async () => {
  draw(() => h(All, { message: LUNCH }));
  expect(text()).toBe('?;');
  await show(LUNCH, { a: '1' }, false);
  expect(text()).toBe('a=1?;');
  await show(LUNCH, { b: '2' });
  expect(text()).toBe('a=1 b=2;');
  await show(LUNCH, { a: '' });
  expect(text()).toBe('b=2;');
});

test('a key that changes renders again what shows it, and nothing else', async () => {
  draw(() => {
    rendered.push('list');
    return ['a', 'b', 'c'].map((name) => h(One, { key: name, message: LUNCH, name }));
  });
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

test('another key is shown at once', async () => {
  const name = ref('a');
  draw(() => h(One, { message: LUNCH, name: name.value }));
  await show(LUNCH, { a: '1', b: '2' });
  name.value = 'b';
  await nextTick();
  expect(text()).toBe('b=2;');
});

test('what did not change is the same object in the next snapshot, and nothing of it can be changed', async () => {
  let snapshot;
  draw(() => h({ setup: () => ((snapshot = useMessageExtensions(LUNCH)), () => null) }));
  await show(LUNCH, { a: '1', b: '1' });
  const before = snapshot.value;
  expect(snapshot.value).toBe(before);
  await show(LUNCH, { b: '2' });
  expect(snapshot.value).not.toBe(before);
  expect(snapshot.value.entries[0]).toBe(before.entries[0]);
  expect(isReadonly(snapshot)).toBe(true);
  expect(Object.isFrozen(snapshot.value)).toBe(true);
});

test('all that show a message share one watch, which ends with the last of them', async () => {
  const names = ref(['a', 'b']);
  const Counts = { setup: () => ((tally) => () => `${tally.value.voters}`)(useTally(LUNCH)) };
  const all = ref(true);
  draw(() => [
    all.value ? [h(All, { message: LUNCH }), h(Counts)] : [],
    ...names.value.map((name) => h(One, { key: name, message: { ...LUNCH }, name })),
  ].flat());
  await nextTick();
  expect(chat.begun).toHaveLength(1);
  all.value = false;
  names.value = ['b'];
  await nextTick();
  await nextTick();
  expect([chat.begun.length, chat.running]).toEqual([1, 1]);
  app.unmount();
  app = undefined;
  await nextTick();
  expect(chat.running).toBe(0);
});

test('what moves to another place keeps its watch, and what it shows', async () => {
  const place = ref('here');
  draw(() => h('p', { key: place.value }, h(All, { message: LUNCH })));
  await show(LUNCH, { a: '1' });
  place.value = 'there';
  await nextTick();
  expect(text()).toBe('a=1;');
  expect([chat.begun.length, chat.running]).toEqual([1, 1]);
});

test.each([
  ['a ref', (message) => message],
  ['a getter', (message) => () => message.value],
])('another message, in %s, is shown at once, without anything of the one before', async (_, as) => {
  const message = shallowRef(LUNCH);
  draw(() => h({ setup: () => ((shown) => () => JSON.stringify(shown.value.entries.map(({ key }) => key)))(useMessageExtensions(as(message))) }));
  await show(LUNCH, { a: '1' });
  expect(text()).toBe('["a"]');
  message.value = DINNER;
  await nextTick();
  expect(text()).toBe('[]');
  await nextTick();
  expect(chat.begun).toEqual([LUNCH, DINNER]);
  expect(chat.running).toBe(1);
  await show(DINNER, { b: '2' });
  await show(LUNCH, { c: '3' });
  expect(text()).toBe('["b"]');
  message.value = null;
  await nextTick();
  expect(text()).toBe('[]');
  await nextTick();
  expect(chat.running).toBe(0);
});

test('the same message as another object is the same message', async () => {
  const message = shallowRef({ ...LUNCH });
  draw(() => h(All, { message: message.value }));
  await show(LUNCH, { a: '1' });
  message.value = { ...LUNCH, payload: { data: '' } };
  await nextTick();
  expect(text()).toBe('a=1;');
  expect(chat.begun).toHaveLength(1);
});

test('a reactive message is watched anew when it has been sent, and handed on as it is', async () => {
  const plain = { ...LUNCH, status: 'unSend' };
  const message = reactive(plain);
  draw(() => h(All, { message }));
  message.status = 'success';
  await nextTick();
  await nextTick();
  expect([chat.begun.length, chat.running]).toEqual([2, 1]);
  expect(chat.begun[1]).toBe(plain);
});

test('a client that was made reactive is used as it is', async () => {
  const holder = reactive({ chat });
  draw(() => h(All, { message: LUNCH }), () => holder.chat);
  await show(LUNCH, { a: '1' });
  expect(text()).toBe('a=1;');
});

test('as long as there is no client there is nothing; another client shows its own', async () => {
  const current = shallowRef();
  draw(() => h(All, { message: LUNCH }), current);
  expect(text()).toBe('?;');
  current.value = chat;
  await nextTick();
  await show(LUNCH, { a: '1' });
  const other = new FakeChat();
  current.value = other;
  await nextTick();
  expect(text()).toBe('?;');
  await nextTick();
  expect([chat.running, other.running]).toEqual([0, 1]);
});

test.each([null, undefined])('as long as the message is %s there is nothing, and no watch', async (message) => {
  draw(() => [h(All, { message }), h(One, { message, name: 'a' })]);
  await nextTick();
  expect(text()).toBe('?;a=;');
  expect(chat.begun).toEqual([]);
});

test('without the plugin it throws, with a code', () => {
  const caught = [];
  app = createApp({ render: () => h(All, { message: LUNCH }) });
  Object.assign(app.config, { errorHandler: (error) => caught.push(error), warnHandler: () => {} });
  app.mount(page);
  expect(caught[0]).toMatchObject({ name: 'MessageExtensionError', code: 9001 });
  expect(caught[0].message).toContain('app.use(messageExtensions, { chat })');
  expect(() => useMessageExtensions(LUNCH)).toThrow(caught[0].message);
});

test('in a scope without a component it begins at once, and ends with the scope', async () => {
  app = createApp({ render: () => null }).use(messageExtensions, { chat });
  app.mount(page);
  const seen = [];
  const scope = effectScope();
  scope.run(() => {
    const entry = app.runWithContext(() => useMessageExtension(LUNCH, 'a'));
    watchEffect(() => seen.push(entry.value?.value));
  });
  expect(chat.running).toBe(1);
  await show(LUNCH, { a: '1' });
  expect(seen).toEqual([undefined, '1']);
  scope.stop();
  await nextTick();
  expect(chat.running).toBe(0);
});

describe('a vote', () => {
  let tallies;
  let parts;
  const Bar = { props: ['option'], render: ({ option: { option, count } }) => parts.push(option) && `${option}:${count};` };
  const vote = (options) => ({
    setup: () => {
      const tally = useTally(LUNCH, options);
      return () => {
        tallies.push(tally.value);
        return tally.value.options.map((option) => h(Bar, { key: option.option, option }));
      };
    },
  });
  beforeEach(() => {
    tallies = [];
    parts = [];
  });

  test('is counted as chat.tally counts', async () => {
    draw(() => h(vote({ options: [0, 1, 2], suffix: '_0', separator: '_' })));
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
    const Vote = vote(() => ({ options: [0, 1, 2], suffix: '_0' }));
    draw(() => h(Vote));
    await show(LUNCH, { alice_0: '0', bob_0: '1' });
    const { length } = tallies;
    parts = [];
    await show(LUNCH, { closed: '1' });
    await show(LUNCH, { alice_0: '0' });
    expect([tallies.length, parts]).toEqual([length, []]);
    await show(LUNCH, { bob_0: '2' });
    expect([tallies.length, parts]).toEqual([length + 1, ['1', '2']]);
  });

  test('is counted in another way when its options change', async () => {
    const suffix = ref('_0');
    const Vote = vote(() => ({ suffix: suffix.value }));
    draw(() => h(Vote));
    await show(LUNCH, { alice_0: 'x', alice_1: 'y' });
    expect(text()).toBe('x:1;');
    suffix.value = '_1';
    await nextTick();
    expect(text()).toBe('y:1;');
    expect(chat.begun).toHaveLength(1);
  });
});

test('what a server has drawn is taken over as it is, then goes on', async () => {
  const tree = () => [h('p', h(All, { message: LUNCH })), h('p', h(One, { message: LUNCH, name: 'a' }))];
  const make = () => createSSRApp({ render: tree }).use(messageExtensions, { chat });
  page.innerHTML = await renderToString(make());
  expect(chat.begun).toEqual([]);
  const complaints = [];
  app = make();
  app.config.warnHandler = (what) => complaints.push(what);
  app.mount(page);
  await show(LUNCH, { a: '1' });
  expect(complaints).toEqual([]);
  expect(text()).toBe('a=1;a=1;');
});

describe('with the real server', () => {
  let server;
  beforeAll(async () => (server = await startServer()));
  afterEach(closeAll);
  afterAll(() => server.stop());

  test('two users see each other vote, their own votes at once', async () => {
    const alice = await login(server.url, newUser('alice'));
    const bob = await login(server.url, newUser('bob'));
    const [mine, theirs] = await sendVote(alice, 'C2C', bob.userID, [bob]);
    const other = element();
    const Vote = {
      props: ['message'],
      setup(props) {
        const snapshot = useMessageExtensions(() => props.message);
        const tally = useTally(() => props.message, { suffix: '_0' });
        return () => {
          const { entries, synced } = snapshot.value;
          const drawn = synced ? `${entries.map(({ value, status }) => `${value} ${status}`)}, ${tally.value.voters} voted` : '…';
          rendered.push(drawn);
          return drawn;
        };
      },
    };
    // Reactive all the way down, as in a store.
    draw(() => h(Vote, { message: reactive(mine) }), ref(alice));
    const otherApp = createApp({ render: () => h(Vote, { message: theirs }) }).use(messageExtensions, { chat: bob });
    otherApp.mount(other);
    await until('nothing is shown', () => text() === ', 0 voted' && other.textContent === ', 0 voted');
    await alice.setMessageExtensions(mine, [{ key: 'alice_0', value: '1' }]);
    await until('both do not see it', () => text() === '1 confirmed, 1 voted' && other.textContent === text());
    expect(rendered).toContain('1 pending, 1 voted');
    await bob.setMessageExtensions(theirs, [{ key: 'bob_0', value: '2' }]);
    await until('both do not see it', () => text() === '1 confirmed,2 confirmed, 2 voted' && other.textContent === text());
    otherApp.unmount();
    other.remove();
  });
});
