// The cases as they lie in `cases/`, and playing those that a server can be held against.

import { readFileSync, readdirSync } from 'node:fs';
import { play } from './play.mjs';

const FOLDER = new URL('cases/', import.meta.url);

/** What a case may need of the way the server was started; a server has one of these, or none. README.md has the flags. */
export const SETTINGS = ['small-limits', 'extensions-off'];

/** All cases, each with its full name, all that it needs, and its file. */
export function cases() {
  return files().flatMap(({ file, content }) =>
    content.cases.map((story) => ({
      ...story,
      name: `${file}/${story.name}`,
      needs: [...(content.needs ?? []), ...(story.needs ?? [])],
      kinds: story.kinds ?? content.kinds ?? ['c2c'],
    })),
  );
}

/** The files as they are. */
export function files() {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json')).sort();
  return names.map((name) => ({
    file: name.slice(0, -'.json'.length),
    content: JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')),
  }));
}

/** Those for a server with these settings (`undefined`: the defaults), without what it does not have. */
export function chosen({ settings, without = [], name } = {}) {
  const wanted = ({ needs }) => needs.find((need) => SETTINGS.includes(need)) === settings && !needs.some((need) => without.includes(need));
  return cases().filter((story) => (name ? story.name === name || story.name.startsWith(`${name}/`) : true) && wanted(story));
}

/**
 * Plays the cases, one after the other.
 *
 * @param {object} server `url`, `push` (a WebSocket's URL), `app`, `secret`, `admin`; also `patience`, `fetch`, `WebSocket`
 * @param {object[]} stories as `chosen` gives them
 * @param {(result: {name: string, rule: string, failure?: {step: string, why: string[]}}) => void} [tell]
 */
export async function run(server, stories, tell = () => {}) {
  const push = server.push ?? `${server.url.replace(/^http/, 'ws')}/v4/push`;
  const full = { patience: 10_000, fetch: globalThis.fetch, WebSocket: globalThis.WebSocket, ...server, push };
  const results = [];
  for (const story of stories) {
    for (const kind of story.kinds) {
      const name = story.kinds.length > 1 ? `${story.name} (${kind})` : story.name;
      const result = { name, rule: story.rule, from: story.from, failure: await play(full, story, kind) };
      results.push(result);
      tell(result);
    }
  }
  return results;
}

/** A failure as people read it. */
export function told({ name, rule, from, failure: { step, why } }) {
  return [`${name}`, `  ${rule} (${from.join('; ')})`, `  at ${step}`, ...why.map((line) => `    ${line}`)].join('\n');
}
