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
      expect(await api().outcome({ scheme: 'Bearer', ...(proof === null && { proof }) })).toEqual({
        status: 401,
        code: 'AUTH_TOKEN_SENDER_CONSTRAINED',
        challenge: `Bearer realm="things", error="invalid_token", error_description="The access token is bound to its sender and cannot be used as a bearer token", DPoP realm="things", ${ALGS}`,
      });
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
    const error = 'error="invalid_token", error_description="The access token has expired"';
    const refused = { status: 401, code: 'AUTH_TOKEN_EXPIRED' };
    expect(await api().outcome({ token: expired, scheme: 'Bearer' })).toEqual({
      ...refused,
      challenge: `Bearer realm="things", ${error}, DPoP realm="things", ${ALGS}`,
    });
    expect(await api().outcome({ token: expired })).toEqual({
      ...refused,
      challenge: `DPoP realm="things", ${error}, ${ALGS}, Bearer realm="things"`,
    });
  });

  it('[P0-2] rejects malformed credentials of either scheme with 400 and the error in its challenge', async () => {
    const error = 'error="invalid_request", error_description="The credentials of the request are malformed"';
    const refused = { status: 400, code: 'AUTH_REQUEST_INVALID' };
    for (const header of ['DPoP a b', 'DPoP'])
      expect(outcomeOf(await get('/things', header))).toEqual({
        ...refused,
        challenge: `DPoP realm="things", ${error}, ${ALGS}, Bearer realm="things"`,
      });
    expect(outcomeOf(await get('/things', 'Bearer a b'))).toEqual({
      ...refused,
      challenge: `Bearer realm="things", ${error}, DPoP realm="things", ${ALGS}`,
    });
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
    const strict = await startDpopApi({ algorithms: ALGORITHMS }, { create, senderConstraint: 'require' });
    const challenge = `DPoP ${ALGS}`;
    expect(outcomeOf(await request(strict.app.getHttpServer()).get('/things'))).toEqual({
      status: 401,
      code: 'AUTH_TOKEN_MISSING',
      challenge,
    });
    const token = await strict.issuer.sign();
    expect(await strict.outcome({ token, scheme: 'Bearer' })).toEqual({
      status: 401,
      code: 'AUTH_PROOF_MISSING',
      challenge,
    });
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

    const options = { issuers, publicUrl: PUBLIC_URL, dpop: { algorithms: ALGORITHMS } };
    const api = await startApi(platforms[0].create, options, { controllers: [ThingsController] });
    const get = async (token: string) => outcomeOf(await api.get('/things', token));
    expect(await get(await lenient.sign())).toMatchObject({ status: 200 });
    expect(await get(await strict.sign())).toEqual({
      status: 401,
      code: 'AUTH_PROOF_MISSING',
      challenge: `Bearer, DPoP ${ALGS}`,
    });
  });
});

describe('toHttpException', () => {
  it('[P3-7] returns the challenge DPoP with algs and nonce for a proof that is refused', () => {
    const headers: Record<string, string> = {};
    const demand = { algorithms: ALGORITHMS, nonce: 'n' };
    const error = new ProofError('AUTH_PROOF_NONCE_REQUIRED', 'x', { demand });
    const exception = toHttpException(error, { setHeader: (name, value) => (headers[name] = value) });
    expect(exception.getStatus()).toBe(401);
    expect(headers).toEqual({
      'DPoP-Nonce': 'n',
      'Cache-Control': 'no-store',
      'WWW-Authenticate': `DPoP error="use_dpop_nonce", error_description="The proof of possession must carry the nonce of the DPoP-Nonce header", ${ALGS}`,
    });
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

  const NAMES =
    'one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, Ed25519, EdDSA, ML-DSA-44, ML-DSA-65, ML-DSA-87; never none or HS*';
  const LIFETIME = 'milliseconds or a string with its unit, from 1s to 10m';
  const TOLERANCE = 'milliseconds or a string with its unit, from 0s to 5m';
  const NONCE = 'false, or an object of secrets, a list of strings of at least 16 characters, and lifetime';
  const REPLAY = 'false, or a ReplayStore: an object with add';

  it.each([
    ['an unknown member', { other: 1 }, 'dpop.other: got 1', 'no option of this name'],
    ['no algorithm', { algorithms: [] }, 'dpop.algorithms: got []', 'a list of at least one algorithm'],
    ['a symmetric algorithm', { algorithms: ['HS256'] }, "dpop.algorithms[0]: got 'HS256'", NAMES],
    ['none', { algorithms: ['none'] }, "dpop.algorithms[0]: got 'none'", NAMES],
    ['a lifetime without unit', { proofLifetime: '60' }, "dpop.proofLifetime: got '60'", LIFETIME],
    ['a lifetime that is too long', { proofLifetime: '11m' }, "dpop.proofLifetime: got '11m'", LIFETIME],
    ['a lifetime of nothing', { proofLifetime: 0 }, 'dpop.proofLifetime: got 0', LIFETIME],
    ['too much tolerance', { clockTolerance: '6m' }, "dpop.clockTolerance: got '6m'", TOLERANCE],
    ['a nonce without secrets', { nonce: {} }, 'dpop.nonce: got {}', NONCE],
    ['a nonce with no secret', { nonce: { secrets: [] } }, 'dpop.nonce: got { secrets: [] }', NONCE],
    [
      'a nonce with a short secret',
      { nonce: { secrets: ['fifteen letters'] } },
      "dpop.nonce: got { secrets: [ 'fifteen letters' ] }",
      NONCE,
    ],
    ['nonce: true', { nonce: true }, 'dpop.nonce: got true', NONCE],
    [
      'a nonce that lives too shortly',
      { nonce: { secrets: ['a secret of the fleet'], lifetime: '9s' } },
      "dpop.nonce: got { secrets: [ 'a secret of the fleet' ], lifetime: '9s' }",
      NONCE,
    ],
    ['a store that is none', { replay: {} }, 'dpop.replay: got {}', REPLAY],
    ['replay: true', { replay: true }, 'dpop.replay: got true', REPLAY],
    ['no object', true, 'dpop: got true', 'an object'],
  ])('rejects dpop with %s', async (_, dpop, found, allowed) => {
    await expect(boot({ dpop, publicUrl: PUBLIC_URL })).rejects.toThrow(
      `The options of AuthModule are not valid:\n  - ${found}; allowed: ${allowed}`,
    );
  });
});
