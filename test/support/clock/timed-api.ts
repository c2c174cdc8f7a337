import { MetadataProvider } from 'nestjs-resilient-auth';
import { ManualClock, type TestIssuerModuleOptions } from 'nestjs-resilient-auth/testing';
import { filter, firstValueFrom } from 'rxjs';
import { startApi, startIssuer } from '../apps/start-api.js';
import { platforms } from '../apps/platforms.js';

export const MINUTE = 60_000;

/** An API and its issuer on one clock that moves only when told to. */
export async function startTimed(options: Partial<TestIssuerModuleOptions> = {}) {
  const clock = new ManualClock();
  const issuer = await startIssuer({ clock });
  const api = await startApi(platforms[0].create, issuer.options(options), { clock });
  const provider = api.app.get(MetadataProvider);
  const statusOf = async (token: string) => (await api.get('/orders', token)).status;
  const keySetReads = () => issuer.requests.filter(({ endpoint }) => endpoint === 'jwks').length;
  return { clock, issuer, api, provider, statusOf, keySetReads };
}

/** To the very moment of the next automatic refresh, and until it is over: any later, its deadline would have passed. */
export async function untilRefreshed(clock: ManualClock, provider: MetadataProvider): Promise<void> {
  const due = (provider.status().nextRefreshAt?.getTime() ?? 0) - clock.now();
  const over = firstValueFrom(provider.events$.pipe(filter(({ type }) => type === 'refresh-succeeded')));
  await clock.advance(due + 1);
  await over;
}
