// Who is compared runs in turn, round by round, so that what the machine does meanwhile falls on all of them.

/**
 * @param {object} options
 * @param {number} options.rounds
 * @param {{name: string, run: () => Promise<Record<string, number>>}[]} options.contenders the first one is ours
 * @param {(text: string) => void} options.say
 * @returns {Promise<{rows: {name: string, samples: Record<string, number[]>}[], skipped: {name: string, why: string}[]}>}
 */
export async function contest({ rounds, contenders, say }) {
  const rows = contenders.map(({ name }) => ({ name, samples: {} }));
  const skipped = [];
  for (let round = 0; round < rounds; round += 1) {
    for (let place = 0; place < contenders.length; place += 1) {
      // Another one begins each time.
      const turn = (place + round) % contenders.length;
      const { name, run } = contenders[turn];
      if (skipped.some((one) => one.name === name)) continue;
      try {
        const measured = await run();
        say(`round ${round + 1}, ${name}: ${JSON.stringify(measured, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value))}`);
        for (const [key, value] of Object.entries(measured)) (rows[turn].samples[key] ??= []).push(value);
      } catch (error) {
        // A peer that cannot run is named; ours must.
        if (turn === 0) throw error;
        skipped.push({ name, why: reason(error) });
        say(`${name} is skipped: ${error.message}`);
      }
    }
  }
  return { rows: rows.filter(({ name }) => !skipped.some((one) => one.name === name)), skipped };
}

/** The line that says what was wrong, without the folders of this machine. */
function reason({ message }) {
  const lines = String(message).split('\n');
  const line = lines.find((one) => /^\w*Error\b|^ERROR/.test(one)) ?? lines[0];
  return line.replace(/(\/[\w.@-]+)+\//g, '').replace(/\.$/, '');
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The value below which this share of them lies. */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** A row's median of one metric; undefined when the row is not there. */
export function of(table, name, key) {
  const samples = table.rows.find((row) => row.name === name)?.samples[key];
  return samples && median(samples);
}
