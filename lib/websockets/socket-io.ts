import { connections } from './connection.js';
import { answerTo } from '../authorized/answers/auth-answer.js';
import type { HandshakePort, TakeOver } from './handshake-port.js';
import { refusalOf } from './refusal.js';

/** socket.io sends `data` with `connect_error`. */
type Refused = Error & { readonly data?: unknown };
type Next = (error?: Refused) => void;

const UNCHECKED = 'The connection could not be checked';

/** As much of a socket.io server or namespace as is used. */
interface SocketIoServer {
  use(middleware: (socket: SocketIoSocket, next: Next) => void): unknown;
  prependListener(event: 'connection', listener: (socket: SocketIoSocket) => void): unknown;
}

interface SocketIoSocket {
  readonly handshake: { readonly auth: unknown };
  readonly request: {
    readonly headers: Readonly<Record<string, unknown>>;
    readonly rawHeaders: readonly string[];
  };
  readonly connected: boolean;
  on(event: string, listener: (...values: readonly unknown[]) => void): unknown;
  emit(event: string, value: unknown): unknown;
  disconnect(): unknown;
}

/** Also a namespace. */
export function isSocketIoServer(server: object): server is SocketIoServer {
  return 'use' in server && typeof server.use === 'function' && 'emit' in server;
}

/** Checks each client before it is connected; a recovered one, for which socket.io skips middleware, right after. */
export function protectSocketIo(server: SocketIoServer, port: HandshakePort): void {
  const accepted = new WeakMap<SocketIoSocket, TakeOver>();
  server.use((socket, next) => {
    const proceed = async (): Promise<void> => {
      const checked = await check(socket, port);
      if (typeof checked !== 'function') return next(checked);
      accepted.set(socket, checked);
      try {
        next();
      } catch {
        // A later middleware threw: it has not called on.
        next(new Error(UNCHECKED));
      }
    };
    void proceed();
  });
  // Not in the middleware: a client that leaves during the check, or that a later middleware refuses, never disconnects.
  // Before Nest's own listener, which hands the client to the gateway.
  server.prependListener('connection', (socket) => {
    const take = accepted.get(socket);
    if (take) connect(socket, port, take);
    else if (!connections.has(socket)) void admitRecovered(socket, port);
  });
}

/** Until it is checked, the guard refuses its messages by the same token. */
async function admitRecovered(socket: SocketIoSocket, port: HandshakePort): Promise<void> {
  const checked = await check(socket, port);
  if (!socket.connected) return;
  if (typeof checked === 'function') return connect(socket, port, checked);
  socket.emit('exception', checked.data ?? { status: 'error', message: checked.message });
  socket.disconnect();
}

/** @returns the error for `connect_error`, or the function that takes the client over; never rejects */
async function check(socket: SocketIoSocket, port: HandshakePort): Promise<Refused | TakeOver> {
  try {
    const checked = await port.check({ upgrade: socket.request, auth: socket.handshake.auth });
    if ('take' in checked) return checked.take;
    const refusal = refusalOf(checked.refusal);
    return Object.assign(new Error(refusal.message), { data: refusal });
  } catch {
    return new Error(UNCHECKED);
  }
}

function connect(socket: SocketIoSocket, port: HandshakePort, take: TakeOver): void {
  const connection = take(socket, {
    end: (error) => {
      socket.emit('exception', refusalOf(answerTo(error, undefined)));
      socket.disconnect();
    },
  });
  socket.on('disconnect', () => connection.close());
  if (port.renewEvent !== undefined) {
    socket.on(port.renewEvent, (token, acknowledge) => void renew(socket, port, token, acknowledge));
  }
}

async function renew(
  socket: SocketIoSocket,
  port: HandshakePort,
  token: unknown,
  acknowledge: unknown,
): Promise<void> {
  const refusal = await port.renew(socket, token).catch(() => undefined);
  if (typeof acknowledge === 'function')
    Reflect.apply(acknowledge, undefined, [refusal ? refusalOf(refusal) : { status: 'ok' }]);
  else if (refusal) socket.emit('exception', refusalOf(refusal));
}
