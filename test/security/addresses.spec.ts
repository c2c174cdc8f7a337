import type { IssuerOptions, MetadataEvent } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { startApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import {
  DISCOVERY,
  EXAMPLE,
  exampleKey,
  exampleKeySet,
  exampleOptions,
  exampleToken,
} from '../support/issuers/example.js';
import { makeSigner } from '../support/issuers/signer.js';
import { Site, tokenOf } from '../support/issuers/site.js';

const [{ create }] = platforms;
const trusting = (site: Site, options: Partial<IssuerOptions> = {}) =>
  startApi(create, exampleOptions(site, options));

/** docs/security-checklist.md J, J1 to J5 and J11: which addresses are ever called. */
describe('the address of a key set', () => {
  const published = (jwks_uri: unknown, issuer = EXAMPLE) =>
    new Site({
      [`${EXAMPLE}${DISCOVERY}`]: { issuer, jwks_uri },
      [`${EXAMPLE}/keys`]: exampleKeySet,
      'https://other.example/keys': exampleKeySet,
    });

  it('[J1] accepts the key set at the address that discovery names, on another host too', async () => {
    expect(await (await trusting(published(`${EXAMPLE}/keys`))).statusOf(exampleToken())).toBe(200);
    expect(await (await trusting(published('https://other.example/keys'))).statusOf(exampleToken())).toBe(
      200,
    );
  });

  it.each([
    'http://issuer.example/keys',
    'file:///etc/passwd',
    'data:application/json,{"keys":[]}',
    'ftp://issuer.example/keys',
    'javascript:1',
    'blob:https://issuer.example/x',
    '//issuer.example/keys',
    '/keys',
    'keys',
    '',
    'https://user:password@issuer.example/keys',
    'https://issuer.example/ke\r\nys',
    'https://issuer.example/keys ',
    ['https://issuer.example/keys'],
    null,
    7,
    undefined,
  ])(
    '[J1] answers 503 and makes no call when discovery names an address that is not absolute https without credentials: %j',
    async (address) => {
      const site = published(address);
      const api = await trusting(site);
      expect(await api.statusOf(exampleToken())).toBe(503);
      expect(new Set(site.asked)).toEqual(new Set([`${EXAMPLE}${DISCOVERY}`]));
    },
  );

  it('[J2] answers 503 and does not read the key set when discovery names another issuer', async () => {
    for (const issuer of [
      `${EXAMPLE}/`,
      EXAMPLE.toUpperCase(),
      'https://issuer.example:443',
      'https://evil.example',
      `${EXAMPLE}/{tenantid}`,
      '',
    ]) {
      const site = published(`${EXAMPLE}/keys`, issuer);
      const api = await trusting(site);
      expect(await api.statusOf(exampleToken())).toBe(503);
      expect(site.asked).not.toContain(`${EXAMPLE}/keys`);
      expect(api.provider.status().lastFailure?.fault).toBe('wrong-issuer');
    }
  });

  it('[J2] keeps the known address and keys when discovery names another issuer later', async () => {
    const site = published(`${EXAMPLE}/keys`);
    const api = await trusting(site);
    const events: MetadataEvent[] = [];
    api.provider.events$.subscribe((event) => events.push(event));
    expect(await api.statusOf(exampleToken())).toBe(200);
    site.publish({
      [`${EXAMPLE}${DISCOVERY}`]: { issuer: 'https://evil.example', jwks_uri: 'https://other.example/keys' },
    });
    await expect(api.provider.refreshNow()).rejects.toThrow('The refresh failed');
    expect(await api.statusOf(exampleToken())).toBe(200);
    expect(site.asked).not.toContain('https://other.example/keys');
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'refresh-failed',
        error: expect.objectContaining({ fault: 'wrong-issuer' }),
      }),
    );
  });

  it('[J11] reads no address from a token or a request', async () => {
    const site = published(`${EXAMPLE}/keys`);
    const api = await trusting(site);
    const lure = 'https://evil.example/keys';
    const token = tokenOf(
      makeSigner('ES256'),
      { iss: EXAMPLE, aud: 'api', jwks_uri: lure },
      { jku: lure, x5u: lure, iss: lure },
    );
    await api
      .get(`/orders?jwks_uri=${lure}`, token)
      .set({ Host: 'evil.example', 'X-Forwarded-Host': 'evil.example' })
      .expect(401);
    for (const iss of [lure, 'https://evil.example', `${EXAMPLE}@evil.example`])
      await api.get('/orders', tokenOf(exampleKey, { iss, aud: 'api' })).expect(401);
    expect(new Set(site.asked)).toEqual(new Set([`${EXAMPLE}${DISCOVERY}`, `${EXAMPLE}/keys`]));
  });
});
