/** The kind of token a request carries, and the answer that is due. */
export type Probe =
  /** Its key is known or can be read: 200 is due. */
  | 'valid'
  /** Genuine, but its key is not available at the moment: 503 is due. */
  | 'uncheckable'
  /** Not genuine: any status of the 4xx range is right. */
  | 'forged'
  /** Genuine until the issuer withdrew the key; every cache accepts it for a while. */
  | 'withdrawn';

const NONE = { valid: 0, uncheckable: 0, forged: 0, withdrawn: 0 };

/** How one library fared in one row, as far as it shows in the answers. */
export class Tally {
  sent: Record<Probe, number> = { ...NONE };
  accepted: Record<Probe, number> = { ...NONE };
  readonly wrongStatus = new Map<string, number>();
  slowestValid = 0;
  slowestForged = 0;
  /** The time of the latest wrong answer, and of the first right one after it. */
  #badAt: number | undefined;
  #goodAt: number | undefined;
  #since = 0;

  /** Forgets what has been added. */
  reset(): void {
    this.sent = { ...NONE };
    this.accepted = { ...NONE };
    this.wrongStatus.clear();
    this.slowestValid = 0;
    this.slowestForged = 0;
    this.restored(0);
  }

  /** The provider is available from now on: earlier refusals do not count for the recovery. */
  restored(now: number): void {
    this.#since = now;
    this.#badAt = undefined;
    this.#goodAt = undefined;
  }

  /** @param now when the answer came; `took` since the request, in milliseconds of the shifted clock */
  add(probe: Probe, status: number | undefined, now: number, took: number): void {
    this.sent[probe] += 1;
    if (status === 200) this.accepted[probe] += 1;
    if (probe === 'valid' && status === 200) this.slowestValid = Math.max(this.slowestValid, took);
    if (probe === 'forged') this.slowestForged = Math.max(this.slowestForged, took);
    if (isWrong(probe, status)) {
      const name = String(status ?? 'no answer');
      this.wrongStatus.set(name, (this.wrongStatus.get(name) ?? 0) + 1);
    }
    if (probe === 'valid') this.#heal(status === 200, now);
    if (probe === 'withdrawn') this.#heal(status !== 200, now);
  }

  get refused(): number {
    return this.sent.valid - this.accepted.valid;
  }

  /** Milliseconds from {@link restored} to the first of the good answers that were not followed by a bad one. */
  get recovery(): number {
    if (this.#badAt === undefined) return 0;
    return this.#goodAt === undefined ? Number.POSITIVE_INFINITY : this.#goodAt - this.#since;
  }

  #heal(isGood: boolean, now: number): void {
    if (!isGood) {
      this.#badAt = now;
      this.#goodAt = undefined;
    } else if (this.#badAt !== undefined) this.#goodAt ??= now;
  }
}

/** A refusal with the wrong status: a good token called bad, or a server error. */
function isWrong(probe: Probe, status: number | undefined): boolean {
  if (status === 503) return false;
  if (probe === 'valid' || probe === 'uncheckable') return status !== 200;
  return status === undefined || status >= 500;
}
