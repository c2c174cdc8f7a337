import type { AuthenticatedToken } from '../authentication/authenticated-token.js';
import { confirmationOf, KEY_THUMBPRINT } from '../token/confirmation.js';
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
  #provenKey: string | undefined;
  #stopWatching: (() => void) | undefined;
  #isClosed = false;
  #renewals = 0;
  /** Why the token in force is no longer valid, while a newer one is being checked. */
  #heldBack: AuthError | undefined;

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

  /** The key whose possession the handshake has proven, for a token that is bound to one. */
  get provenKey(): string | undefined {
    return this.#provenKey;
  }

  /** Takes the token of the handshake over: where it is bound to a key, the upgrade has proven it. */
  open(rawToken: string, token: AuthenticatedToken): void {
    this.#provenKey = boundKeyOf(token);
    this.accept(rawToken, token);
  }

  /** Takes a token over, in place of the one in force. A client that is gone stays unwatched: its renewal came too late. */
  accept(rawToken: string, token: AuthenticatedToken): void {
    if (this.#isClosed) return;
    this.#stopWatching?.();
    this.#heldBack = undefined;
    this.#rawToken = rawToken;
    this.#token = token;
    this.#stopWatching = this.watcher?.watch(rawToken, token, (error) => this.#expire(error));
  }

  /** Whether a token may replace the one in force: the same issuer and subject. */
  isSameSubject({ claims }: AuthenticatedToken): boolean {
    const current = this.#token?.claims;
    return current === undefined || (current.iss === claims.iss && current.sub === claims.sub);
  }

  /** Whether a token ends before the one in force; of one that has ended every token is newer. */
  isOlder({ claims }: AuthenticatedToken): boolean {
    if (this.#heldBack) return false;
    return this.#token !== undefined && claims.exp < this.#token.claims.exp;
  }

  /** A message was refused because the token is no longer valid. */
  refused(error: AuthError): void {
    if (this.watcher) this.#expire(error);
  }

  /**
   * Holds back the end of the token in force while a newer one is checked: that check may be what finds the old key
   * withdrawn. For no longer than the first check takes that ends, so that a client cannot prolong it with others.
   */
  beginRenewal(): void {
    this.#renewals += 1;
  }

  endRenewal(): void {
    this.#renewals -= 1;
    if (this.#heldBack) this.end(this.#heldBack);
  }

  #expire(error: AuthError): void {
    if (this.#renewals > 0) this.#heldBack ??= error;
    else this.end(error);
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

/** The key that a token is bound to. */
export function boundKeyOf({ claims }: AuthenticatedToken): string | undefined {
  const key = confirmationOf(claims, KEY_THUMBPRINT);
  return typeof key === 'string' ? key : undefined;
}
