import { Controller, Get, type INestApplication } from '@nestjs/common';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { CurrentToken, type AuthenticatedToken } from 'nestjs-resilient-auth';
import { overrideIssuer, TestIssuer } from 'nestjs-resilient-auth/testing';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ISSUER_OVERRIDE } from '../../lib/options/module/test-seams.js';
import { platforms } from '../support/apps/platforms.js';
import { appModulesIn, importAppModule } from '../support/documents/app-modules.js';
import { dialects, siteOf, type Claims, type Dialect } from '../support/issuers/dialects.js';
import { makeSigner, republished } from '../support/issuers/signer.js';
import { tokenOf } from '../support/issuers/site.js';

/** A route of the reader's own: `secureByDefault` of the page protects it. */
@Controller()
class ReaderController {
  @Get()
  token(@CurrentToken() { scopes, roles }: AuthenticatedToken): object {
    return { scopes, roles };
  }
}

const appModules = appModulesIn('docs/guides/providers');
// An RSA key takes its time to make, and whose it is does not matter here.
const signers = { RS256: makeSigner('RS256'), ES256: makeSigner('ES256') };

async function builderOf(page: string): Promise<TestingModuleBuilder> {
  const module = await importAppModule(page, appModules.get(page) ?? 'export class AppModule {}');
  return Test.createTestingModule({ imports: [module], controllers: [ReaderController] });
}

async function start(builder: TestingModuleBuilder) {
  const app: INestApplication = await platforms[0].create(builder);
  onTestFinished(() => app.close());
  return async (token: string): Promise<unknown> => {
    const { status, body } = await request(app.getHttpServer())
      .get('/')
      .set('Authorization', `Bearer ${token}`);
    return status === 200 ? body : body.errorCode;
  };
}

/** The page as it stands, with its provider in this process; and tokens of that provider. */
async function startPage(dialect: Dialect) {
  const signer = republished(
    signers[dialect.alg === 'ES256' ? 'ES256' : 'RS256'],
    dialect.key?.members ?? {},
  );
  const site = siteOf(dialect, signer);
  const builder = await builderOf(dialect.page);
  builder.overrideProvider(ISSUER_OVERRIDE).useValue((options: object) => site.serving(options));
  const answer = await start(builder);
  const token = (claims: Claims = {}) =>
    tokenOf(signer, { sub: 'alice', ...dialect.claims, ...claims }, dialect.header);
  return { site, answer, token };
}

describe('pages of the providers', () => {
  it('[E6] runs every AppModule of the pages', () => {
    expect(new Set(dialects.map(({ page }) => page))).toEqual(new Set(appModules.keys()));
  });

  describe.each(dialects)('$name', (dialect) => {
    const expected = { scopes: dialect.scopes ?? [], roles: dialect.roles ?? [] };

    it('[E6] accepts a token in the shape of the provider, with its scopes and roles', async () => {
      const { site, answer, token } = await startPage(dialect);
      expect(await answer(token())).toEqual(expected);
      expect(site.asked).toEqual(expect.arrayContaining([...dialect.addresses]));
    });

    it('[E6] rejects tokens that are for others, and those of another kind', async () => {
      const { answer, token } = await startPage(dialect);
      for (const [reason, claims] of Object.entries(dialect.refused)) {
        expect({ reason, answer: await answer(token(claims)) }).toEqual({
          reason,
          answer: expect.stringMatching(/^AUTH_TOKEN_/),
        });
      }
      // Google and Firebase have no other JWT than ID tokens.
      const otherKind = dialect.options.acceptIdTokens
        ? { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }
        : { at_hash: 'HK6E_P6Dh8Y93mRNtsDB1Q' };
      expect(await answer(token(otherKind))).toBe('AUTH_TOKEN_TYPE_REFUSED');
    });

    it('[E6] accepts the tokens of a TestIssuer, with scopes and roles as the provider writes them, when overrideIssuer names it', async () => {
      await using issuer = await TestIssuer.start({ audience: 'test', alg: dialect.alg });
      const answer = await start(overrideIssuer(await builderOf(dialect.page), issuer));
      const { iss: _, aud, azp, ...claims } = dialect.claims;
      // The client of an ID token is its audience.
      const party = azp === undefined ? {} : { azp: azp === aud ? issuer.audience : azp };
      const token = await issuer.sign(
        { ...claims, ...party },
        { typ: dialect.page === 'other#1' ? 'at+jwt' : 'JWT' },
      );
      expect(await answer(token)).toEqual(expected);
    });
  });
});
