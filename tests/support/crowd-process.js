// A crowd in a process of Node of its own, so that it has a clock of its own; the parent calls it by messages.

import { copyOfModule, WASM } from './module.js';
import { makeCrowd } from './pages/crowd.js';

const crowd = makeCrowd(copyOfModule, WASM);
for (const name of ['uncaughtException', 'unhandledRejection']) process.on(name, (error) => crowd.mistakes.push(`${name}: ${error?.stack ?? error}`));

process.on('message', async ({ id, method, args }) => {
  try {
    process.send({ id, value: await crowd[method](...args) });
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) });
  }
});
process.on('disconnect', () => process.exit());
process.send({ id: 0 });
