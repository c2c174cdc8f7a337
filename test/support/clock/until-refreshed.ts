import type { MetadataProvider } from 'nestjs-resilient-auth';
import type { ManualClock } from 'nestjs-resilient-auth/testing';
import { filter, firstValueFrom } from 'rxjs';

export const MINUTE = 60_000;

/** Moves the clock to the very moment of the next automatic refresh, then waits: any later, its deadline would have passed. */
export async function untilRefreshed(clock: ManualClock, provider: MetadataProvider): Promise<void> {
  const due = (provider.status().nextRefreshAt?.getTime() ?? 0) - clock.now();
  const over = firstValueFrom(provider.events$.pipe(filter(({ type }) => type === 'refresh-succeeded')));
  await clock.advance(due + 1);
  await over;
}
