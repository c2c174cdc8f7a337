import {
  SpanStatusCode,
  type Attributes,
  type Histogram,
  type Link,
  type Meter,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import type { Subscription } from 'rxjs';
import type { MetadataEvent, RefreshTrigger } from '../metadata/metadata-events.js';
import type { MetadataProviders } from '../metadata/metadata.providers.js';
import type { Clock } from '../time/clock.js';

/** In seconds: one to four exchanges, each bounded by the option `timeout`. */
const DURATIONS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What is known of the refreshes of one issuer. */
interface Refreshes {
  /** When they started, by the monotonic clock. */
  readonly started: Map<RefreshTrigger, number>;
  last: { readonly context: SpanContext; readonly endedAt: number } | undefined;
}

/** Reports each refresh: its duration, and a span of its own, since any number of requests may wait for it. */
export class RefreshTelemetry {
  readonly #durations: Histogram;
  readonly #refreshes = new Map<string, Refreshes>();
  readonly #subscriptions: readonly Subscription[];

  constructor(
    meter: Meter,
    private readonly tracer: Tracer,
    providers: MetadataProviders,
    private readonly clock: Clock,
  ) {
    this.#durations = meter.createHistogram('resilient_auth.metadata.refresh.duration', {
      description: 'Refreshes of the metadata of an issuer',
      unit: 's',
      advice: { explicitBucketBoundaries: DURATIONS },
    });
    this.#subscriptions = providers.names.map((name) => {
      const refreshes: Refreshes = { started: new Map(), last: undefined };
      this.#refreshes.set(name, refreshes);
      return providers.get(name).events$.subscribe((event) => this.#observe(event, name, refreshes));
    });
  }

  /** Links to the refresh of an issuer that ended last, if that was since a time. */
  linksSince(issuer: string | undefined, since: number): Link[] {
    const last = issuer === undefined ? undefined : this.#refreshes.get(issuer)?.last;
    return last && last.endedAt >= since ? [{ context: last.context }] : [];
  }

  stop(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #observe(event: MetadataEvent, issuer: string, refreshes: Refreshes): void {
    if (event.type === 'refresh-started') refreshes.started.set(event.trigger, this.clock.monotonic());
    if (event.type !== 'refresh-succeeded' && event.type !== 'refresh-failed') return;
    const { trigger } = event;
    const endedAt = this.clock.monotonic();
    const startedAt = refreshes.started.get(trigger);
    refreshes.started.delete(trigger);
    if (startedAt === undefined) return;
    const attributes: Attributes =
      event.type === 'refresh-failed'
        ? { trigger, outcome: 'failed', 'error.type': event.error.fault }
        : { trigger, outcome: 'succeeded' };
    this.#durations.record((endedAt - startedAt) / 1000, attributes);
    const end = this.clock.now();
    const span = this.tracer.startSpan('resilient_auth.metadata.refresh', {
      // Not a child of the request that happened to start it: others wait for it as well.
      root: true,
      startTime: end - (endedAt - startedAt),
      attributes: { ...attributes, issuer },
    });
    if (event.type === 'refresh-failed') span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(end);
    refreshes.last = { context: span.spanContext(), endedAt };
  }
}
