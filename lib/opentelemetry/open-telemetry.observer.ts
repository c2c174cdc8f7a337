import { SpanStatusCode, type Histogram, type Meter, type Tracer } from '@opentelemetry/api';
import type { Authentication, AuthObserver, ObserverHost } from '../authentication/outcomes/auth-observer.js';
import { AuthError } from '../errors/auth.error.js';
import type { Clock } from '../time/clock.js';
import { OperationCounts } from './operation-counts.js';
import { describeOutcome } from './outcome.js';
import { MetadataGauges } from './metadata-gauges.js';
import { RefreshTelemetry } from './refresh-telemetry.js';

/** What the API gives out for this library. */
export interface Instruments {
  readonly meter: Meter;
  readonly tracer: Tracer;
}

/** In seconds. A signature takes some ten microseconds, a request waits for a refresh for 60 seconds at most. */
const DURATIONS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** Everything that lasts from the boot of an application to its end. */
interface Running {
  readonly clock: Clock;
  readonly counts: OperationCounts;
  readonly gauges: MetadataGauges;
  readonly refreshes: RefreshTelemetry;
  readonly durations: Histogram;
  readonly tracer: Tracer;
}

/** Turns outcomes and events into metrics and spans. */
export class OpenTelemetryObserver implements AuthObserver {
  #running: Running | undefined;

  /** @param instruments called at boot, once an SDK may have been registered */
  constructor(private readonly instruments: () => Instruments) {}

  start({ metadata, clock }: ObserverHost): void {
    this.stop();
    const { meter, tracer } = this.instruments();
    this.#running = {
      clock,
      tracer,
      counts: new OperationCounts(meter),
      gauges: new MetadataGauges(meter, metadata, clock),
      refreshes: new RefreshTelemetry(meter, tracer, metadata, clock),
      durations: meter.createHistogram('resilient_auth.authentication.duration', {
        description: 'Authentications that had to verify a signature or to wait; none for known tokens',
        unit: 's',
        advice: { explicitBucketBoundaries: DURATIONS },
      }),
    };
  }

  ended(authentication: Authentication): void {
    const running = this.#running;
    if (!running) return;
    if (authentication.isKnown && authentication.error === undefined)
      running.counts.hit(authentication.issuer);
    else this.#report(authentication, running);
  }

  /** A guard has answered a call with an error. @param context the type of its transport */
  refused(error: AuthError, context: string): void {
    this.#running?.counts.refused(error.code, context);
  }

  stop(): void {
    this.#running?.counts.stop();
    this.#running?.gauges.stop();
    this.#running?.refreshes.stop();
    this.#running = undefined;
  }

  #report(authentication: Authentication, running: Running): void {
    const { counts, durations, clock } = running;
    const { issuer, isKnown, startedAt, hasWaited, error } = authentication;
    const outcome = describeOutcome(error);
    counts.add(outcome, issuer, isKnown);
    if (startedAt === undefined) return;
    const milliseconds = clock.monotonic() - startedAt;
    const attributes = { outcome: outcome.outcome, ...(issuer !== undefined && { issuer }) };
    durations.record(milliseconds / 1000, attributes);
    if (!hasWaited) return;
    const end = clock.now();
    const span = running.tracer.startSpan('resilient_auth.authenticate', {
      startTime: end - milliseconds,
      attributes: { ...attributes, ...(outcome.type !== undefined && { 'error.type': outcome.type }) },
      links: running.refreshes.linksSince(issuer, startedAt),
    });
    // A refusal is an answer; what could not be decided is an error.
    if (outcome.outcome === 'unavailable') span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(end);
  }
}
