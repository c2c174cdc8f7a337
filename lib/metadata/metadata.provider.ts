import type { Observable } from 'rxjs';
import type { IssuerMetadata } from '../keys/issuer-metadata.js';
import type { MetadataEvent } from './metadata-events.js';
import type { MetadataStatus } from './metadata-status.js';
import type { RefreshRequest } from './refresh/refresh-request.js';

/**
 * Owns the metadata of one issuer: loads it, refreshes it on schedule and on demand, keeps the last known good
 * snapshot. Inject it where there is one issuer; with several, inject {@link MetadataProviders}.
 */
export abstract class MetadataProvider {
  /**
   * Returns the current snapshot. Never waits while a usable one exists; else waits for one budgeted refresh.
   *
   * @throws {MetadataUnavailableError} when there is none within `refreshWait`
   */
  abstract current(): Promise<IssuerMetadata>;

  /**
   * Requests metadata newer than `stale`, or metadata with the key `kid`. Concurrent requests share one refresh, and all
   * stay within the refresh budget, so a request may wait for the next permitted refresh. Returns `stale` itself when a
   * refresh that started after this call found nothing new.
   *
   * @throws {MetadataUnavailableError} when that could not be checked within `refreshWait`, with the seconds to wait
   */
  abstract requestRefresh(request?: RefreshRequest): Promise<IssuerMetadata>;

  /**
   * Refreshes now, outside of budget and backoff: for operators and their tools, never for requests.
   *
   * @throws {MetadataUnavailableError} when the refresh fails
   */
  abstract refreshNow(): Promise<IssuerMetadata>;

  /** Emits the current snapshot first, then each that differs; completes when the module is closed. */
  abstract get metadata$(): Observable<IssuerMetadata>;

  /** Emits events as they happen; completes when the module is closed. */
  abstract get events$(): Observable<MetadataEvent>;

  /** Returns the state at this moment. */
  abstract status(): MetadataStatus;
}
