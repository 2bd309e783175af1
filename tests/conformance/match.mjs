// What a case expects, held against what came: exact values; of an object only the fields that are named; the placeholders of
// README.md.

const TYPES = {
  integer: Number.isInteger,
  string: (value) => typeof value === 'string',
  object: (value) => isObject(value),
  array: Array.isArray,
};

/** What differs, a line each; `bind(name, value)` hears of what the case wants to know later. */
export function differences(expected, actual, bind = () => {}, path = '') {
  const at = path || 'the answer';
  const wrong = (wanted) => [`${at}: expected ${wanted}, got ${shown(actual)}`];
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return wrong(`a list of ${expected.length}`);
    if (actual.length !== expected.length) return wrong(`${expected.length} items, ${shown(expected)}`);
    return expected.flatMap((item, i) => differences(item, actual[i], bind, `${path}[${i}]`));
  }
  if (!isObject(expected)) return Object.is(expected, actual) ? [] : wrong(shown(expected));
  if (expected.$absent) return actual === undefined ? [] : wrong('nothing');
  if (expected.$oneOf) {
    const fits = expected.$oneOf.some((one) => differences(one, actual).length === 0);
    return fits ? [] : wrong(`one of ${shown(expected.$oneOf)}`);
  }
  if (expected.$unordered) return unordered(expected.$unordered, actual, bind, path) ?? wrong(`in any order ${shown(expected.$unordered)}`);
  if (expected.$length !== undefined) {
    if (!Array.isArray(actual) || actual.length !== expected.$length) return wrong(`a list of ${expected.$length}`);
    return [['$first', 0], ['$last', -1]]
      .filter(([end]) => expected[end] !== undefined)
      .flatMap(([end, i]) => differences(expected[end], actual.at(i), bind, `${path}[${i}]`));
  }
  if (expected.$any || expected.$bind) {
    const type = expected.$any;
    if (actual === undefined || (type && !TYPES[type](actual))) return wrong(type ? `any ${type}` : 'any value');
    if (expected.$bind) bind(expected.$bind, actual);
    return [];
  }
  if (!isObject(actual)) return wrong('an object');
  return Object.entries(expected).flatMap(([name, value]) =>
    differences(value, actual[name], bind, path ? `${path}.${name}` : name),
  );
}

/** Each expected item has one of its own; `undefined` when it does not work out. */
function unordered(expected, actual, bind, path) {
  if (!Array.isArray(actual) || actual.length !== expected.length) return undefined;
  const left = [...actual];
  for (const item of expected) {
    const i = left.findIndex((one) => differences(item, one).length === 0);
    if (i < 0) return undefined;
    differences(item, left[i], bind, path);
    left.splice(i, 1);
  }
  return [];
}

const LONGEST = 400;

export function shown(value) {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
