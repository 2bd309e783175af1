// The packages that it needs lie in the folder above, beside those of the other bundlers.
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export default {
  // As the package's readme says, so that the server reads the wasm where npm has put it.
  serverExternalPackages: ['message-extensions'],
  turbopack: { root },
  outputFileTracingRoot: root,
};
