import type { MetadataOptions, ResolvedMetadataOptions } from '../../lib/metadata/metadata-options.js';
import type { MetadataEvent } from '../../lib/metadata/metadata-events.js';
import { ThreadPoolShare } from '../../lib/token/thread-pool-share.js';
import { Scene } from '../support/apps/scene.js';
import { after, hang, status, text, unreachable, type Reply } from '../support/issuers/scripted-issuer.js';

/** What may be wrong with an issuer, and `none`. */
export const FAULTS = [
  'none',
  'unreachable',
  'hang',
  'error',
  'retry-after',
  'junk',
  'empty',
  'slow',
] as const;
export type Fault = (typeof FAULTS)[number];

/** What `retry-after` asks for, in seconds. */
export const RETRY_AFTER = 7;

/** An event, and when. */
export interface Observed {
  readonly at: number;
  readonly event: MetadataEvent;
}

/** Has each signature checked at once, so that no answer waits for anything but the clock. */
class EventLoopOnly extends ThreadPoolShare {
  override get isBusy(): boolean {
    return false;
  }
}

/** A scene whose issuer misbehaves to order, and what its provider reports with the time of each event. */
export class Fixture extends Scene {
  readonly observed: Observed[] = [];

  /** @param random for the jitter */
  constructor(metadata: MetadataOptions, random: number) {
    super({ metadata, random: () => random, pool: new EventLoopOnly() });
    this.provider.events$.subscribe((event) => this.observed.push({ at: this.clock.monotonic(), event }));
  }

  get metadata(): ResolvedMetadataOptions {
    const [issuer] = this.options.issuers;
    if (!issuer) throw new Error('There is no issuer');
    return issuer.metadata;
  }

  /** @param latency of the answers, in milliseconds */
  behave(fault: Fault, latency = 0): void {
    this.issuer.recover();
    const reply = this.#reply(fault, latency);
    if (reply) this.issuer.always('all', reply);
  }

  /** Lets everything run that waits for no time. */
  settle(): Promise<void> {
    return this.clock.advance(0);
  }

  #reply(fault: Fault, latency: number): Reply | undefined {
    switch (fault) {
      case 'unreachable':
        return after(this.clock, latency, unreachable());
      case 'hang':
        return hang();
      case 'error':
        return after(this.clock, latency, status(500));
      case 'retry-after':
        return after(this.clock, latency, status(503, { 'retry-after': String(RETRY_AFTER) }));
      case 'junk':
        return after(this.clock, latency, text('<!doctype html>'));
      case 'empty':
        return after(this.clock, latency, text('{"keys":[]}'));
      case 'slow':
        return after(this.clock, 4000);
      default:
        return latency > 0 ? after(this.clock, latency) : undefined;
    }
  }
}
