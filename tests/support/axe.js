// axe-core in the page that the driver is in, and what it has to say.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What is wrong, as "impact rule: elements". */
export async function axe(driver) {
  await driver.executeScript(`if (!window.axe) { ${SOURCE}; }`);
  return driver.executeAsyncScript(`
    const done = arguments[0];
    const tell = ({ impact, id, nodes }) => impact + ' ' + id + ': ' + nodes.map(({ target }) => target.join(' ')).join(', ');
    axe.run(document, { iframes: false, resultTypes: ['violations'] })
      .then(({ violations }) => done(violations.map(tell)), (error) => done(['failed: ' + error]));`);
}
