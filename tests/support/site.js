// A folder for the server to serve: pages of the tests, and the package as it is installed.

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inCheckout, PACKAGE } from './paths.js';

export function makeSite() {
  const folder = mkdtempSync(join(tmpdir(), 'message-extensions-site-'));
  cpSync(inCheckout('tests/support/pages'), folder, { recursive: true });
  cpSync(inCheckout('tests/samples'), join(folder, 'samples'), { recursive: true });
  cpSync(PACKAGE, join(folder, 'message-extensions'), { recursive: true });
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}
