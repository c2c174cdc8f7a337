import type { AuthenticatedToken } from '../authentication/authenticated-token.js';
import type { TokenWatcher } from '../authentication/watch/token-watcher.js';
import type { AuthError } from '../errors/auth.error.js';

/** How a client of one transport is reached. */
export interface ClientPort {
  /** Sends the refusal as the event `exception`, then ends the connection. */
  end(error: AuthError): void;
}

/** What a protected client was accepted with. */
export class Connection {
  #rawToken: string | undefined;
  #token: AuthenticatedToken | undefined;
  #stopWatching: (() => void) | undefined;
  #isClosed = false;

  constructor(
    readonly upgrade: object,
    private readonly port: ClientPort,
    /** `undefined`: an expired token is refused with each message, and the connection stays. */
    private readonly watcher: TokenWatcher | undefined,
  ) {}

  /** The credentials of each message: the token in force. */
  get authorization(): string | undefined {
    return this.#rawToken === undefined ? undefined : `Bearer ${this.#rawToken}`;
  }

  /** Takes a token over, in place of the one in force. A client that is gone stays unwatched: its renewal came too late. */
  accept(rawToken: string, token: AuthenticatedToken): void {
    if (this.#isClosed) return;
    this.#stopWatching?.();
    this.#rawToken = rawToken;
    this.#token = token;
    this.#stopWatching = this.watcher?.watch(rawToken, token, (error) => this.end(error));
  }

  /** Whether a token may replace the one in force: the same issuer and subject. */
  isSameSubject({ claims }: AuthenticatedToken): boolean {
    const current = this.#token?.claims;
    return current === undefined || (current.iss === claims.iss && current.sub === claims.sub);
  }

  /** Whether a token lasts no longer than the one in force. */
  isOlder({ claims }: AuthenticatedToken): boolean {
    return this.#token !== undefined && claims.exp <= this.#token.claims.exp;
  }

  /** A message was refused because the token is no longer valid. */
  refused(error: AuthError): void {
    if (this.watcher) this.end(error);
  }

  end(error: AuthError): void {
    if (this.#isClosed) return;
    this.close();
    this.port.end(error);
  }

  /** The client is gone. */
  close(): void {
    this.#isClosed = true;
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }
}

/** By client; a client belongs to one application. */
export const connections = new WeakMap<object, Connection>();
