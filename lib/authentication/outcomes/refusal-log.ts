import { Logger, type LoggerService, type OnModuleDestroy } from '@nestjs/common';
import { AuthError, type AuthErrorCode, fixedTextOf } from '../../errors/auth.error.js';
import { AuthConfigurationError } from '../../errors/configuration.error.js';
import { oneLine } from '../../errors/one-line.js';
import type { Clock, TimerHandle } from '../../time/clock.js';

/** At most one line in this time, in milliseconds. */
const PERIOD = 60_000;
/** Counted apart in one period; what comes after is counted by its code alone, and codes are few. */
const MAX_COUNTS = 64;
/** Counts in one line; the rest is added up. */
const MAX_SHOWN = 12;

interface Count {
  readonly code: AuthErrorCode;
  readonly reason: string | undefined;
  count: number;
}

/**
 * Logs how many operations were refused, by `errorCode` and reason: one line a minute at most, none while nothing is
 * refused. A reason is a fixed text of this library, so nothing of a token is counted or logged.
 */
export class RefusalLog implements OnModuleDestroy {
  #counts = new Map<string, Count>();
  #timer: TimerHandle | undefined;
  #isClosed = false;

  constructor(
    private readonly clock: Clock,
    private readonly logger: Pick<LoggerService, 'log'> = new Logger('Authenticator'),
  ) {}

  /** Counts a refusal. Faults of the set-up have log lines of their own. */
  add(error: unknown): void {
    if (this.#isClosed || !(error instanceof AuthError) || error instanceof AuthConfigurationError) return;
    this.#countFor(error).count++;
    this.#timer ??= this.clock.setTimeout(() => this.#write(), PERIOD);
  }

  onModuleDestroy(): void {
    this.#isClosed = true;
    if (this.#timer !== undefined) this.clock.clearTimeout(this.#timer);
  }

  #countFor(error: AuthError): Count {
    const { code } = error;
    const reason = fixedTextOf(error);
    const known = this.#counts.get(keyOf(code, reason));
    if (known) return known;
    if (this.#counts.size < MAX_COUNTS) return this.#begin(code, reason);
    return this.#counts.get(code) ?? this.#begin(code, undefined);
  }

  #begin(code: AuthErrorCode, reason: string | undefined): Count {
    const count = { code, reason, count: 0 };
    this.#counts.set(keyOf(code, reason), count);
    return count;
  }

  #write(): void {
    const counts = [...this.#counts.values()].toSorted((a, b) => b.count - a.count);
    this.#counts = new Map();
    this.#timer = undefined;
    this.logger.log(lineOf(counts));
  }
}

function keyOf(code: AuthErrorCode, reason: string | undefined): string {
  return reason === undefined ? code : `${code} ${reason}`;
}

/** `refused in the last minute: 12 (AUTH_TOKEN_EXPIRED 9: The token has expired; AUTH_TOKEN_MISSING 3)` */
function lineOf(counts: readonly Count[]): string {
  const shown = counts
    .slice(0, MAX_SHOWN)
    .map(({ code, reason, count }) =>
      reason === undefined ? `${code} ${count}` : `${code} ${count}: ${oneLine(reason, 120)}`,
    );
  const rest = sum(counts.slice(MAX_SHOWN));
  if (rest > 0) shown.push(`others ${rest}`);
  return `refused in the last minute: ${sum(counts)} (${shown.join('; ')})`;
}

function sum(counts: readonly Count[]): number {
  return counts.reduce((total, { count }) => total + count, 0);
}
