import type { AuthAnswer } from '../authorized/answers/auth-answer.js';
import type { ClientPort, Connection } from './connection.js';
import type { Handshake } from './handshake-credentials.js';

/** What the adapters of the transports call. */
export interface HandshakePort {
  readonly renewEvent: string | undefined;
  /** @returns a refusal, or the function that takes the client over once it is there */
  check(handshake: Handshake): Promise<{ readonly refusal: AuthAnswer } | { readonly take: TakeOver }>;
  renew(client: object, token: unknown): Promise<AuthAnswer | undefined>;
}

export type TakeOver = (client: object, port: ClientPort) => Connection;
