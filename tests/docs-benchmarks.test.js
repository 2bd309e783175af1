// docs/benchmarks.md is what the present command makes of what was measured: no figure is written by hand.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pageOfResults } from '../bench/lib/results.mjs';
import { PARTS } from '../bench/parts.mjs';
import { inCheckout } from './support/paths.js';

const page = readFileSync(inCheckout('docs/benchmarks.md'), 'utf8');

test('the page of the benchmarks is made of what is kept in bench/results; `cargo xtask bench page` makes it anew', () => {
  expect(page).toBe(pageOfResults());
});

test.each(PARTS)('the part $name was measured, and each of its targets is met or missed', ({ title, targets }) => {
  const [section] = page.split(`\n## ${title}\n`)[1].split('\n## ');
  const lines = section.split('\n').filter((line) => /\| (met|\*\*missed\*\*) \|$/.test(line));
  expect(lines.map((line) => line.split(' | ')[0])).toEqual(Object.values(targets).map((text) => `| ${text}`));
});
