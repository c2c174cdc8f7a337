import { Controller, Get } from '@nestjs/common';
import { Authorized, ProofError, toHttpException } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { platforms } from '../../support/apps/platforms.js';
import { startApi, startIssuer } from '../../support/apps/start-api.js';
import { PUBLIC_URL, startDpopApi, useDpopApi, outcomeOf } from '../../support/dpop/dpop-api.js';
import request from 'supertest';

const ALGORITHMS = ['ES256', 'PS256'];
const ALGS = 'algs="ES256 PS256"';

describe.each(platforms)('the challenges of DPoP, on $platform', ({ create }) => {
  const api = useDpopApi({ algorithms: ALGORITHMS }, { create, realm: 'things' });
  const get = (path: string, authorization?: string) => {
    const test = request(api().app.getHttpServer()).get(path);
    return authorization === undefined ? test : test.set('Authorization', authorization);
  };

  it('[P3-6] accepts a bound token with its proof, and each further one', async () => {
    const token = await api().token();
    for (let i = 0; i < 2; i++) {
      const { status, body, headers } = await api().send({ token });
      expect({ status, body }).toEqual({ status: 200, body: { subject: 'alice' } });
      expect(headers).not.toHaveProperty('dpop-nonce');
    }
  });

  it.each([undefined, 'Basic abc'])(
    '[P0-2] [P3-7] answers with both schemes and no error when Authorization is %s',
    async (header) => {
      expect(outcomeOf(await get('/things', header))).toEqual({
        status: 401,
        code: 'AUTH_TOKEN_MISSING',
        challenge: `Bearer realm="things", DPoP realm="things", ${ALGS}`,
      });
    },
  );

  it('[P3-7] accepts an unbound token as Bearer, and rejects it as DPoP', async () => {
    const token = await api().issuer.sign({ sub: 'bob' });
    expect(await api().outcome({ token, scheme: 'Bearer' })).toMatchObject({ status: 200 });
    expect(await api().outcome({ token, scheme: 'Bearer', proof: null })).toMatchObject({ status: 200 });
    for (const scheme of ['DPoP', 'dpop', 'DPOP'])
      expect(await api().outcome({ token, scheme })).toEqual({
        status: 401,
        code: 'AUTH_PROOF_KEY_MISMATCH',
        challenge: `DPoP realm="things", error="invalid_token", error_description="The access token is not bound to the key of the proof of possession", ${ALGS}, Bearer realm="things"`,
      });
  });

  it('[P3-7] rejects a bound token as Bearer, with and without its proof; the error is in the challenge Bearer', async () => {
    for (const proof of [undefined, null]) {
      const { status, code, challenge } = await api().outcome({
        scheme: 'Bearer',
        ...(proof === null && { proof }),
      });
      expect({ status, code }).toEqual({ status: 401, code: 'AUTH_TOKEN_SENDER_CONSTRAINED' });
      expect(challenge).toMatch(
        /^Bearer realm="things", error="invalid_token", error_description="[^"]+", DPoP realm="things", algs="ES256 PS256"$/,
      );
    }
  });

  it('[P3-1] rejects a DPoP token without a proof', async () => {
    expect(await api().outcome({ proof: null })).toEqual({
      status: 401,
      code: 'AUTH_PROOF_MISSING',
      challenge: `DPoP realm="things", error="invalid_dpop_proof", error_description="A proof of possession is required", ${ALGS}, Bearer realm="things"`,
    });
  });

  it('[P0-2] answers with the error of a bad token in the challenge of the scheme that was used', async () => {
    const expired = await api().client.sign({}, { expiresIn: '-1h' });
    const bearer = (await api().outcome({ token: expired, scheme: 'Bearer' })).challenge;
    expect(bearer).toMatch(
      /^Bearer realm="things", error="invalid_token", .*, DPoP realm="things", algs="[^"]+"$/,
    );
    const dpop = await api().outcome({ token: expired });
    expect(dpop.code).toBe('AUTH_TOKEN_EXPIRED');
    expect(dpop.challenge).toMatch(/^DPoP realm="things", error="invalid_token", .*, Bearer realm="things"$/);
  });

  it('[P0-2] rejects malformed credentials of either scheme with 400 and the error in its challenge', async () => {
    const dpop = outcomeOf(await get('/things', 'DPoP a b'));
    expect(dpop).toMatchObject({ status: 400, code: 'AUTH_REQUEST_INVALID' });
    expect(dpop.challenge).toMatch(/^DPoP realm="things", error="invalid_request"/);
    expect(outcomeOf(await get('/things', 'DPoP')).challenge).toMatch(
      /^DPoP realm="things", error="invalid_request"/,
    );
    expect(outcomeOf(await get('/things', 'Bearer a b')).challenge).toMatch(
      /^Bearer realm="things", error="invalid_request".*, DPoP realm="things", algs/,
    );
  });

  it('[P3-7] answers with DPoP alone where @Authorized requires it, and rejects what is not bound', async () => {
    expect(outcomeOf(await get('/bound'))).toEqual({
      status: 401,
      code: 'AUTH_TOKEN_MISSING',
      challenge: `DPoP realm="things", ${ALGS}`,
    });
    const unbound = await api().issuer.sign();
    // RFC 6750 §3: the scheme that was used has no challenge, so no challenge has an error.
    expect(outcomeOf(await get('/bound', `Bearer ${unbound}`))).toEqual({
      status: 401,
      code: 'AUTH_PROOF_MISSING',
      challenge: `DPoP realm="things", ${ALGS}`,
    });
    expect(await api().outcome({ target: '/bound' })).toMatchObject({ status: 200 });
  });

  it("[P3-7] answers with DPoP alone where the only issuer has senderConstraint: 'require'", async () => {
    const strict = await startDpopApi({}, { create, senderConstraint: 'require' });
    const none = await request(strict.app.getHttpServer()).get('/things');
    expect(none.headers['www-authenticate']).toMatch(/^DPoP algs="[^"]+"$/);
    const token = await strict.issuer.sign();
    const unbound = await strict.outcome({ token, scheme: 'Bearer' });
    expect(unbound).toMatchObject({ status: 401, code: 'AUTH_PROOF_MISSING' });
    expect(unbound.challenge).toMatch(/^DPoP algs="[^"]+"$/);
    expect(await strict.outcome()).toMatchObject({ status: 200 });
  });

  it('[P3-7] answers 403 with the scope in the challenge when a bound token lacks it', async () => {
    expect(await api().outcome({ target: '/things/scoped' })).toEqual({
      status: 403,
      code: 'AUTH_SCOPE_MISSING',
      challenge: `DPoP realm="things", error="insufficient_scope", scope="things:read", ${ALGS}, Bearer realm="things"`,
    });
    const scoped = await api().token({ scope: 'things:read' });
    expect(await api().outcome({ target: '/things/scoped', token: scoped })).toMatchObject({ status: 200 });
  });
});

