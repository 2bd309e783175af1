// `node run.mjs [part] [--quick]`: measures all parts or one, prints their tables, and writes docs/benchmarks.md from
// what the latest run of each part came to. Called by `cargo xtask bench`, which has built and brought what it needs.

import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, load } from './lib/machine.mjs';
import { PAGE, resultFile } from './lib/paths.mjs';
import { page, section } from './lib/report.mjs';
import { PARTS } from './parts.mjs';

const isQuick = process.argv.includes('--quick');
const [only] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const chosen = PARTS.filter(({ name }) => !only || name === only);
if (chosen.length === 0) {
  console.error(`there is no part ${only}: they are ${PARTS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

/** Removes what servers have left of data. */
function clean() {
  const runs = dirname(resultFile('any'));
  for (const name of readdirSync(runs)) if (!name.endsWith('.json')) rmSync(`${runs}/${name}`, { recursive: true });
}
clean();

const rounds = isQuick ? 3 : 5;
const before = load();
for (const part of chosen) {
  const begun = performance.now();
  console.log(`\n── ${part.name}`);
  const { measure } = await import(`./parts/${part.name}.mjs`);
  const say = (text) => console.log(`   ${text}`);
  const date = new Date().toISOString().slice(0, 10);
  const result = { rounds, isQuick, date, load: before, ...(await measure({ isQuick, rounds, say })) };
  writeFileSync(resultFile(part.name), JSON.stringify(result, null, 1));
  console.log(`\n${section(part, result)}\n\n── ${part.name}: ${((performance.now() - begun) / 1000).toFixed(0)} s`);
}
const results = {};
for (const { name } of PARTS) {
  if (existsSync(resultFile(name))) results[name] = JSON.parse(readFileSync(resultFile(name), 'utf8'));
}
writeFileSync(PAGE, page(results, describe()));
clean();
console.log('\nwritten: docs/benchmarks.md');
process.exit(0);
