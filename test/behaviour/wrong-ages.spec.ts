import { describe, expect, it } from 'vitest';
import { scene } from '../support/apps/scene.js';

const DAY = 86_400_000;

describe('an Age that is always wrong', () => {
  it('[20a] keeps the current snapshot while it is valid, and reads new keys once it has expired', async () => {
    const stage = await scene({ metadata: { lastKnownGoodLifetime: '1h' } });
    const { clock, issuer, provider } = stage;
    await clock.advance('10m');
    issuer.headers = { age: '9999999' };
    await clock.advance('30m');
    expect(provider.status().lastFailure?.fault).toBe('outdated');
    await expect(provider.refreshNow()).rejects.toMatchObject({ code: 'AUTH_METADATA_UNAVAILABLE' });
    expect(await stage.show('a')).toBe('accepted');
    await clock.advance('2h');
    expect(await stage.show('a')).toBe('accepted');
    await issuer.publish('a', 'b');
    expect(await stage.show('b')).toBe('accepted');
  });

  it('[20a] resolves refreshNow when the snapshot has expired', async () => {
    const stage = await scene({ metadata: { lastKnownGoodLifetime: 0, automaticRefreshInterval: '24h' } });
    const { clock, issuer, provider } = stage;
    issuer.headers = { age: String((2 * DAY) / 1000) };
    issuer.always('all', () => new Response('', { status: 500 }));
    await clock.advance(1.2 * DAY);
    expect(provider.status().state).toBe('expired');
    issuer.recover();
    expect((await provider.refreshNow()).keysWithId('a')).toHaveLength(1);
    expect(provider.status().state).toBe('fresh');
  });
});
