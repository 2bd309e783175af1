// Holds a server against the pack: node run.mjs --url http://127.0.0.1:8080 --app 1400000000 --secret …; README.md has the rest.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SETTINGS, chosen, run, told } from './pack.mjs';

const USAGE = `node run.mjs --url URL --app N --secret KEY
  --url URL         the endpoint, without /v4
  --push URL        the push connection; the endpoint's /v4/push when left out
  --app N           the SDKAppID
  --secret KEY      the app's secret key
  --admin NAME      UserID of an app admin (administrator)
  --settings NAME   plays the cases for a server that was started with ${SETTINGS.join(' or ')}, not those for the defaults
  --without PART    leaves out the cases that need push, rules, register or requestid; may be repeated
  --case NAME       one case, or all of a file
  --list            says which cases there are`;

const { values: given } = parseArgs({
  options: {
    url: { type: 'string' },
    push: { type: 'string' },
    app: { type: 'string' },
    secret: { type: 'string' },
    admin: { type: 'string', default: 'administrator' },
    settings: { type: 'string' },
    without: { type: 'string', multiple: true },
    case: { type: 'string' },
    list: { type: 'boolean' },
  },
});

// Node 20 has WebSocket behind a flag.
if (typeof WebSocket === 'undefined') {
  const again = [...process.execArgv, '--experimental-websocket', fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  process.exit(spawnSync(process.execPath, again, { stdio: 'inherit' }).status ?? 1);
}

const stories = chosen({ settings: given.settings, without: given.without, name: given.case });
if (given.list) {
  for (const { name, rule } of stories) console.log(`${name}: ${rule}`);
} else if (!given.url || !given.app || !given.secret || stories.length === 0) {
  console.error(stories.length === 0 ? 'no case is called so, with these settings; see --list' : USAGE);
  process.exitCode = 2;
} else {
  const { url, push, secret, admin } = given;
  const server = { url: url.replace(/\/$/, ''), push, secret, admin, app: Number(given.app) };
  const results = await run(server, stories, (result) => result.failure && console.log(`FAILED ${told(result)}\n`));
  const failed = results.filter(({ failure }) => failure).length;
  console.log(`${results.length - failed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}
