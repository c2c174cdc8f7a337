import { STATUS_CODES, type IncomingMessage } from 'node:http';
import { answerTo, type AuthAnswer } from '../authorized/answers/auth-answer.js';
import { httpHeaders } from '../authorized/answers/http-exception.js';
import type { HandshakePort, TakeOver } from './handshake-port.js';
import { refusalOf } from './refusal.js';

/** RFC 6455 §7.4.2: 4000 to 4999 are the application's; named after the HTTP status. */
const UNAUTHORIZED = 4401;
/** A message longer than the longest token is no renewal. */
const LONGEST_RENEWAL = 64 * 1024;

interface Info {
  readonly req: IncomingMessage;
}

type Done = (
  verified: boolean,
  code?: number,
  message?: string,
  headers?: Readonly<Record<string, string>>,
) => void;
type VerifyClient = (info: Info, done: Done) => unknown;

/** As much of a server of ws as is used. */
interface WsServer {
  readonly options: { verifyClient?: VerifyClient | undefined };
  prependListener(
    event: 'connection',
    listener: (client: WsClient, request: IncomingMessage) => void,
  ): unknown;
}

interface WsClient {
  send(message: string): void;
  close(code: number, reason: string): void;
  on(event: string, listener: (data: unknown) => void): unknown;
}

export function isWsServer(server: object): server is WsServer {
  return 'options' in server && 'handleUpgrade' in server && 'prependListener' in server;
}

/** The application's own `verifyClient` runs first. */
export function protectWs(server: WsServer, port: HandshakePort): void {
  const accepted = new WeakMap<IncomingMessage, TakeOver>();
  const own = server.options.verifyClient;
  server.options.verifyClient = (info, done) => {
    askOwn(own, info, done, () => void check(port, info, accepted, done));
  };
  // Before Nest's own listener, which hands the client to the gateway.
  server.prependListener('connection', (client, request) => {
    const take = accepted.get(request);
    accepted.delete(request);
    if (take) connect(client, port, take);
    else client.close(UNAUTHORIZED, 'AUTH_TOKEN_MISSING');
  });
}

async function check(
  port: HandshakePort,
  info: Info,
  accepted: WeakMap<IncomingMessage, TakeOver>,
  done: Done,
): Promise<void> {
  const checked = await port.check({ upgrade: info.req }).catch(() => undefined);
  if (!checked) return done(false, 500, STATUS_CODES[500]);
  if ('refusal' in checked) return refuse(checked.refusal, done);
  accepted.set(info.req, checked.take);
  try {
    done(true);
  } catch {
    // A listener of the application threw; an answer of HTTP no longer fits on the connection.
    info.req.socket.destroy();
  }
}

/** ws calls a function of one parameter for its result, and one of two with a callback. */
function askOwn(own: VerifyClient | undefined, info: Info, done: Done, next: () => void): void {
  if (!own) return next();
  if (own.length === 2) {
    own(info, (verified, ...answer) => (verified ? next() : done(false, ...answer)));
    return;
  }
  if (Reflect.apply(own, undefined, [info])) next();
  else done(false);
}

function refuse(answer: AuthAnswer, done: Done): void {
  done(false, answer.status, STATUS_CODES[answer.status], httpHeaders(answer));
}

function connect(client: WsClient, port: HandshakePort, take: TakeOver): void {
  const connection = take(client, {
    end: (error) => {
      const refusal = refusalOf(answerTo(error, undefined));
      client.send(JSON.stringify({ event: 'exception', data: refusal }));
      client.close(UNAUTHORIZED, error.code);
    },
  });
  client.on('close', () => connection.close());
  const { renewEvent } = port;
  if (renewEvent === undefined) return;
  client.on('message', (data) => {
    const token = renewalIn(data, renewEvent);
    if (token !== undefined) void renew(client, port, token);
  });
}

async function renew(client: WsClient, port: HandshakePort, token: unknown): Promise<void> {
  const refusal = await port.renew(client, token).catch(() => undefined);
  if (refusal) client.send(JSON.stringify({ event: 'exception', data: refusalOf(refusal) }));
}

/** The token of `{ event, data }`, Nest's form of a message; `undefined` for every other message. */
function renewalIn(data: unknown, event: string): unknown {
  if (!Buffer.isBuffer(data) || data.length > LONGEST_RENEWAL) return undefined;
  try {
    const message: unknown = JSON.parse(data.toString());
    const isRenewal =
      typeof message === 'object' && message !== null && 'event' in message && message.event === event;
    return isRenewal && 'data' in message ? message.data : undefined;
  } catch {
    return undefined;
  }
}
