// What is measured and what it should come to: the page's headings and targets. A test holds docs/benchmarks.md against it, so
// it imports nothing.

/** Each part is measured by `parts/{name}.mjs`; `notes/{name}.md` says what is not like for like. */
export const PARTS = [
  {
    name: 'client',
    title: 'The client',
    targets: {
      push: "a push with one key, applied and delivered: at most 1/5 of the vendor SDK's CPU",
      set: "a set, nothing else waiting: at most 1/3 of the vendor SDK's CPU",
      get: "a get of 300 cached keys: at most 1/10 of the vendor SDK's CPU, and without the network",
      ready: "import to ready: at most 1/2 of the vendor SDK's time",
      memory: "memory of a cached message of 300 keys: no more than a plain Map's",
    },
  },
  {
    name: 'size',
    title: 'Size',
    targets: { size: 'the entry `.` with its wasm: at most 45 kB after brotli 11' },
  },
  {
    name: 'fanout',
    title: 'A vote that all watch',
    targets: {
      storm: "server CPU of 300 votes at once: at most half of the coalescing ws server's",
      delay: "99 of 100 votes of 300 within 5 s reach the others sooner than by the bare ws server",
    },
  },
  {
    name: 'durable',
    title: 'Durable sets',
    targets: {
      many: 'many messages: at least as many sets a second as Redis with fsync always',
      hot: 'one hot message: at least as many sets a second as Redis with fsync always',
    },
  },
  {
    name: 'idle',
    title: 'Connections that wait',
    targets: { idle: '10,000 connections: at most 100 MiB of memory' },
  },
  {
    name: 'growth',
    title: 'Growth',
    targets: { growth: 'a set costs at most 1.3 times as much with the most messages stored as with the fewest' },
  },
  {
    name: 'resume',
    title: 'Coming back',
    targets: { resume: '1,000 cached messages are up to date by fewer requests, in less time and with less CPU than by 1,000 pulls' },
  },
];

/** Of the page; a part's heading is its title. */
export const INTRODUCTION =
  'What `cargo xtask bench` has written; nothing here is written by hand but the paragraphs below the tables, which are in `bench/notes/`. Figures are medians, with the least and the most in brackets; *ratio* is ours by the ' +
  "peer's, or the other way round where more is better, so that below 1 ours is ahead. Contenders took turns, round by round, on one machine, which also bore the load.";
