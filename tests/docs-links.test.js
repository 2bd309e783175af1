// The documentation as a reader clicks through it: what it links to is there, and what is generated is fresh.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REFERENCE, reference } from '../crates/xtask/js/api-reference.mjs';
import { anchors, documents, links } from './support/markdown.js';
import { inCheckout, PACKAGE } from './support/paths.js';

const read = (file) => readFileSync(inCheckout(file), 'utf8');
const isElsewhere = (target) => /^(https?|mailto|data):/.test(target);

/** Why a link of a document leads nowhere; undefined when it does not. */
function fault(file, target, text) {
  const [path, anchor] = target.split('#');
  const found = path ? join(dirname(file), path) : file;
  if (path && !existsSync(inCheckout(found))) return `${target}: there is no ${found}`;
  if (anchor === undefined) return undefined;
  const there = anchors(path ? read(found) : text);
  return there.includes(anchor) ? undefined : `${target}: there is no heading #${anchor} in ${found}`;
}

const faults = (file, text = read(file)) => links(text).filter((target) => !isElsewhere(target)).flatMap((target) => fault(file, target, text) ?? []);

describe.each(documents())('%s', (file) => {
  test('links to what is there', () => {
    expect(faults(file)).toEqual([]);
  });
});

test('links that lead nowhere are found out', () => {
  const text = '# A\n[a](#a) [b](#b) [c](docs/none.md) [d](docs/api.md#none) [e](docs/api.md#create)\n```\n[f](#f)\n```\n<img src="none.png">';
  expect(faults('README.md', text)).toHaveLength(4);
});

test('all of the documentation can be reached from the README', () => {
  const reached = new Set();
  (function visit(file) {
    if (reached.has(file)) return;
    reached.add(file);
    for (const target of links(read(file))) {
      const path = target.split('#')[0];
      if (!isElsewhere(target) && path.endsWith('.md') && existsSync(inCheckout(join(dirname(file), path)))) visit(join(dirname(file), path));
    }
  })('README.md');
  const outside = ['CHANGELOG.md', 'pkg-template/README.md'];
  expect(documents().filter((file) => !reached.has(file))).toEqual(documents().filter((file) => outside.includes(file)));
});

test('the README of the package links to nothing that the package does not have', () => {
  expect(links(read('pkg-template/README.md')).filter((target) => !isElsewhere(target) && !existsSync(join(PACKAGE, target)))).toEqual([]);
});

test('every test that holds a guarantee is there', () => {
  const promises = read('docs/guarantees.md');
  const named = [...promises.matchAll(/\[`([^`]+)`\]\(\.\.\/([^)]+)\)/g)].map(([, name, path]) => [name, path]);
  expect(named.length).toBeGreaterThan(30);
  const has = (name, path) => path.endsWith(`/${name}.test.js`) || read(path).includes(path.endsWith('.rs') ? `fn ${name}(` : `'${name}'`);
  expect(named.filter(([name, path]) => !has(name, path))).toEqual([]);
  const numbers = [...promises.matchAll(/^\*\*(\d+)\. /gm)].map(([, number]) => Number(number));
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
});

test('every chore that the documentation names is there', () => {
  const named = documents().flatMap((file) => [...read(file).matchAll(/cargo xtask ([a-z]+)(?: ([a-z-]+))?/g)].map(([, chore, part]) => [file, chore, part]));
  const [, chores] = /enum Chore \{([^]*?)\n\}/.exec(read('crates/xtask/src/main.rs'));
  const known = [...chores.matchAll(/^ {4}(\w+)/gm)].map(([, name]) => name.toLowerCase());
  const parts = [...read('crates/xtask/src/soak.rs').matchAll(/name: "([\w-]+)"/g)].map(([, name]) => name);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(([, chore]) => !known.includes(chore))).toEqual([]);
  const soaked = named.filter(([, chore, part]) => chore === 'soak' && part);
  expect(soaked.length).toBeGreaterThan(2);
  expect(soaked.filter(([, , part]) => !parts.includes(part))).toEqual([]);
});

test('the README fits on two screens', () => {
  expect(read('README.md').split('\n').length).toBeLessThanOrEqual(110);
});

test('the reference is that of the types', () => {
  expect(readFileSync(REFERENCE, 'utf8'), 'run `cargo xtask docs` and commit docs/api.md').toBe(reference());
});