describe('several issuers', () => {
  it("[P3-7] rejects unbound tokens of the one with senderConstraint: 'require', and accepts those of the other", async () => {
    const [strict, lenient] = [await startIssuer({ name: 'strict' }), await startIssuer({ name: 'lenient' })];
    const issuers = [strict.options({ senderConstraint: 'require' }), lenient.options()];

    @Authorized()
    @Controller('things')
    class ThingsController {
      @Get()
      get(): string {
        return 'ok';
      }
    }

    const options = { issuers, publicUrl: PUBLIC_URL, dpop: {} };
    const api = await startApi(platforms[0].create, options, { controllers: [ThingsController] });
    const get = async (token: string) => outcomeOf(await api.get('/things', token));
    expect(await get(await lenient.sign())).toMatchObject({ status: 200 });
    const { code, challenge } = await get(await strict.sign());
    expect(code).toBe('AUTH_PROOF_MISSING');
    expect(challenge).toMatch(/^Bearer, DPoP algs=/);
  });
});

describe('toHttpException', () => {
  it('[P3-7] returns the challenge DPoP with algs and nonce for a proof that is refused', () => {
    const headers: Record<string, string> = {};
    const demand = { algorithms: ALGORITHMS, nonce: 'n' };
    const error = new ProofError('AUTH_PROOF_NONCE_REQUIRED', 'x', { demand });
    const exception = toHttpException(error, { setHeader: (name, value) => (headers[name] = value) });
    expect(exception.getStatus()).toBe(401);
    expect(headers).toMatchObject({ 'DPoP-Nonce': 'n', 'Cache-Control': 'no-store' });
    expect(headers['WWW-Authenticate']).toMatch(
      /^DPoP error="use_dpop_nonce", error_description="[^"]+", algs="ES256 PS256"$/,
    );
  });
});

describe('the boot', () => {
  const boot = async (options: object, controllers: (new () => object)[] = []) => {
    const issuer = await startIssuer();
    return startApi(platforms[0].create, { ...issuer.options(), ...options }, { controllers });
  };

  @Authorized({ dpop: true })
  @Controller('bound')
  class BoundController {
    @Get()
    get(): string {
      return 'ok';
    }
  }

  it('[P3-7] fails when a handler requires proofs and the option dpop is not named', async () => {
    await expect(boot({}, [BoundController])).rejects.toThrow(
      /BoundController\.get requires dpop, .* option dpop/,
    );
    await boot({ dpop: {}, publicUrl: PUBLIC_URL }, [BoundController]);
  });

  it('[P0-1] fails when dpop is named and publicUrl is not', async () => {
    await expect(boot({ dpop: {} })).rejects.toThrow(/publicUrl: got undefined; allowed: required with dpop/);
  });

  it("[P3-7] fails when senderConstraint is 'require' and dpop is not named", async () => {
    await expect(boot({ senderConstraint: 'require' })).rejects.toThrow(/senderConstraint: got 'require'/);
  });

  it.each([
    ['an unknown member', { other: 1 }],
    ['no algorithm', { algorithms: [] }],
    ['a symmetric algorithm', { algorithms: ['HS256'] }],
    ['none', { algorithms: ['none'] }],
    ['a lifetime without unit', { proofLifetime: '60' }],
    ['a lifetime that is too long', { proofLifetime: '11m' }],
    ['a lifetime of nothing', { proofLifetime: 0 }],
    ['too much tolerance', { clockTolerance: '6m' }],
    ['a nonce without secrets', { nonce: {} }],
    ['a nonce with no secret', { nonce: { secrets: [] } }],
    ['a nonce with a short secret', { nonce: { secrets: ['too short'] } }],
    ['nonce: true', { nonce: true }],
    ['a nonce that lives too shortly', { nonce: { secrets: ['a secret of the fleet'], lifetime: '9s' } }],
    ['a store that is none', { replay: {} }],
    ['replay: true', { replay: true }],
    ['no object', true],
  ])('rejects dpop with %s', async (_, dpop) => {
    await expect(boot({ dpop, publicUrl: PUBLIC_URL })).rejects.toThrow(/dpop[.\w[\]]*: got .*; allowed: /);
  });
});
