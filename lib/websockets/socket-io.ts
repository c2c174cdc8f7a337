import { connections } from './connection.js';
import { answerTo } from '../authorized/answers/auth-answer.js';
import type { HandshakePort } from './handshake-port.js';
import { refusalOf } from './refusal.js';

/** socket.io sends `data` with `connect_error`. */
type Refused = Error & { readonly data?: unknown };
type Next = (error?: Refused) => void;

/** As much of a socket.io server or namespace as is used. */
interface SocketIoServer {
  use(middleware: (socket: SocketIoSocket, next: Next) => void): unknown;
  on(event: 'connection', listener: (socket: SocketIoSocket) => void): unknown;
}

interface SocketIoSocket {
  readonly handshake: { readonly auth: unknown };
  readonly request: {
    readonly headers: Readonly<Record<string, unknown>>;
    readonly rawHeaders: readonly string[];
  };
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
  server.use((socket, next) => {
    const check = async (): Promise<void> => {
      try {
        next(await admit(socket, port));
      } catch {
        next(new Error('The connection could not be checked'));
      }
    };
    void check();
  });
  server.on('connection', (socket) => {
    if (!connections.has(socket)) void admitRecovered(socket, port);
  });
}

/** Until it is checked, the guard refuses its messages by the same token. */
async function admitRecovered(socket: SocketIoSocket, port: HandshakePort): Promise<void> {
  const error = await admit(socket, port).catch(
    (): Refused => new Error('The connection could not be checked'),
  );
  if (!error) return;
  socket.emit('exception', error.data ?? { status: 'error', message: error.message });
  socket.disconnect();
}

/** @returns the error for `connect_error`; `undefined` when the client is accepted */
async function admit(socket: SocketIoSocket, port: HandshakePort): Promise<Refused | undefined> {
  const checked = await port.check({ upgrade: socket.request, auth: socket.handshake.auth });
  if ('refusal' in checked) {
    const refusal = refusalOf(checked.refusal);
    return Object.assign(new Error(refusal.message), { data: refusal });
  }
  const connection = checked.take(socket, {
    end: (error) => {
      socket.emit('exception', refusalOf(answerTo(error, undefined)));
      socket.disconnect();
    },
  });
  socket.on('disconnect', () => connection.close());
  if (port.renewEvent !== undefined) {
    socket.on(port.renewEvent, (token, acknowledge) => void renew(socket, port, token, acknowledge));
  }
  return undefined;
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
