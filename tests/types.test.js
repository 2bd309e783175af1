// The package's types, by the compiler that users run, strictly.

import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { BUNDLER, complaints, NODE, program } from './support/compiler.js';
import { inCheckout, PACKAGE } from './support/paths.js';

const TYPES = inCheckout('tests/support/types');
const SAMPLES = inCheckout('tests/samples');

describe.each(readdirSync(SAMPLES))('the sample %s', (name) => {
  test('compiles as it is', () => {
    // Handlers that are written apart from the call have a parameter to which nothing gives a type.
    const noImplicitAny = !/_(updated|deleted)\.js$/.test(name);
    const options = { ...BUNDLER, allowJs: true, checkJs: true, noImplicitAny, skipLibCheck: true };
    expect(complaints([`${SAMPLES}/${name}`, `${TYPES}/globals.d.ts`], options)).toEqual([]);
  });
});

test('the samples are those of both seeds', () => {
  const names = ['clear', 'delete', 'delete_interface', 'deleted', 'get', 'get_interface', 'set', 'set_interface', 'updated'];
  expect(readdirSync(SAMPLES).sort()).toEqual(['000', '001'].flatMap((seed) => names.map((name) => `${seed}_${name}.js`)));
});

describe.each([
  ['the package', ['use.ts', 'entries.ts'], 'misuse.ts'],
  ['the entry for React', ['use-react.tsx'], 'misuse-react.tsx'],
  ['the entry for Vue', ['use-vue.ts'], 'misuse-vue.ts'],
  ['the entry for tests', ['use-testing.ts'], 'misuse-testing.ts'],
])('%s', (_, use, misuse) => {
  test.each([
    ['a bundler', BUNDLER],
    ['Node', NODE],
  ])('an app that uses all of it compiles, resolved as by %s', (__, options) => {
    expect(complaints(use.map((file) => `${TYPES}/${file}`), options)).toEqual([]);
  });

  test('what must not compile does not', () => {
    expect(complaints([`${TYPES}/${misuse}`])).toEqual([]);
  });
});

test('code that was written for the declarations of the mirrored SDK compiles', () => {
  expect(complaints([`${TYPES}/moved.ts`])).toEqual([]);
});

test('the compiler is heard: a mistake is reported', () => {
  const found = complaints(['mistake.ts'], BUNDLER, { 'mistake.ts': "import { create } from 'message-extensions';\ncreate({ SDKAppID: 'x' }).vote();" });
  expect(found).toHaveLength(2);
  expect(found[0]).toContain("mistake.ts:2: Type 'string' is not assignable to type 'number'");
  expect(found[1]).toContain("Property 'vote' does not exist");
});

/** Whether a node is, or has, a type. */
const isTyped = (node) =>
  ts.isTypeNode(node) ||
  ts.isTypeElement(node) ||
  (ts.isClassElement(node) && !ts.isConstructorDeclaration(node)) ||
  ts.isParameter(node) ||
  ts.isVariableDeclaration(node) ||
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  ts.isClassDeclaration(node) ||
  ts.isFunctionDeclaration(node);

test('no declaration of the package is any, written or inferred', () => {
  const files = readdirSync(PACKAGE).filter((name) => name.endsWith('.d.ts')).map((name) => `${PACKAGE}/${name}`);
  // What has no type where one must stand: the compiler's own `noImplicitAny`.
  expect(complaints(files)).toEqual([]);
  const compiled = program(files, BUNDLER);
  const checker = compiled.getTypeChecker();
  const found = [];
  let seen = 0;
  for (const name of files) {
    const file = compiled.getSourceFile(name);
    (function walk(node) {
      seen += 1;
      const isAny = isTyped(node) && checker.getTypeAtLocation(node).flags & ts.TypeFlags.Any;
      if (isAny || node.kind === ts.SyntaxKind.AnyKeyword) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart());
        found.push(`${name}:${line + 1}: ${node.getText()}`);
      }
      ts.forEachChild(node, walk);
    })(file);
  }
  expect(found).toEqual([]);
  // What an entry names, and what it imports.
  const { exports } = JSON.parse(readFileSync(`${PACKAGE}/package.json`, 'utf8'));
  const declared = Object.values(exports).flatMap(({ types }) => (types ? `${PACKAGE}/${types.slice(2)}` : []));
  expect(declared.length).toBeGreaterThan(3);
  expect(files).toEqual(expect.arrayContaining([...declared, `${PACKAGE}/codes.d.ts`]));
  const own = compiled.getSourceFiles().map(({ fileName }) => fileName).filter((name) => name.startsWith(`${PACKAGE}/`));
  expect(own.sort()).toEqual(files.sort());
  expect(seen).toBeGreaterThan(500);
});
