/** What {@link Clock.setTimeout} returns, for {@link Clock.clearTimeout}. */
export type TimerHandle = number;

/**
 * The only source of time. Token times (`exp`, `nbf`, `iat`) are read off the wall clock; intervals, deadlines and
 * the refresh budget run on the monotonic clock, which neither an operator nor an NTP daemon sets back.
 *
 * Replace it in tests: `builder.overrideProvider(Clock).useValue(new ManualClock())`.
 */
export abstract class Clock {
  /** Wall-clock time, in milliseconds since the epoch. */
  abstract now(): number;
  /** Milliseconds since an arbitrary start; never goes back. */
  abstract monotonic(): number;
  /** Calls back once, no sooner than `milliseconds` from now. Must not keep the process alive. */
  abstract setTimeout(callback: () => void, milliseconds: number): TimerHandle;
  /** Cancels a timer; one that has fired is ignored. */
  abstract clearTimeout(handle: TimerHandle): void;
}

/** The machine's clocks; timers never keep the process alive. */
export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  setTimeout(callback: () => void, milliseconds: number): TimerHandle {
    const timer: unknown = setTimeout(callback, milliseconds);
    // Of jsdom and of fake timers it is a number.
    if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function')
      timer.unref();
    return Number(timer);
  }

  clearTimeout(handle: TimerHandle): void {
    clearTimeout(handle);
  }
}
