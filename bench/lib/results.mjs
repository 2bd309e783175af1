// What the page is made of: kept in the repository, so that a page can be made again without measuring.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { PARTS } from '../parts.mjs';
import { resultFile } from './paths.mjs';
import { page } from './report.mjs';

const read = (name) => (existsSync(resultFile(name)) ? JSON.parse(readFileSync(resultFile(name), 'utf8')) : undefined);

export function keep(name, result) {
  mkdirSync(dirname(resultFile(name)), { recursive: true });
  writeFileSync(resultFile(name), `${JSON.stringify(result, null, 1)}\n`);
}

/** The page's text. */
export const pageOfResults = () => page(Object.fromEntries(PARTS.map(({ name }) => [name, read(name)])), read('machine') ?? {});
