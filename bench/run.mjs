// `node run.mjs [part] [--quick]`: measures all parts or one, prints their tables, and writes docs/benchmarks.md from
// what the latest run of each part came to; `page` only writes. Called by `cargo xtask bench`, which has brought what it needs.

import { writeFileSync } from 'node:fs';
import { PAGE, clean } from './lib/paths.mjs';
import { section } from './lib/report.mjs';
import { keep, pageOfResults } from './lib/results.mjs';
import { PARTS } from './parts.mjs';

const isQuick = process.argv.includes('--quick');
const [only] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const chosen = PARTS.filter(({ name }) => !only || name === only);
if (chosen.length === 0 && only !== 'page') {
  console.error(`there is no part ${only}: they are ${PARTS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

/** It imports the peers, which `page` does without. */
const machine = only !== 'page' && (await import('./lib/machine.mjs'));
const rounds = isQuick ? 3 : 5;
clean();
for (const part of chosen) {
  const begun = performance.now();
  console.log(`\n── ${part.name}`);
  const { measure } = await import(`./parts/${part.name}.mjs`);
  const say = (text) => console.log(`   ${text}`);
  const [date, load] = [new Date().toISOString().slice(0, 10), machine.load()];
  const result = { rounds, isQuick, date, load, ...(await measure({ isQuick, rounds, say })) };
  keep(part.name, result);
  keep('machine', machine.describe());
  console.log(`\n${section(part, result)}\n\n── ${part.name}: ${((performance.now() - begun) / 1000).toFixed(0)} s`);
}
clean();
writeFileSync(PAGE, pageOfResults());
console.log('\nwritten: docs/benchmarks.md');
process.exit(0);
