// What a process has taken of the CPU and of memory, as Linux counts it.

import { readFileSync, readdirSync } from 'node:fs';

/** What can be read of a process that may have ended meanwhile. */
function unlessEnded(read) {
  try {
    return read();
  } catch {
    return [];
  }
}

/** The process and, as PostgreSQL has them, its children. */
function family(pid) {
  const children = unlessEnded(() => readdirSync(`/proc/${pid}/task`)).flatMap((thread) =>
    unlessEnded(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean)),
  );
  return [String(pid), ...children.flatMap(family)];
}

/** Nanoseconds of CPU by thread: the whole process' count has a resolution of 10 ms only. */
function threads(pid) {
  const all = new Map();
  for (const one of family(pid)) {
    for (const thread of unlessEnded(() => readdirSync(`/proc/${one}/task`))) {
      const [used] = unlessEnded(() => readFileSync(`/proc/${one}/task/${thread}/schedstat`, 'utf8').split(' '));
      if (used) all.set(thread, Number(used));
    }
  }
  return all;
}

/** Seconds of its children that have ended, as PostgreSQL's do with their connection; in hundredths. */
function ended(pid) {
  const [, fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(13, 15).map(Number);
  return (user + system) / 100;
}

/** Begins to count; the function that it gives says how many seconds of CPU were taken since. */
export function cpu(pid) {
  const [before, endedBefore] = [threads(pid), ended(pid)];
  return () => {
    let sum = 0;
    for (const [thread, now] of threads(pid)) sum += now - (before.get(thread) ?? 0);
    return sum / 1e9 + ended(pid) - endedBefore;
  };
}

const status = (pid, field) =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** MiB in memory now. */
export const resident = (pid) => status(pid, 'VmRSS');
/** MiB in memory, the most there were. */
export const mostResident = (pid) => status(pid, 'VmHWM');
