// The same as a CommonJS module.

const [entry, use, options] = process.argv.slice(2);
const sdk = require(entry);
import('./vote.js').then(async (uses) => console.log(JSON.stringify(await uses[use](sdk, JSON.parse(options)))));
