// The names of one case: what `{{name}}` stands for, and values that would be long to write out.

import { randomBytes, randomInt } from 'node:crypto';
import { sign } from './usersig.mjs';

const HOUR_MS = 3_600_000;
const DAY_S = 86_400;
const USERS = ['alice', 'bob', 'carol', 'mallory'];

export class Names {
  #values = new Map();
  #server;

  /** Users and groups of their own for each case, so that cases can be played on a server that has others, and again. */
  constructor(server) {
    this.#server = server;
    const own = randomBytes(6).toString('hex');
    for (const user of USERS) this.#values.set(user, `${user}-${own}`);
    const entries = {
      group: `lunch-${own}`,
      group2: `dinner-${own}`,
      admin: server.admin,
      app: server.app,
      past: Date.now() - HOUR_MS,
      future: Date.now() + HOUR_MS,
      random: randomInt(2 ** 31),
    };
    for (const [name, value] of Object.entries(entries)) this.#values.set(name, value);
  }

  bind(name, value) {
    this.#values.set(name, value);
  }

  has(name) {
    return this.#values.has(name);
  }

  get(name) {
    if (this.#values.has(name)) return this.#values.get(name);
    const [base, detail] = name.split('.');
    if (/^id\d+$/.test(name)) this.bind(name, randomBytes(16).toString('hex'));
    else if (detail === 'fields') return JSON.stringify(this.get(base)).slice(1, -1);
    else if (detail !== undefined) return this.#signature(this.get(base), detail);
    else throw new Error(`nothing is called ${name}`);
    return this.#values.get(name);
  }

  #signature(user, detail) {
    const { app, secret } = this.#server;
    const now = Math.floor(Date.now() / 1000);
    const good = { app, secret, user };
    switch (detail) {
      case 'sig': return sign(good);
      case 'expired-sig': return sign({ ...good, time: now - DAY_S, expire: 60 });
      case 'short-sig': return sign({ ...good, time: now, expire: 2 });
      case 'foreign-sig': return sign({ ...good, secret: `${secret}, but another one` });
      case 'other-app-sig': return sign({ ...good, app: app + 1 });
      case 'cut-sig': return sign(good).slice(0, -20);
      default: throw new Error(`there is no such signature: ${detail}`);
    }
  }

  /** A text from its parts: a string, or `[string, times]`. */
  text(parts) {
    const part = (text, times = 1) => String(this.fill(text)).repeat(times);
    return parts.map((one) => (Array.isArray(one) ? part(...one) : part(one))).join('');
  }

  /** The value with everything put in that a case can say shorter. */
  fill(value) {
    if (typeof value === 'string') {
      const whole = /^\{\{([^{}]+)\}\}$/.exec(value);
      if (whole) return this.get(whole[1]);
      return value.replace(/\{\{([^{}]+)\}\}/g, (_, name) => this.get(name));
    }
    if (Array.isArray(value)) return value.map((item) => this.fill(item));
    if (typeof value !== 'object' || value === null) return value;
    if (value.$text) return this.text(value.$text);
    if (value.$list) {
      return Array.from({ length: value.$list }, (_, i) => {
        this.bind('i', i + 1);
        return this.fill(value.of);
      });
    }
    const { $about, ...fields } = value;
    const filled = Object.entries(fields).map(([name, field]) => [name, this.fill(field)]);
    return { ...($about ? this.get($about) : {}), ...Object.fromEntries(filled) };
  }
}
