// The demo's modules, which are to be read as examples: their types are right, strictly.

import ts from 'typescript';
import { expect, test } from 'vitest';
import { inCheckout } from './support/paths.js';

test('the demo uses the package as its types say', () => {
  const folder = inCheckout('www-demo');
  const { config } = ts.readConfigFile(`${folder}/jsconfig.json`, ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, folder, undefined, `${folder}/jsconfig.json`);
  const mistakes = ts.getPreEmitDiagnostics(ts.createProgram(fileNames, options));
  const tell = ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  expect(fileNames.length).toBeGreaterThan(20);
  expect(mistakes.map(tell)).toEqual([]);
});
