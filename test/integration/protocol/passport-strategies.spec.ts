import { TokenRejectedError, type AuthExtension } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { KeptController, KeptStrategy } from '../../support/apps/kept-strategy.js';
import { platforms } from '../../support/apps/platforms.js';
import { startApi, startIssuer } from '../../support/apps/start-api.js';

const dpop = { dpop: {}, publicUrl: 'https://api.example.com' };
const mtls = { mtls: { from: 'socket' } } as const;
const refusing: AuthExtension = {
  name: 'revocation',
  tokenCheck: {
    check() {
      throw new TokenRejectedError('revoked');
    },
  },
};

describe('a passport-jwt strategy of the application', () => {
  async function statusOf(options: object, claims: object): Promise<number> {
    const issuer = await startIssuer();
    const own = { controllers: [KeptController], providers: [KeptStrategy] };
    const api = await startApi(platforms[0].create, issuer.options({ ...options }), own);
    const token = await issuer.sign({ sub: 'alice', ...claims });
    const first = (await api.get('/kept', token)).status;
    // The second time the token is known.
    expect((await api.get('/kept', token)).status).toBe(first);
    return first;
  }

  it.each([
    ['a key, without dpop', {}, { jkt: 'a' }],
    ['a key', dpop, { jkt: 'a' }],
    ['a certificate', mtls, { 'x5t#S256': 'a' }],
    ['both', { ...dpop, ...mtls }, { jkt: 'a', 'x5t#S256': 'a' }],
  ])('[P3-7] [P4-1] rejects a token that is bound to %s', async (_, options, cnf) => {
    expect(await statusOf(options, { cnf })).toBe(401);
  });

  it('[P3-7] rejects a token that is not bound, of an issuer that requires it', async () => {
    expect(await statusOf({ ...dpop, senderConstraint: 'require' }, {})).toBe(401);
  });

  it('rejects a token that a check of an extension rejects', async () => {
    expect(await statusOf({ extensions: [refusing] }, {})).toBe(401);
  });

  it('accepts other tokens with dpop and mtls switched on', async () => {
    expect(await statusOf({ ...dpop, ...mtls }, {})).toBe(200);
  });
});
