import { LRUCache } from 'lru-cache';
import type { MetadataStoreError } from '../errors/store.error.js';
import { Subject, type Observable } from 'rxjs';
import type { MetadataEvent } from './metadata-events.js';
import type { Reading } from './fetch/metadata-reader.js';

const REMARKS_REMEMBERED = 1000;
/** Of one reading: a set full of rubbish is told by its first members. */
const MAX_SKIPPED_TOLD = 20;

/** An event without the issuer, which is the same for all that a provider tells. */
type News = MetadataEvent extends infer Event
  ? Event extends unknown
    ? Omit<Event, 'issuer'>
    : never
  : never;

/** Tells what happens to the metadata of one issuer; what does not change, once. */
export class MetadataNews {
  readonly #events = new Subject<MetadataEvent>();
  #told: LRUCache<string, true> | undefined;

  constructor(private readonly issuer: string) {}

  get events$(): Observable<MetadataEvent> {
    return this.#events;
  }

  tell(news: News): void {
    this.#events.next({ issuer: this.issuer, ...news });
  }

  tellOnce(remark: string, news: News): void {
    if (this.#told?.has(remark)) return;
    this.#told ??= new LRUCache({ max: REMARKS_REMEMBERED });
    this.#told.set(remark, true);
    this.tell(news);
  }

  /** That a snapshot out of the store is not going to be used. */
  tellRefusal(error: MetadataStoreError): void {
    this.tellOnce(`refused ${error.fault} ${error.message}`, { type: 'snapshot-refused', error });
  }

  /** What a successful reading passed over. */
  tellOf({ skipped, discoveryFailure }: Reading): void {
    for (const { kid, fault, fingerprint } of skipped.slice(0, MAX_SKIPPED_TOLD)) {
      this.tellOnce(`skipped ${fingerprint}`, { type: 'key-skipped', kid, fault });
    }
    if (discoveryFailure) this.tell({ type: 'discovery-failed', error: discoveryFailure });
  }

  close(): void {
    this.#events.complete();
  }
}
