// The compiler that users run, strictly.

import ts from 'typescript';
import { inCheckout } from './paths.js';

/** Where the packages are found that a file imports. */
const FOLDER = inCheckout('tests/support/types');

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
export const BUNDLER = { ...BASE, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler };
export const NODE = { ...BASE, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };

/** Files are read and parsed once for all programs. */
const parsed = new Map();

/**
 * @param {string[]} files
 * @param {object} options the compiler's
 * @param {Record<string, string>} texts of those of the files that lie nowhere, by their names; they are taken to be beside the tests' types
 */
export function program(files, options, texts = {}) {
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  const written = new Map(Object.entries(texts).map(([name, text]) => [`${FOLDER}/${name}`, text]));
  host.fileExists = (name) => written.has(name) || fileExists.call(host, name);
  host.readFile = (name) => written.get(name) ?? readFile.call(host, name);
  host.getSourceFile = (name, version, ...rest) => {
    if (written.has(name)) return ts.createSourceFile(name, written.get(name), version);
    const id = `${name}\n${JSON.stringify(version)}`;
    if (!parsed.has(id)) parsed.set(id, getSourceFile.call(host, name, version, ...rest));
    return parsed.get(id);
  };
  return ts.createProgram(files.map((name) => (name in texts ? `${FOLDER}/${name}` : name)), options, host);
}

/** What the compiler has to say, a line each. */
export function complaints(files, options = BUNDLER, texts = {}) {
  return ts.getPreEmitDiagnostics(program(files, options, texts)).map(({ file, start, messageText }) => {
    const line = file ? `${file.fileName.replace(`${FOLDER}/`, '')}:${file.getLineAndCharacterOfPosition(start).line + 1}: ` : '';
    return line + ts.flattenDiagnosticMessageText(messageText, '\n');
  });
}
