import { metrics, trace, type MeterProvider, type TracerProvider } from '@opentelemetry/api';
import type { AuthExtension } from '../auth.options.js';
import { OpenTelemetryObserver } from './open-telemetry.observer.js';

/** Options of {@link openTelemetry}. */
export interface OpenTelemetryOptions {
  /** Where the instruments come from. Default: the global one, as it is when the application boots. */
  readonly meterProvider?: MeterProvider | undefined;
  /** Where the spans go. Default: the global one. */
  readonly tracerProvider?: TracerProvider | undefined;
}

/** The instrumentation scope of instruments and spans. */
const SCOPE = 'nestjs-resilient-auth';

/**
 * Reports metrics and traces to OpenTelemetry:
 *
 * ```ts
 * AuthModule.forRoot({ issuer, audience, extensions: [openTelemetry()] })
 * ```
 *
 * Start the SDK before the application boots. Attributes are few and from closed sets: never a key id, a subject or anything
 * else of a token. A known token costs the increment of one number; it has no span.
 */
export function openTelemetry({ meterProvider, tracerProvider }: OpenTelemetryOptions = {}): AuthExtension {
  const observer = new OpenTelemetryObserver(() => ({
    meter: (meterProvider ?? metrics.getMeterProvider()).getMeter(SCOPE),
    tracer: (tracerProvider ?? trace.getTracerProvider()).getTracer(SCOPE),
  }));
  return {
    name: 'opentelemetry',
    observer,
    answer: (answer, { error, context }) => {
      observer.refused(error, context.getType());
      return answer;
    },
    onApplicationShutdown: () => observer.stop(),
  };
}
