import type { BatchObservableCallback, Meter, ObservableGauge } from '@opentelemetry/api';
import type { Subscription } from 'rxjs';
import type { MetadataState } from '../metadata/metadata-status.js';
import type { MetadataProviders } from '../metadata/metadata.providers.js';
import type { Clock } from '../time/clock.js';

/** From good to bad; from 2 on requests are answered 503. */
const STATES: Readonly<Record<MetadataState, number>> = { fresh: 0, stale: 1, expired: 2, empty: 3 };

/** Reports the state of each issuer's metadata whenever a reader collects. */
export class MetadataGauges {
  readonly #keys = new Map<string, number>();
  readonly #subscriptions: readonly Subscription[];
  readonly #stop: () => void;

  constructor(meter: Meter, providers: MetadataProviders, clock: Clock) {
    const gauge = (name: string, description: string, unit?: string): ObservableGauge =>
      meter.createObservableGauge(`resilient_auth.metadata.${name}`, { description, ...(unit && { unit }) });
    const age = gauge('age', 'Time since the last successful check of the metadata was started', 's');
    const keys = gauge('keys', 'Keys that are used for signatures', '{key}');
    const state = gauge('state', '0 fresh, 1 stale, 2 expired, 3 empty');
    const waiting = gauge('waiting', 'Requests that wait for a refresh', '{request}');
    const budget = gauge('budget.available', 'On-demand refreshes that are available', '{refresh}');
    this.#subscriptions = providers.names.map((name) =>
      providers.get(name).metadata$.subscribe((metadata) => this.#keys.set(name, metadata.keys.length)),
    );
    const observe: BatchObservableCallback = (result) => {
      for (const issuer of providers.names) {
        const status = providers.get(issuer).status();
        const attributes = { issuer };
        if (status.checkedAt)
          result.observe(age, Math.max(0, clock.now() - status.checkedAt.getTime()) / 1000, attributes);
        result.observe(keys, this.#keys.get(issuer) ?? 0, attributes);
        result.observe(state, STATES[status.state], attributes);
        result.observe(waiting, status.waiting, attributes);
        result.observe(budget, status.budget.available, attributes);
      }
    };
    const gauges = [age, keys, state, waiting, budget];
    meter.addBatchObservableCallback(observe, gauges);
    this.#stop = () => meter.removeBatchObservableCallback(observe, gauges);
  }

  stop(): void {
    this.#stop();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }
}
