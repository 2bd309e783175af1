// socket.io's protocol over its WebSocket transport, by hand: its client would be the slower half of the load.

import { once } from 'node:events';
import WebSocket from 'ws';

export async function connect({ port, frame = () => {} }, n, see) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: false });
  await once(socket, 'message');
  socket.send('40');
  await once(socket, 'message');
  socket.on('message', (data) => {
    const text = data.toString();
    frame();
    if (text === '2') socket.send('3');
    else if (text.startsWith('42')) see(Number(JSON.parse(text.slice(2))[1].key.slice(4, -2)));
  });
  return { vote: () => socket.send(`42${JSON.stringify(['vote', { key: `user${n}_0`, value: '1' }])}`) };
}
