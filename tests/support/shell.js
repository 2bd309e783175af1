// A shell into which a document's commands are typed as they stand. It begins in a checkout that looks built: `pkg/` is the packed package, `target/release/`
// has the server. Building does nothing, and npm installs the packed package.

import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keep } from './children.js';
import { PACKAGE, SERVER } from './paths.js';
import { until } from './wait.js';

const CARGO = '#!/bin/sh\n[ "$*" = "xtask build" ]\n';
const npm = (checkout) =>
  `#!/bin/sh -e\n[ "$*" = "install message-extensions" ]\nmkdir node_modules\ncp -r "${checkout}/pkg" node_modules/message-extensions\n`;

/**
 * @param {{hasServer?: boolean}} [options] whether the server is on the PATH, as where somebody else has installed it
 */
export function openShell({ hasServer = false } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'message-extensions-shell-'));
  const checkout = join(root, 'message-extensions');
  for (const folder of ['bin', 'message-extensions/target/release']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'bin/cargo'), CARGO, { mode: 0o755 });
  writeFileSync(join(root, 'bin/npm'), npm(checkout), { mode: 0o755 });
  symlinkSync(SERVER, join(checkout, 'target/release/message-extensions-server'));
  if (hasServer) symlinkSync(SERVER, join(root, 'bin/message-extensions-server'));
  cpSync(PACKAGE, join(checkout, 'pkg'), { recursive: true });

  const env = { PATH: `${join(root, 'bin')}:${process.env.PATH}`, HOME: root, MESSAGE_EXTENSIONS_LISTEN: '127.0.0.1:0', RUST_LOG: 'warn' };
  // A group of its own, so that what it has started ends with it.
  const child = spawn('sh', ['-e'], { cwd: checkout, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const signal = (name) => {
    try {
      process.kill(-child.pid, name);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  };
  const ended = keep({ once: (event, listener) => child.once(event, listener), kill: signal }, 'SIGKILL');
  let said = '';
  let complaints = '';
  let isOver = false;
  child.stdout.on('data', (text) => (said += text));
  child.stderr.on('data', (text) => (complaints += text));
  child.stdin.on('error', () => {});
  ended.then(() => (isOver = true));

  return {
    checkout,
    type: (commands) => void child.stdin.write(`${commands}\n`),

    /** Waits until something is printed; gives the match. */
    printed: (pattern) =>
      until(
        () => `${pattern} in what was printed: ${said}${complaints}`,
        () => {
          const match = pattern.exec(said);
          if (!match && isOver) throw new Error(`the shell has ended: ${said}${complaints}`);
          return match;
        },
      ),

    async close() {
      signal('SIGKILL');
      await ended;
      rmSync(root, { recursive: true });
    },
  };
}
