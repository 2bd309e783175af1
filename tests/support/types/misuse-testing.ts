// What must not compile: each line that is marked is an error, and the compiler says so if it is none.

import { createTestServer, server } from 'message-extensions/testing';

const message = server.sendMessage({ from: 'a', to: 'b', conversationType: 'C2C' });

// @ts-expect-error -- there is no such limit
createTestServer({ limits: { writes: 5 } });
// @ts-expect-error -- milliseconds are a number
server.latency = '5';
// @ts-expect-error -- two ends
server.latency = [1];
// @ts-expect-error -- a message needs a type of conversation
server.sendMessage({ from: 'a', to: 'b' });
// @ts-expect-error -- there is no such call
server.refuse(10002, { call: 'set' });
// @ts-expect-error -- what the server has is not written to
server.extensions(message)[0]!.seq = 1;
// @ts-expect-error -- a value is a string
server.set(message, [{ key: 'a', value: 1 }]);
// @ts-expect-error -- a client, not its user
server.goOffline('alice');
