// socket.io with a room, WebSocket transport only, as its documents show it. Nothing is kept on a disk.

import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });
const votes = new Map();
let seq = 0;

io.on('connection', (socket) => {
  socket.join('vote');
  socket.on('vote', ({ key, value }) => {
    seq += 1;
    const vote = { key, value, seq };
    votes.set(key, vote);
    io.to('vote').emit('vote', vote);
  });
});
http.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => console.log(`port ${http.address().port}`));
