import { Observable, switchMap } from 'rxjs';
import type { Clock } from '../../time/clock.js';

/** Emits when the latest of the given monotonic times has come; a newer time replaces the one before it. */
export function schedule(dueAt$: Observable<number>, clock: Clock): Observable<void> {
  return dueAt$.pipe(switchMap((dueAt) => at(dueAt, clock)));
}

function at(time: number, clock: Clock): Observable<void> {
  return new Observable((subscriber) => {
    const timer = clock.setTimeout(
      () => {
        subscriber.next();
        subscriber.complete();
      },
      Math.max(0, Math.ceil(time - clock.monotonic())),
    );
    return () => clock.clearTimeout(timer);
  });
}
