// Two users, an iframe each, as one page has one user. `window.stage` is what the tests call; the fragment of the URL
// names the app, the conversation and the users.

const { app, conversationType, to, users } = JSON.parse(decodeURIComponent(location.hash.slice(1)));

/** @type {Map<string, Window>} */
const frames = new Map();

async function seat({ name, ...user }) {
  const frame = document.createElement('iframe');
  frame.src = `user.html#${encodeURIComponent(JSON.stringify({ app, ...user }))}`;
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
  document.body.append(frame);
  await loaded;
  frames.set(name, frame.contentWindow);
  await frame.contentWindow.user.login();
}

const seated = Promise.all(users.map(seat));

window.stage = {
  /** Both are logged in, and have the message that the first one sends to the conversation. */
  async open() {
    await seated;
    const [author, ...others] = users.map(({ name }) => frames.get(name));
    const message = await author.user.send(conversationType, to);
    await Promise.all(others.map((other) => other.user.receive(message.ID)));
    return message.ID;
  },

  /** Makes something a global of a user's page. */
  give: (name, globals) => void Object.assign(frames.get(name), globals),

  /** Runs a sample as it is, as a script of a user's page. */
  run: (name, sample) => frames.get(name).user.run(sample),

  /** What the variable `promise` of the sample that ran last resolved with. */
  result: (name) => frames.get(name).user.result(),

  /** Calls a method of a user's client with their message. */
  call: (name, method, ...args) => frames.get(name).user.call(method, ...args),

  /** What a user's page has seen. */
  record: (name) => frames.get(name).user.record,
};
