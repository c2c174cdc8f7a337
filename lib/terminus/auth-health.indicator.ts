import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import type { MetadataFault } from '../errors/metadata.errors.js';
import type { MetadataState } from '../metadata/metadata-status.js';
import { MetadataProviders } from '../metadata/metadata.providers.js';

/** The health of one issuer's metadata: nothing secret, no key id, no text of the issuer. */
export interface IssuerHealth {
  readonly state: MetadataState;
  /** ISO 8601 time at which the last successful check was started; absent before the first. */
  readonly checkedAt?: string;
  /** ISO 8601 time from which tokens of this issuer are answered 503 unless a refresh succeeds before; absent before the first. */
  readonly expiresAt?: string;
  /** The kind of the last refresh failure, until a refresh succeeds. */
  readonly lastFailure?: MetadataFault;
}

/** What stands beside `status` in the result of {@link AuthHealthIndicator.isHealthy}. */
export interface AuthHealthDetails extends Record<string, unknown> {
  /** By the configured name of the issuer. */
  readonly issuers: Readonly<Record<string, IssuerHealth>>;
}

/** Result of a check under a name of the application's choice. */
export type AuthHealthResult<Key extends string> = HealthIndicatorResult<
  Key,
  'up' | 'down',
  AuthHealthDetails
>;

/**
 * Reports whether tokens can be checked, for `@nestjs/terminus`. Reads the state in memory and makes no network call, so
 * that a probe never adds load to an issuer that is down. Use it for readiness, never for liveness: a restart does not
 * bring an issuer back, and loses the last known good metadata.
 */
@Injectable()
export class AuthHealthIndicator {
  constructor(
    @Inject(HealthIndicatorService) private readonly health: HealthIndicatorService,
    @Inject(MetadataProviders) private readonly providers: MetadataProviders,
  ) {}

  /**
   * `up` while the metadata of at least one issuer may serve (`fresh` or `stale`); `down` when every issuer's is `empty`
   * or `expired`.
   *
   * @param key the name of the entry in the health check's answer. Default `'auth'`
   */
  isHealthy<const Key extends string = 'auth'>(key?: Key): AuthHealthResult<Key>;
  isHealthy(key = 'auth'): AuthHealthResult<string> {
    const issuers = Object.fromEntries(this.providers.names.map((name) => [name, this.#healthOf(name)]));
    const isUp = Object.values(issuers).some(({ state }) => state === 'fresh' || state === 'stale');
    const check = this.health.check(key);
    return isUp ? check.up({ issuers }) : check.down({ issuers });
  }

  #healthOf(name: string): IssuerHealth {
    const { state, checkedAt, expiresAt, lastFailure } = this.providers.get(name).status();
    return {
      state,
      ...(checkedAt && { checkedAt: checkedAt.toISOString() }),
      ...(expiresAt && { expiresAt: expiresAt.toISOString() }),
      ...(lastFailure && { lastFailure: lastFailure.fault }),
    };
  }
}
