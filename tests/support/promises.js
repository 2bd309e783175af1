// What the product promises, whatever the network does: held against what users were answered and told (`pages/crowd.js`),
// and what has really happened (`history.js`). Each gives what is wrong, as text.

/** What a call may reject with when the network is bad; whether it was done is not known then. */
const OF_THE_NETWORK = [2800, 2801, 2903, 10002];
const SEQ_CONFLICT = 23001;
const STORAGE = 9007;
const [UPDATED, DELETED, CONFLICT] = ['Updated', 'Deleted', 'Conflict'].map((name) => `onMessageExtensions${name}`);

const name = ({ key, value }) => `${key}=${value}`;
const same = (one, other) => JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());

/**
 * @param {object} given
 * @param {object[]} given.users the record of each
 * @param {object[]} given.history all changes, in order
 * @param {Object<string, string>} given.truth what the server has
 * @param {object[]} given.tooLate what may have been written twice, see `fault-proxy.js`
 */
export function broken({ users, history, truth, tooLate = [] }) {
  const world = worldOf(history);
  const isTooLate = new Set(tooLate.map(name));
  const given = { world, truth, isTooLate };
  return [
    ...agree('the changes, one after the other,', world.now(), truth),
    ...users.flatMap((user) => [...calls(user, given), ...events(user, given), ...rest(user, given)].map((what) => `${user.userID}: ${what}`)),
    ...counters(world, isTooLate),
  ];
}

/** The history, key by key. */
function worldOf(history) {
  /** Of each key what it held, from which Seq on; '' is nothing. */
  const keys = new Map();
  const steps = (key) => keys.get(key) ?? [];
  const add = (key, seq, value, author) => keys.set(key, [...steps(key), { seq, value, author }]);
  for (const { seq, kind, author, items } of history) {
    const changed = kind === 'clear' ? [...keys].filter(([, all]) => all.at(-1).value).map(([key]) => ({ key, value: '' })) : items;
    for (const { key, value } of changed) add(key, seq, kind === 'set' ? value : '', author);
  }
  return {
    history,
    steps,
    keys: () => [...keys.keys()],
    /** The Seqs with which a value was written. */
    seqs: ({ key, value }) => steps(key).filter((step) => step.value === value).map(({ seq }) => seq),
    now: () => Object.fromEntries([...keys].map(([key, all]) => [key, all.at(-1).value]).filter(([, value]) => value)),
  };
}

function agree(what, one, other) {
  return same(one, other) ? [] : [`${what} ${JSON.stringify(one)}, the server has ${JSON.stringify(other)}`];
}

/** What calls were answered. */
function calls({ userID, calls, events }, { world, isTooLate }) {
  const wrong = [];
  const conflicts = new Set(events.filter((event) => event.name === CONFLICT).flatMap(({ data }) => data.extensions.map(name)));
  const own = world.history.filter(({ author }) => author === userID);
  const expectTimes = (item, times, why) => {
    const { length } = world.seqs(item);
    const isRight = times === 1 ? length === 1 : times === 0 ? length === 0 : length <= 1;
    if (!isRight && !(isTooLate.has(name(item)) && length > 0)) wrong.push(`${name(item)} ${why}, and was written ${length} times`);
  };
  for (const { kind, items, outcome } of calls) {
    if (!outcome) {
      wrong.push(`a ${kind} is pending: ${JSON.stringify(items)}`);
      continue;
    }
    const values = items.filter(({ value }) => value);
    if (outcome.code !== 0) {
      const isExpected = OF_THE_NETWORK.includes(outcome.code) || (kind === 'mutate' && outcome.code === SEQ_CONFLICT);
      if (!isExpected) wrong.push(`a ${kind} rejects with ${outcome.code}`);
      for (const item of values) expectTimes(item, undefined, `was rejected with ${outcome.code}`);
      continue;
    }
    if (kind === 'mutate') {
      const [{ value }] = outcome.extensions;
      for (const item of values) expectTimes(item, item.value === value ? 1 : 0, item.value === value ? 'was accepted' : 'was tried');
    }
    if (kind !== 'set') continue;
    if (outcome.extensions.length !== items.length) wrong.push(`${items.length} keys were answered with ${JSON.stringify(outcome.extensions)}`);
    for (const { code, key, value, queued } of outcome.extensions) {
      const item = items.find((one) => one.key === key) ?? { key, value };
      if (queued) {
        if (!conflicts.has(name(item))) expectTimes(item, 1, 'was queued, and told of no conflict');
        else expectTimes(item, 0, 'was told as a conflict');
      } else if (code === 0) expectTimes(item, 1, 'was accepted');
      else if (code !== SEQ_CONFLICT) wrong.push(`${name(item)} is refused with ${code}`);
      else if (value === item.value && !isTooLate.has(name(item))) wrong.push(`${name(item)} has met itself as a conflict`);
      else expectTimes(item, 0, 'was refused');
    }
  }
  for (const kind of ['delete', 'clear']) {
    const asked = calls.filter((call) => call.kind === kind).flatMap(({ items }) => (kind === 'clear' ? [''] : items.map(({ key }) => key)));
    const done = own.filter((change) => change.kind === kind).flatMap(({ items }) => (kind === 'clear' ? [''] : items.map(({ key }) => key)));
    for (const key of new Set(done)) {
      const times = (list) => list.filter((one) => one === key).length;
      if (times(done) > times(asked) && !isTooLate.has(`${key}=`)) wrong.push(`a ${kind} of ${key} was asked ${times(asked)} times, and done ${times(done)} times`);
    }
  }
  const cleared = own.filter(({ kind }) => kind === 'clear').length;
  const answered = calls.filter(({ kind, outcome }) => kind === 'clear' && outcome?.code === 0).length;
  if (answered > cleared) wrong.push(`${answered} clears were answered, and ${cleared} done`);
  return [...wrong, ...reads(calls, world)];
}

