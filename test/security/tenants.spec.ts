import { randomUUID } from 'node:crypto';
import { AuthConfigurationError, Authenticator, type IssuerOptions } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { startApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import {
  APP,
  COMMON_METADATA,
  commonSite,
  CONTOSO,
  entraKey,
  FABRIKAM,
  MSA,
  V1_TEMPLATE,
  V2_TEMPLATE,
  v1Token,
  v2Token,
} from '../support/issuers/entra-id.js';
import { makeSigner } from '../support/issuers/signer.js';
import type { Site } from '../support/issuers/site.js';

const [{ create }] = platforms;
const ISSUER = 'AUTH_TOKEN_ISSUER_UNKNOWN';
const SIGNATURE = 'AUTH_TOKEN_SIGNATURE_INVALID';
const key = entraKey(V2_TEMPLATE);
const msaKey = entraKey(V2_TEMPLATE.replace('{tenantid}', MSA));
const contosoKey = entraKey(V2_TEMPLATE.replace('{tenantid}', CONTOSO));
const v1Key = entraKey();

const multiTenant: IssuerOptions = {
  issuer: V2_TEMPLATE,
  metadataAddress: COMMON_METADATA,
  audience: [APP, `api://${APP}`],
  tokenIssuers: [V2_TEMPLATE, V1_TEMPLATE],
  tenants: [CONTOSO, MSA],
};

async function start(
  overrides: Partial<IssuerOptions> = {},
  site: Site = commonSite(key, msaKey, contosoKey, v1Key),
) {
  const api = await startApi(create, site.serving({ ...multiTenant, ...overrides }));
  const answer = async (token: string) => {
    const { status, body } = await api.get('/orders', token);
    return status === 200 ? 'ok' : body.errorCode;
  };
  return { site, api, answer };
}

/** docs/security-checklist.md G: every token here is signed by a key the issuer publishes. */
describe('a tenant', () => {
  it('[G1] [G4] [G6] accepts the tenant that iss and tid both name, in v2 and v1', async () => {
    const { answer } = await start();
    expect(await answer(v2Token(key, CONTOSO))).toBe('ok');
    expect(await answer(v1Token(key, CONTOSO))).toBe('ok');
    expect(await answer(v1Token(v1Key, CONTOSO))).toBe('ok');
    for (const tid of [
      FABRIKAM,
      MSA,
      CONTOSO.slice(1),
      undefined,
      null,
      '',
      '{tenantid}',
      [CONTOSO],
      'contoso.com',
      `${CONTOSO}\n`,
      `${CONTOSO}/v2.0`,
    ]) {
      expect(await answer(v2Token(key, CONTOSO, { tid }))).toBe(ISSUER);
      expect(await answer(v1Token(key, CONTOSO, { tid }))).toBe(ISSUER);
    }
  });

  it.each([
    'x/../evil',
    '..',
    'common',
    '{tenantid}',
    '{TenantId}',
    '',
    `${CONTOSO}/x`,
    `x/${CONTOSO}`,
    '%7Btenantid%7D',
    `${CONTOSO}${CONTOSO}`,
    '$&',
    '$1',
  ])('[G1] [G5] rejects a tenant that is no GUID: %j', async (tid) => {
    const { answer, site } = await start({ tenants: null });
    const asked = [...site.asked];
    expect(await answer(v2Token(key, tid))).toBe(ISSUER);
    expect(await answer(v1Token(key, tid))).toBe(ISSUER);
    expect(site.asked).toEqual(asked);
  });

  it('[G1] compares tid with the option tenants without regard to case, and with iss exactly', async () => {
    const { answer } = await start({ tenants: [FABRIKAM] });
    const upper = FABRIKAM.toUpperCase();
    expect(await answer(v2Token(key, FABRIKAM))).toBe('ok');
    expect(await answer(v2Token(key, upper))).toBe('ok');
    expect(await answer(v2Token(key, FABRIKAM, { tid: upper }))).toBe(ISSUER);
    const { answer: answerUpper } = await start({ tenants: [upper] });
    expect(await answerUpper(v2Token(key, FABRIKAM))).toBe('ok');
  });

  it('[G1] accepts a placeholder in any case, and iss only when it is filled in exactly', async () => {
    const { answer } = await start({ tokenIssuers: ['https://login.microsoftonline.com/{tenantId}/v2.0'] });
    expect(await answer(v2Token(key, CONTOSO))).toBe('ok');
    for (const iss of [
      'https://login.microsoftonline.com/{tenantId}/v2.0',
      `https://login.microsoftonline.com/${CONTOSO}/v2.0/`,
      `https://login.microsoftonline.us/${CONTOSO}/v2.0`,
      `https://evil.example/${CONTOSO}/v2.0`,
    ])
      expect(await answer(v2Token(key, CONTOSO, { iss }))).toBe(ISSUER);
  });

  it('[G2] rejects a key of another tenant', async () => {
    const { answer } = await start();
    expect(await answer(v2Token(msaKey, MSA))).toBe('ok');
    expect(await answer(v2Token(msaKey, CONTOSO))).toBe(SIGNATURE);
    expect(await answer(v1Token(msaKey, CONTOSO))).toBe(SIGNATURE);
    expect(await answer(v2Token(contosoKey, CONTOSO))).toBe('ok');
    expect(await answer(v1Token(contosoKey, CONTOSO))).toBe('ok');
    expect(await answer(v2Token(contosoKey, MSA))).toBe(SIGNATURE);
    expect(await answer(v2Token(key, MSA))).toBe('ok');
  });

  it('[G2] rejects a key of another tenant in an application of one tenant too', async () => {
    const issuer = V2_TEMPLATE.replace('{tenantid}', CONTOSO);
    const jwksUri = 'https://login.microsoftonline.com/common/discovery/v2.0/keys';
    const { answer } = await start({
      issuer,
      jwksUri,
      metadataAddress: undefined,
      tokenIssuers: undefined,
      tenants: undefined,
    });
    expect(await answer(v2Token(key, CONTOSO))).toBe('ok');
    expect(await answer(v2Token(contosoKey, CONTOSO))).toBe('ok');
    expect(await answer(v2Token(msaKey, CONTOSO))).toBe(SIGNATURE);
    expect(await answer(v2Token(key, CONTOSO, { tid: MSA }))).toBe(SIGNATURE);
    expect(await answer(v2Token(key, FABRIKAM))).toBe(ISSUER);
  });

  it('[G3] accepts tenants by a list, a function or null', async () => {
    const list = await start({ tenants: [CONTOSO] });
    expect(await list.answer(v2Token(key, FABRIKAM))).toBe(ISSUER);
    const test = await start({ tenants: (tid) => tid === FABRIKAM });
    expect(await test.answer(v2Token(key, FABRIKAM))).toBe('ok');
    expect(await test.answer(v2Token(key, CONTOSO))).toBe(ISSUER);
    const any = await start({ tenants: null });
    for (const tid of [CONTOSO, FABRIKAM, randomUUID()])
      expect(await any.answer(v2Token(key, tid))).toBe('ok');
  });

  it('[G3] rejects a tenant when the function returns anything but true', async () => {
    const { answer } = await start({
      tenants: () => JSON.parse('{"then":"a promise of a careless async function"}'),
    });
    expect(await answer(v2Token(key, CONTOSO))).toBe(ISSUER);
  });

  it('[G3] rejects a cached token when its tenant is accepted no more', async () => {
    const admitted = new Set([CONTOSO]);
    const { answer } = await start({ tenants: (tid) => admitted.has(tid) });
    const token = v2Token(key, CONTOSO);
    expect(await answer(token)).toBe('ok');
    admitted.clear();
    expect(await answer(token)).toBe(ISSUER);
  });

  it.each<[what: string, overrides: Partial<IssuerOptions>]>([
    ['a template without a word on tenants', { tenants: undefined }],
    ['an empty list', { tenants: [] }],
    ['tenants without a template', { issuer: 'https://x.example', tokenIssuers: undefined }],
    ['a template that says nowhere where its metadata is', { metadataAddress: undefined }],
  ])('[G3] rejects the boot when the options have %s', async (_, overrides) => {
    await expect(start(overrides)).rejects.toThrow(AuthConfigurationError);
  });

  it('[G5] makes no call for a thousand random tenants, accepted or not', async () => {
    const quick = makeSigner('ES256', { members: { issuer: V2_TEMPLATE } });
    const [open, closed] = [
      await start({ tenants: null }, commonSite(quick)),
      await start({}, commonSite(quick)),
    ];
    const before = [open.site.asked.length, closed.site.asked.length];
    for (let i = 0; i < 1000; i++) {
      const token = v2Token(quick, randomUUID());
      await expect(closed.api.app.get(Authenticator).authenticate(token)).rejects.toMatchObject({
        code: ISSUER,
      });
      const isLetIn =
        i % 5 === 0 ? open.api.app.get(Authenticator).authenticate(token) : { issuer: V2_TEMPLATE };
      expect(await isLetIn).toMatchObject({ issuer: V2_TEMPLATE });
    }
    expect([open.site.asked.length, closed.site.asked.length]).toEqual(before);
  });

  it('[G5] calls only configured addresses and the key set of their document', async () => {
    const { site, answer } = await start({ tenants: null });
    await answer(v2Token(entraKey(), randomUUID()));
    expect(new Set(site.asked)).toEqual(
      new Set([COMMON_METADATA, 'https://login.microsoftonline.com/common/discovery/v2.0/keys']),
    );
  });
});
