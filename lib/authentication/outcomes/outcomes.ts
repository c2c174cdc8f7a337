import { Logger } from '@nestjs/common';
import { TokenMissingError } from '../../errors/request.errors.js';
import { oneLine } from '../../errors/one-line.js';
import type { MetadataProviders } from '../../metadata/metadata.providers.js';
import type { Clock } from '../../time/clock.js';
import type { Authentication, AuthObserver } from './auth-observer.js';
import type { RefusalLog } from './refusal-log.js';

/** One authentication while it is under way. A plain object: a literal is what costs a known token least. */
export type PendingAuthentication = { -readonly [Member in keyof Authentication]: Authentication[Member] };

/** Where the outcome of each authentication goes: to the log of refusals, and to the observers of extensions. */
export class Outcomes {
  readonly #logger = new Logger('Authenticator');
  /** Those of the guard, which gets the same error again, and of operations that several guards refuse. */
  readonly #counted = new WeakSet<object>();
  #hasFailed = false;

  constructor(
    private readonly clock: Clock,
    private readonly refusals?: Pick<RefusalLog, 'add'>,
    private readonly observers: readonly AuthObserver[] = [],
  ) {}

  /** Before metadata is loaded for the first time. */
  start(metadata: MetadataProviders): void {
    for (const observer of this.observers) observer.start?.({ metadata, clock: this.clock });
  }

  /** @returns `undefined` where nothing observes: then known tokens pay nothing */
  begin(): PendingAuthentication | undefined {
    return this.observers.length > 0
      ? { issuer: undefined, isKnown: false, startedAt: undefined, hasWaited: false, error: undefined }
      : undefined;
  }

  accepted(authentication: PendingAuthentication | undefined): void {
    if (authentication) this.#notify(authentication);
  }

  /** A missing token is not counted yet: the operation may go on without one. */
  refused(error: unknown, authentication: PendingAuthentication | undefined): void {
    if (error instanceof TokenMissingError) return;
    this.#count(error);
    if (!authentication) return;
    authentication.error = error;
    this.#notify(authentication);
  }

  /** An operation is answered with an error, of its authentication or of what it requires beyond that. */
  answered(error: Error): void {
    if (!this.#count(error) || !(error instanceof TokenMissingError)) return;
    const authentication = this.begin();
    if (!authentication) return;
    authentication.error = error;
    this.#notify(authentication);
  }

  /** @returns whether it was counted for the first time */
  #count(error: unknown): boolean {
    if (typeof error !== 'object' || error === null || this.#counted.has(error)) return false;
    this.#counted.add(error);
    this.refusals?.add(error);
    return true;
  }

  #notify(authentication: Authentication): void {
    for (const observer of this.observers) this.#end(observer, authentication);
  }

  /** A fault of an observer must neither refuse a request nor keep it from the other observers. */
  #end(observer: AuthObserver, authentication: Authentication): void {
    try {
      observer.ended?.(authentication);
    } catch (error) {
      if (!this.#hasFailed)
        this.#logger.error(`An observer of the option extensions threw: ${oneLine(String(error), 200)}`);
      this.#hasFailed = true;
    }
  }
}
