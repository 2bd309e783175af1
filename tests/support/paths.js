// Where things are. `cargo xtask test` says so by variables; without them, what lies in this checkout is used.

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** An absolute path, from one that is relative to the checkout. */
export const inCheckout = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const SERVER = process.env.MESSAGE_EXTENSIONS_SERVER ?? inCheckout('target/release/message-extensions-server');
export const XTASK = process.env.XTASK ?? inCheckout('target/release/xtask');
/** The package as it is installed. */
export const PACKAGE = inCheckout('tests/node_modules/message-extensions');

/** The package as it would be published. */
export function tarball() {
  if (process.env.MESSAGE_EXTENSIONS_TARBALL) return process.env.MESSAGE_EXTENSIONS_TARBALL;
  const folder = inCheckout('target/npm');
  const [name] = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  if (!name) throw new Error(`there is no tarball in ${folder}: run cargo xtask test`);
  return `${folder}/${name}`;
}

/** A program that the caller must name. */
export function program(variable) {
  const path = process.env[variable];
  if (!path) throw new Error(`${variable} must be the path of a program: run cargo xtask test`);
  return path;
}
