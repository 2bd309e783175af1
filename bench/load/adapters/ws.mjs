// A WebSocket server that sends votes as JSON: an array of them, or one.

import { once } from 'node:events';
import WebSocket from 'ws';

export async function connect({ port, frame = () => {} }, n, see) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await once(socket, 'open');
  socket.on('message', (data) => {
    frame();
    for (const { key } of [JSON.parse(data)].flat()) see(Number(key.slice(4, -2)));
  });
  return { vote: () => socket.send(JSON.stringify({ key: `user${n}_0`, value: '1' })) };
}
