// What stands in the documentation: its files, the code in them, their headings and links.

import { readdirSync, readFileSync } from 'node:fs';
import { inCheckout } from './paths.js';

const FENCE = /^```(\w*)\n([^]*?)^```$/gm;

/** The Markdown files that readers get, relative to the checkout. */
export function documents() {
  const under = (folder) => readdirSync(inCheckout(folder), { recursive: true }).map((name) => `${folder}/${name}`);
  const files = [...readdirSync(inCheckout('.')), ...under('docs'), 'pkg-template/README.md'];
  return files.filter((name) => name.endsWith('.md')).sort();
}

/** The blocks of code of a file in one language, in order. */
export const blocks = (file, language) =>
  [...readFileSync(inCheckout(file), 'utf8').matchAll(FENCE)].filter((block) => block[1] === language).map((block) => block[2]);

/** A document without its code. */
const prose = (text) => text.replace(FENCE, '').replace(/<!--[^]*?-->/g, '');

/** The anchors of a document's headings, as GitHub makes them. */
export function anchors(text) {
  const seen = new Map();
  return [...prose(text).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => {
    const shown = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '').toLowerCase();
    const slug = shown.replace(/[^\p{L}\p{N}\- _]/gu, '').replaceAll(' ', '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times ? `${slug}-${times}` : slug;
  });
}

/** What a document links to, or shows. */
export function links(text) {
  const outside = prose(text).replace(/`[^`\n]*`/g, '');
  const found = [...outside.matchAll(/\]\(([^)\s]+)\)/g), ...outside.matchAll(/\b(?:src|srcset|href)="([^"]+)"/g)];
  return found.map(([, target]) => target);
}
