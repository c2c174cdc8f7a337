import { LRUCache } from 'lru-cache';
import { Subject, type Observable } from 'rxjs';
import type { KeyRefusal, MetadataStoreError } from '../errors/metadata.errors.js';
import type { Reading } from './fetch/metadata-reader.js';
import type { MetadataEvent } from './metadata-events.js';

const MAX_REMEMBERED = 1000;
/** Of one reading: a key set with thousands of unusable members is described by its first ones. */
const MAX_SKIPPED_EMITTED = 20;

/** An event without the issuer, which is the same for all events of a provider. */
type EventOfIssuer = MetadataEvent extends infer Event
  ? Event extends unknown
    ? Omit<Event, 'issuer'>
    : never
  : never;

/** Emits what happens to the metadata of one issuer; what does not change, once. */
export class MetadataEventEmitter {
  readonly #events = new Subject<MetadataEvent>();
  #emitted: LRUCache<string, true> | undefined;

  constructor(private readonly issuer: string) {}

  get events$(): Observable<MetadataEvent> {
    return this.#events;
  }

  emit(event: EventOfIssuer): void {
    this.#events.next({ issuer: this.issuer, ...event });
  }

  /** A snapshot of the store is not used; once per reason. */
  emitRefusal(error: MetadataStoreError): void {
    this.#emitOnce(`refused ${error.fault} ${error.message}`, { type: 'snapshot-refused', error });
  }

  /** The members that a successful reading skipped or normalized, once for each, and the document it could not read. */
  emitFaults({ skipped, normalized, discoveryFailure }: Reading): void {
    this.emitSkipped(skipped);
    for (const { kid, members, fingerprint } of normalized.slice(0, MAX_SKIPPED_EMITTED)) {
      this.#emitOnce(`normalized ${fingerprint}`, { type: 'key-normalized', kid, members });
    }
    if (discoveryFailure) this.emit({ type: 'discovery-failed', error: discoveryFailure });
  }

  /** The members that are not used, of a key set that was read or refused; once for each. */
  emitSkipped(skipped: readonly KeyRefusal[]): void {
    for (const { kid, fault, fingerprint } of skipped.slice(0, MAX_SKIPPED_EMITTED))
      this.#emitOnce(`skipped ${fingerprint}`, { type: 'key-skipped', kid, fault });
  }

  close(): void {
    this.#events.complete();
  }

  #emitOnce(key: string, event: EventOfIssuer): void {
    if (this.#emitted?.has(key)) return;
    this.#emitted ??= new LRUCache({ max: MAX_REMEMBERED });
    this.#emitted.set(key, true);
    this.emit(event);
  }
}
