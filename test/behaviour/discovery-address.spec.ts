import { describe, expect, it } from 'vitest';
import { status, type Reply } from '../support/issuers/scripted-issuer.js';
import { scene, type Scene } from '../support/apps/scene.js';

const OPENID = 'https://issuer.test/.well-known/openid-configuration';
const OAUTH = 'https://issuer.test/.well-known/oauth-authorization-server';

/** Which of the two addresses answer, by their end. */
function serve({ issuer }: Scene, ...addresses: readonly string[]): void {
  const reply: Reply = (request, honest) =>
    addresses.includes(request.url) ? honest() : new Response('', { status: 404 });
  issuer.always('discovery', reply);
}

async function loadedFrom(address: string): Promise<Scene> {
  const stage = await scene({ start: false });
  serve(stage, address);
  await stage.provider.start();
  return stage;
}

function addressesSince({ issuer }: Scene, count: number): readonly string[] {
  return issuer.requests.slice(count).flatMap(({ endpoint, url }) => (endpoint === 'discovery' ? [url] : []));
}

describe('the address of the discovery document', () => {
  it('[19] reads the other address when the one found at boot is gone', async () => {
    const stage = await loadedFrom(OAUTH);
    serve(stage, OPENID);
    stage.issuer.jwksUri = 'https://issuer.test/jwks-2';
    await stage.issuer.publish('a', 'b');
    expect(await stage.show('b')).toBe('accepted');
  });

  it('[19] reads the other address when the one found at boot fails in another way', async () => {
    const stage = await loadedFrom(OAUTH);
    stage.issuer.always('discovery', (request, honest) =>
      request.url === OPENID ? honest() : new Response('', { status: 500 }),
    );
    stage.issuer.jwksUri = 'https://issuer.test/jwks-2';
    await stage.issuer.publish('a', 'b');
    expect(await stage.show('b')).toBe('accepted');
  });

  it('[19] returns to the first address at the next automatic refresh when that names another key set', async () => {
    const stage = await loadedFrom(OAUTH);
    const { clock, issuer, provider } = stage;
    issuer.always('discovery', (request, honest) =>
      request.url === OPENID
        ? Response.json({ issuer: issuer.url, jwks_uri: 'https://issuer.test/jwks-new' })
        : honest(),
    );
    issuer.always('jwks', ({ url }, honest) =>
      url.endsWith('jwks-new') ? Response.json({ keys: issuer.published }) : honest(),
    );
    await clock.advance('10m');
    expect(provider.status()).toMatchObject({ state: 'fresh', lastFailure: undefined });
    expect(provider.snapshot()?.jwksUri).toBe('https://issuer.test/jwks-new');
  });

  it('[19] keeps the second address while the first is not there', async () => {
    const stage = await loadedFrom(OAUTH);
    const count = stage.issuer.requests.length;
    await stage.clock.advance('10m');
    expect(addressesSince(stage, count)).toEqual([OPENID, OAUTH]);
    expect(stage.provider.status().state).toBe('fresh');
  });

  it('names both addresses and the options that help when both answer 404', async () => {
    const stage = await scene({ start: false });
    stage.issuer.always('discovery', status(404));
    await stage.provider.start();
    const { message } = stage.provider.status().lastFailure ?? {};
    expect(message).toContain(OPENID);
    expect(message).toContain(OAUTH);
    expect(message).toContain('metadataAddress');
    expect(message).toContain('jwksUri');
  });
});
