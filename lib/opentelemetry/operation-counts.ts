import type { Attributes, Meter, Observable, ObservableResult } from '@opentelemetry/api';
import type { Outcome } from './outcome.js';

interface Count {
  readonly attributes: Attributes;
  value: number;
}

/** The codes of refused proofs of possession. */
const PROOF = /^AUTH_(?:PROOF_|CERTIFICATE_|TOKEN_SENDER_CONSTRAINED$)/;
const REPLAYED = 'AUTH_PROOF_REPLAYED';

/**
 * Counts as plain numbers that a reader collects, so that a known token pays an increment and not the look-up of a set of
 * attributes. Every attribute is of a closed set: names of the options, error codes, types of contexts.
 */
export class OperationCounts {
  readonly #hits = new Map<string, Count>();
  #lastIssuer: string | undefined;
  #lastHit: Count = { attributes: {}, value: 0 };
  readonly #authentications = new Map<string, Count>();
  readonly #proofs = new Map<string, Count>();
  readonly #replays = new Map<string, Count>();
  readonly #contexts = new Map<string, Count>();
  readonly #stops: readonly (() => void)[];

  constructor(meter: Meter) {
    const counter = (name: string, unit: string, description: string, ...counts: Map<string, Count>[]) => {
      const instrument = meter.createObservableCounter(name, { unit, description });
      return collect(instrument, counts);
    };
    this.#stops = [
      counter(
        'resilient_auth.authentications',
        '{request}',
        'Authentications by how they ended',
        this.#hits,
        this.#authentications,
      ),
      counter(
        'resilient_auth.proofs.refused',
        '{proof}',
        'Proofs of possession that were refused, or missing beside a bound token; replays left out',
        this.#proofs,
      ),
      counter('resilient_auth.proofs.replayed', '{proof}', 'Proofs of possession seen before', this.#replays),
      counter(
        'resilient_auth.contexts.refused',
        '{operation}',
        'Operations that a guard has answered with an error',
        this.#contexts,
      ),
    ];
  }

  /** A known token was accepted. Most often it is of the same issuer as the one before. */
  hit(issuer = ''): void {
    if (issuer !== this.#lastIssuer) {
      this.#lastIssuer = issuer;
      this.#lastHit = this.#hitsOf(issuer);
    }
    this.#lastHit.value++;
  }

  add({ outcome, type }: Outcome, issuer: string | undefined, isKnown: boolean): void {
    const cache = isKnown ? 'hit' : 'miss';
    increment(this.#authentications, `${outcome} ${type} ${cache} ${issuer}`, () => ({
      outcome,
      ...(type !== undefined && { 'error.type': type }),
      ...(issuer !== undefined && { issuer }),
      cache,
    }));
    if (type === undefined || !PROOF.test(type)) return;
    increment(type === REPLAYED ? this.#replays : this.#proofs, type, () => ({ reason: type }));
  }

  /** A guard has answered with an error. */
  refused(code: string, context: string): void {
    increment(this.#contexts, `${context} ${code}`, () => ({ context, reason: code }));
  }

  #hitsOf(issuer: string): Count {
    const known = this.#hits.get(issuer);
    if (known) return known;
    const count = { attributes: { outcome: 'accepted', issuer, cache: 'hit' }, value: 0 };
    this.#hits.set(issuer, count);
    return count;
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }
}

function increment(counts: Map<string, Count>, key: string, attributes: () => Attributes): void {
  const count = counts.get(key);
  if (count) count.value++;
  else counts.set(key, { attributes: attributes(), value: 1 });
}

function collect(instrument: Observable, counts: readonly ReadonlyMap<string, Count>[]): () => void {
  const observe = (result: ObservableResult): void => {
    for (const { value, attributes } of counts.flatMap((map) => [...map.values()]))
      result.observe(value, attributes);
  };
  instrument.addCallback(observe);
  return () => instrument.removeCallback(observe);
}
