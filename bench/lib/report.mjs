// Results as text: tables of one part, and the page of all.

import { readFileSync } from 'node:fs';
import { INTRODUCTION, PARTS } from '../parts.mjs';
import { median } from './rounds.mjs';

/** Three digits of a number, thousands separated. */
export function digits(value) {
  if (value === 0) return '0';
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const rounded = Number(value.toPrecision(3));
  return rounded.toLocaleString('en-US', { minimumFractionDigits: Math.min(places, 3), maximumFractionDigits: Math.min(places, 6) });
}

function cell(samples) {
  if (!samples) return '';
  const [middle, least, most] = [median(samples), Math.min(...samples), Math.max(...samples)].map(digits);
  return least === most ? middle : `${middle} (${least} to ${most})`;
}

/** Below 1 ours, which stands first, is ahead; of one contender's own growth, how much more than the first row. */
function ratio({ isMoreBetter, isGrowth }, first, other) {
  if (!first || !other) return '';
  const [our, their] = [median(first), median(other)];
  return digits(isMoreBetter || isGrowth ? their / our : our / their);
}

/**
 * @param {{title: string, columns: {key: string, label: string, isCompared?: boolean, isMoreBetter?: boolean, isGrowth?: boolean}[],
 *   rows: {name: string, samples: Record<string, number[]>}[], skipped?: {name: string, why: string}[]}} table
 */
export function markdownTable({ title, columns, rows, skipped = [] }) {
  const heads = columns.flatMap((column) => (column.isCompared ? [column.label, 'ratio'] : [column.label]));
  const lines = [`| ${title} | ${heads.join(' | ')} |`, `|---|${heads.map(() => '---:|').join('')}`];
  const [ours] = rows;
  for (const row of rows) {
    const cells = columns.flatMap((column) => {
      const own = cell(row.samples[column.key]);
      if (!column.isCompared) return [own];
      return [own, row === ours ? '' : ratio(column, ours.samples[column.key], row.samples[column.key])];
    });
    lines.push(`| ${row.name} | ${cells.join(' | ')} |`);
  }
  const missing = skipped.map(({ name, why }) => `Skipped: **${name}**: ${why}.`);
  return [lines.join('\n'), ...missing].join('\n\n');
}

const verdict = ({ isMet } = {}) => (isMet === undefined ? 'not measured' : isMet ? 'met' : '**missed**');

function targetLines(part, outcomes) {
  const lines = Object.entries(part.targets).map(
    ([key, text]) => `| ${text} | ${outcomes[key]?.figure ?? ''} | ${verdict(outcomes[key])} |`,
  );
  return ['| target | figure | |', '|---|---|---|', ...lines].join('\n');
}

const note = (part) => readFileSync(new URL(`../notes/${part.name}.md`, import.meta.url), 'utf8').trim();

/** A part with its tables, targets and note. */
export function section(part, result) {
  if (!result) return `## ${part.title}\n\nNot measured.\n\n${targetLines(part, {})}\n\n${note(part)}`;
  const { tables, outcomes, rounds, isQuick, date, load } = result;
  const when = `\`cargo xtask bench ${part.name}${isQuick ? ' --quick' : ''}\`, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}, ${date}, load average before ${load}.`;
  return [`## ${part.title}`, when, ...tables.map(markdownTable), targetLines(part, outcomes), note(part)].join('\n\n');
}

/** The whole page, from what each part came to. */
export function page(results, machine) {
  const facts = Object.entries(machine).map(([name, value]) => `| ${name} | ${value} |`);
  return [
    '<!-- Written by `cargo xtask bench`. Do not edit. -->',
    '# Benchmarks',
    INTRODUCTION,
    ['| machine | |', '|---|---|', ...facts].join('\n'),
    ...PARTS.map((part) => section(part, results[part.name])),
  ].join('\n\n') + '\n';
}