/** A read shows nothing that was not there, nothing older than was read before, and the user's own writes. */
function reads(calls, world) {
  const wrong = [];
  const least = new Map();
  const points = calls.flatMap((call) => (call.outcome?.code === 0 ? [{ at: call.began, call, isBegin: true }, { at: call.ended, call }] : []));
  for (const { call, isBegin } of points.sort((one, other) => one.at - other.at)) {
    if (call.kind === 'get' && isBegin) call.least = new Map(least);
    if (isBegin) continue;
    const shown = call.outcome.extensions.filter(({ code, queued }) => !code && !queued);
    if (call.kind === 'get') {
      const has = new Map(shown.map(({ key, value }) => [key, value]));
      for (const key of world.keys()) {
        const from = call.least.get(key) ?? 0;
        const value = has.get(key) ?? '';
        // What the key has held since; before anything it holds nothing.
        const steps = [{ seq: 0, value: '' }, ...world.steps(key)];
        const found = steps.find(({ seq, value: held }, i) => held === value && (seq >= from || (steps[i + 1]?.seq ?? Infinity) > from));
        if (!found) wrong.push(`a get shows ${key}=${value}, which is older than Seq ${from}, or was never there`);
        else least.set(key, Math.max(least.get(key) ?? 0, found.seq));
      }
      for (const key of has.keys()) if (!world.steps(key).length) wrong.push(`a get shows ${key}, which nobody wrote`);
    } else if (call.kind === 'set' || call.kind === 'mutate') {
      for (const item of shown.filter(({ value }) => value)) least.set(item.key, Math.max(least.get(item.key) ?? 0, ...world.seqs(item).slice(0, 1)));
    }
  }
  return wrong;
}

/** What listeners were told: each change once, in order, and all of them together what the server has. */
function events({ events }, { world, truth }) {
  const wrong = [];
  const shown = {};
  const told = new Map();
  let last = 0;
  for (const { name: event, data } of events) {
    if (event === UPDATED) {
      const seqs = new Set();
      for (const item of data.extensions) {
        const seq = world.seqs(item).find((one) => one > (told.get(item.key) ?? 0));
        if (seq === undefined) wrong.push(`told of ${name(item)} after Seq ${told.get(item.key) ?? 0} of the key: ${world.seqs(item)}`);
        else seqs.add(seq);
        told.set(item.key, Math.max(seq ?? 0, told.get(item.key) ?? 0));
        shown[item.key] = item.value;
      }
      if (seqs.size > 1) wrong.push(`told of Seqs ${[...seqs]} at once`);
      const first = Math.min(...seqs);
      if (first <= last) wrong.push(`told of Seq ${first} after ${last}`);
      last = Math.max(last, ...seqs);
    } else if (event === DELETED) {
      const isIt = ({ seq, kind, items }) => seq > last && ((kind === 'clear' && data.keyList.every((key) => key in shown)) || (kind === 'delete' && data.keyList.every((key) => items.some((item) => item.key === key))));
      const change = world.history.find(isIt);
      if (change) last = change.seq;
      else wrong.push(`told that ${data.keyList} are gone after Seq ${last}`);
      for (const key of data.keyList) {
        told.set(key, last);
        delete shown[key];
      }
    }
  }
  return [...wrong, ...agree('what was told adds up to', shown, truth)];
}

/** What is there when all has come to rest, and what may not have come before. */
function rest({ events, confirmed, cache, shown }, { world, truth }) {
  const wrong = [...agree('the cache is', cache, truth), ...agree('the watch shows', shown, truth)];
  for (const item of confirmed) if (!world.seqs(item).length) wrong.push(`${name(item)} was shown as confirmed, and never there`);
  for (const { name: event, data } of events) {
    if (event === 'sdkStateNotReady') wrong.push('the session has ended');
    if (event === 'error' && ![...OF_THE_NETWORK, STORAGE].includes(data.code)) wrong.push(`ERROR ${data.code}: ${data.message}`);
  }
  return wrong;
}

/** Each mutation of a counter counts one further. */
function counters(world, isTooLate) {
  return world.steps('count').flatMap(({ value, seq }, i, all) => {
    const before = parseInt(all[i - 1]?.value || '0', 10);
    const isNext = !value || parseInt(value, 10) === before + 1;
    return isNext || isTooLate.has(`count=${value}`) ? [] : [`the mutation to ${value} (Seq ${seq}) overwrites ${all[i - 1]?.value}`];
  });
}
