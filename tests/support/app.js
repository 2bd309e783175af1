// An app of its own, somewhere else on the machine, into which npm has installed the tarball.

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inCheckout, tarball } from './paths.js';

const run = promisify(execFile);

/**
 * @param {string} source the folder with its files, relative to `tests/support`
 * @param {string} [parent] where it is made
 */
export async function installApp(source, parent = tmpdir()) {
  const folder = mkdtempSync(join(parent, 'message-extensions-app-'));
  cpSync(inCheckout(`tests/support/${source}`), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  // The package depends on nothing, so no registry is needed.
  await run('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', tarball()], { cwd: folder });
  return {
    folder,
    /** Runs `node` there, as a user does, without our own flags; gives what it printed. */
    node: (...args) => run(process.execPath, args, { cwd: folder, env: { PATH: process.env.PATH } }),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
