// Hocuspocus with its own provider: a Y.Map that everybody writes.

import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import WebSocket from 'ws';

export async function connect({ port }, n, see) {
  const websocketProvider = new HocuspocusProviderWebsocket({ url: `ws://127.0.0.1:${port}`, WebSocketPolyfill: WebSocket });
  const { promise, resolve } = Promise.withResolvers?.() ?? deferred();
  const provider = new HocuspocusProvider({ websocketProvider, name: 'vote', awareness: null, onSynced: resolve });
  provider.attach();
  await promise;
  const map = provider.document.getMap('extensions');
  map.observe((event) => event.keysChanged.forEach((key) => see(Number(key.slice(4, -2)))));
  return { vote: () => map.set(`user${n}_0`, '1') };
}

function deferred() {
  let resolve;
  const promise = new Promise((given) => (resolve = given));
  return { promise, resolve };
}
