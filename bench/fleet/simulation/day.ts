const MINUTE = 60_000;

/** What happens to the fleet, in virtual milliseconds. */
export interface Day {
  readonly replicas: number;
  /** All replicas start within this. */
  readonly boot: number;
  readonly calm: { readonly from: number; readonly to: number };
  /** A new key is published and used at once, the one before the last withdrawn. */
  readonly rollovers: readonly number[];
  /** The issuer refuses connections. When it is back it signs with a new key. */
  readonly outage: { readonly from: number; readonly to: number };
  /** A rollover, and the replica that asks for all is killed before it has its answer. */
  readonly holderKilled: number;
  readonly end: number;
  /** Mean time from a rollover to the first new token at each replica. */
  readonly firstToken: number;
  /** How often every replica gets a token of the key in use. */
  readonly tokenInterval: number;
  readonly seed: number;
}

export function day(replicas: number): Day {
  const outage = { from: 130 * MINUTE, to: 160 * MINUTE };
  return {
    replicas,
    boot: 0.5 * MINUTE,
    calm: { from: 5 * MINUTE, to: 65 * MINUTE },
    rollovers: [70, 77, 84, 91, 98, 105, 112, 119, 126].map((at) => at * MINUTE).concat(outage.to),
    outage,
    holderKilled: 170 * MINUTE,
    end: 180 * MINUTE,
    firstToken: 2000,
    tokenInterval: 30_000,
    seed: 20_261_123,
  };
}
