// Code in the documentation that is no whole page: it compiles against the package's types, so that it names nothing that is not there.

import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { BUNDLER, complaints } from './support/compiler.js';
import { blocks, documents } from './support/markdown.js';
import { inCheckout } from './support/paths.js';

/** Written for programs that this package is no part of. */
const OTHERS = ['docs/protocol.md', 'docs/testing.md'];
/** JavaScript says no types; what it takes from the package has them. */
const OPTIONS = { ...BUNDLER, allowJs: true, checkJs: true, noImplicitAny: false, noUncheckedIndexedAccess: false, skipLibCheck: true, target: ts.ScriptTarget.ES2022 };
const GLOBALS = ['fragments.d.ts', 'their-sdk.d.ts'].map((name) => inCheckout(`tests/support/types/${name}`));

/** A block's code; of one that shows a change, what comes of it. */
const present = (code) => code.split(/^\/\/ after.*\n/m).at(-1);

const FRAGMENTS = documents()
  .filter((file) => !OTHERS.includes(file))
  .flatMap((file) => ['js', 'ts'].flatMap((language) => blocks(file, language).map((code) => ({ file, language, code: present(code) }))))
  // The reference prints declarations.
  .filter(({ file }) => file !== 'docs/api.md');

test('there are fragments', () => {
  expect(FRAGMENTS.length).toBeGreaterThan(9);
  expect(new Set(FRAGMENTS.map(({ file }) => file))).toContain('README.md');
});

describe.each(FRAGMENTS)('$file: $code', ({ code, language }) => {
  test('compiles', () => {
    const name = `fragment.${language}`;
    expect(complaints([name, ...GLOBALS], OPTIONS, { [name]: `${code}\nexport {};\n` })).toEqual([]);
  });
});

test('a fragment that names what is not there is found out', () => {
  expect(complaints(['fragment.js', ...GLOBALS], OPTIONS, { 'fragment.js': 'chat.setExtensions(message, []);\nexport {};\n' })).toHaveLength(1);
});
