import type { MetadataProviders } from '../../metadata/metadata.providers.js';
import type { Clock } from '../../time/clock.js';

/** How one authentication ended. Nothing in it comes from a token. */
export interface Authentication {
  /** The configured `name` of the issuer that the token names; `undefined` where it names none. */
  readonly issuer: string | undefined;
  /** Whether the token was in the verified-token cache. */
  readonly isKnown: boolean;
  /** When its signature began to be checked, by the monotonic clock; `undefined` where none had to be checked. */
  readonly startedAt: number | undefined;
  /** Whether it waited for a refresh of the metadata. */
  readonly hasWaited: boolean;
  /** Why it was refused or could not be decided: an `AuthError`, or what a function of the application threw. */
  readonly error: unknown;
}

/** What an observer reads. */
export interface ObserverHost {
  readonly metadata: MetadataProviders;
  readonly clock: Clock;
}

/** Counts and measures, for metrics and traces. Registered by the option `extensions`; it must not throw. */
export interface AuthObserver {
  /** Called once, before metadata is loaded for the first time. */
  start?(host: ObserverHost): void;
  /**
   * Called at the end of each authentication, in its asynchronous context, known tokens included: it is part of the hot
   * path. The object is not reused.
   */
  ended?(authentication: Authentication): void;
}
