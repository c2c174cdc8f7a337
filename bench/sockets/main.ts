import { once } from 'node:events';
import { WebSocket } from 'ws';
import { Child } from '../support/child.js';
import { remote } from '../support/remote.js';
import type { server, Usage } from './server.js';

/** Idle clients, as the goal names them. */
const CLIENTS = 10_000;
/** Connections opened at a time. */
const BATCH = 200;

type Server = typeof server;

/** Memory that one idle connection takes, and timers for all of them. */
interface Measured {
  readonly bytesPerSocket: number;
  readonly timers: number;
}

async function measure(kind: 'open' | 'protected'): Promise<Measured> {
  await using child = await Child.start(new URL('./server.js', import.meta.url), [kind], ['--expose-gc']);
  const api = remote<Server>(child.process);
  const port = await api.port();
  const tokens = kind === 'protected' ? await api.tokens(CLIENTS) : [];
  const before: Usage = await api.usage();
  const sockets: WebSocket[] = [];
  for (let start = 0; start < CLIENTS; start += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, index) => {
      const token = tokens[start + index];
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return new WebSocket(`ws://127.0.0.1:${port}/live`, { headers });
    });
    await Promise.all(batch.map((socket) => once(socket, 'open')));
    sockets.push(...batch);
  }
  const after: Usage = await api.usage();
  for (const socket of sockets) socket.terminate();
  return { bytesPerSocket: (after.bytes - before.bytes) / CLIENTS, timers: after.timers - before.timers };
}

const open = await measure('open');
const guarded = await measure('protected');
console.log(
  `${CLIENTS} idle sockets of ws, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`,
);
console.log(`unprotected: ${Math.round(open.bytesPerSocket)} bytes each, ${open.timers} timers`);
console.log(`protected:   ${Math.round(guarded.bytesPerSocket)} bytes each, ${guarded.timers} timers`);
console.log(`added:       ${Math.round(guarded.bytesPerSocket - open.bytesPerSocket)} bytes each`);
process.exit();
