// The examples of docs/testing.md, run by vitest as an app's own tests.

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { inCheckout } from './support/paths.js';

const run = promisify(execFile);
/** Where the packages that the examples import are found. */
const FOLDER = inCheckout(`tests/.examples-${process.pid}`);
const EXAMPLES = [...readFileSync(inCheckout('docs/testing.md'), 'utf8').matchAll(/```js\n\/\/ (\S+)\n([^]*?)```/g)];

mkdirSync(FOLDER);
afterAll(() => rmSync(FOLDER, { recursive: true }));

test('every example works', async () => {
  for (const [, name, code] of EXAMPLES) writeFileSync(`${FOLDER}/${name}`, code);
  const vitest = inCheckout('tests/node_modules/vitest/vitest.mjs');
  const report = `${FOLDER}/report.json`;
  const args = [vitest, 'run', '--root', FOLDER, '--maxWorkers=1', '--reporter=json', `--outputFile=${report}`];
  // Not as a worker of this one.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
  await run(process.execPath, args, { cwd: FOLDER, env }).catch(() => {});
  const { numPassedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const failed = testResults.flatMap(({ message, assertionResults }) => [message, ...assertionResults.flatMap(({ failureMessages }) => failureMessages)]);
  expect(failed.filter(Boolean)).toEqual([]);
  expect(testResults.length).toBe(EXAMPLES.filter(([, name]) => name.endsWith('.test.js')).length);
  expect(numPassedTests).toBeGreaterThan(10);
});
