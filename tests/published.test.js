// What npm would publish, judged by those who resolve packages for a living.

import { readFileSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { expect, test } from 'vitest';
import { PACKAGE, tarball } from './support/paths.js';

const { exports } = JSON.parse(readFileSync(`${PACKAGE}/package.json`, 'utf8'));
/** Of what is exported, what has types. */
const TYPED = Object.keys(exports).filter((name) => exports[name].types);

test('publint has nothing to say', async () => {
  const { messages } = await publint({ pkgDir: PACKAGE, strict: true });
  expect(messages).toEqual([]);
});

test('the types of every entry are found, and true, as bundlers and as Node resolve them', async () => {
  const checked = await checkPackage(createPackageFromTarballData(readFileSync(tarball())), { entrypoints: TYPED });
  // `node10` knows no exports. CommonJS has the ES module itself, which Node 20.19 can require.
  const problems = checked.problems.filter(({ kind, resolutionKind }) => resolutionKind !== 'node10' && kind !== 'CJSResolvesToESM');
  expect(problems).toEqual([]);
  expect(Object.keys(checked.entrypoints).sort()).toEqual(TYPED.sort());
});

test('it needs no other package to run', () => {
  const manifest = JSON.parse(readFileSync(`${PACKAGE}/package.json`, 'utf8'));
  expect(manifest.dependencies).toBeUndefined();
});
