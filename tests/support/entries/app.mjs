// An ES module in Node: `node app.mjs <entry> <use> <options>`.

import * as uses from './vote.js';

const [entry, use, options] = process.argv.slice(2);
console.log(JSON.stringify(await uses[use](await import(entry), JSON.parse(options))));
