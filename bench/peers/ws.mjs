// What one would write on `ws` in an afternoon: votes in a Map, each sent to everybody. With `coalesce`, what came in one
// turn of the loop goes out as one frame. Nothing is kept on a disk, nobody is asked who they are.

import { WebSocketServer } from 'ws';

const coalesces = process.argv[2] === 'coalesce';
const votes = new Map();
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false, backlog: 4096 });
let seq = 0;
let waiting = [];

const send = (message) => {
  const text = JSON.stringify(message);
  for (const client of server.clients) client.send(text);
};

function flush() {
  send(waiting);
  waiting = [];
}

server.on('connection', (socket) => {
  socket.on('message', (data) => {
    const { key, value } = JSON.parse(data);
    seq += 1;
    const vote = { key, value, seq };
    votes.set(key, vote);
    if (!coalesces) return send(vote);
    if (waiting.push(vote) === 1) setImmediate(flush);
  });
});
server.on('listening', () => console.log(`port ${server.address().port}`));
