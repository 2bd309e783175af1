// The package's types, by the compiler that users run, strictly.

import { readdirSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { inCheckout, PACKAGE } from './support/paths.js';

const TYPES = inCheckout('tests/support/types');
const SAMPLES = inCheckout('tests/samples');

const BASE = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  // Also what the package declares, not only how it is used.
  skipLibCheck: false,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  types: [],
  jsx: ts.JsxEmit.ReactJSX,
};
const BUNDLER = { ...BASE, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler };
const NODE = { ...BASE, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };

/** Files are read and parsed once for all programs. */
const parsed = new Map();

function program(files, options) {
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, version, ...rest) => {
    const id = `${name}\n${JSON.stringify(version)}`;
    if (!parsed.has(id)) parsed.set(id, getSourceFile.call(host, name, version, ...rest));
    return parsed.get(id);
  };
  return ts.createProgram(files, options, host);
}

/** What the compiler has to say, a line each. */
function complaints(files, options = BUNDLER) {
  return ts.getPreEmitDiagnostics(program(files, options)).map(({ file, start, messageText }) => {
    const line = file ? `${file.fileName}:${file.getLineAndCharacterOfPosition(start).line + 1}: ` : '';
    return line + ts.flattenDiagnosticMessageText(messageText, '\n');
  });
}

describe.each(readdirSync(SAMPLES))('the sample %s', (name) => {
  test('compiles as it is', () => {
    // Their functions have parameters without a type, which is for the samples to decide.
    const options = { ...BUNDLER, allowJs: true, checkJs: true, noImplicitAny: false, skipLibCheck: true };
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

test('the compiler is heard: a mistake is reported', () => {
  const file = `${TYPES}/mistake.ts`;
  const text = "import { create } from 'message-extensions';\ncreate({ SDKAppID: 'x' }).vote();";
  const host = ts.createCompilerHost(BUNDLER);
  const { getSourceFile } = host;
  host.getSourceFile = (name, ...rest) => (name === file ? ts.createSourceFile(name, text, rest[0]) : getSourceFile.call(host, name, ...rest));
  const found = ts.getPreEmitDiagnostics(ts.createProgram([file], BUNDLER, host)).map(({ code }) => code);
  expect(found).toEqual(expect.arrayContaining([2322, 2339]));
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
  expect(files.map((name) => name.replace(/.*\//, ''))).toContain('index.d.ts');
  expect(seen).toBeGreaterThan(500);
});
