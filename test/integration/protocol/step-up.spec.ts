import { Controller, Get } from '@nestjs/common';
import {
  AllowAnonymous,
  Authorized,
  StepUpRequiredError,
  toHttpException,
  type Claims,
} from 'nestjs-resilient-auth';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { describe, expect, it } from 'vitest';
import { platforms } from '../../support/apps/platforms.js';
import { issuerAndApi, startApi, startIssuer } from '../../support/apps/start-api.js';

const PHR = 'urn:example:acr:phr';

@Controller('pay')
@Authorized({ acr: [PHR, 'phrh', 'phr'] })
class PayController {
  @Get()
  pay(): string {
    return 'paid';
  }

  @Authorized({ acr: ['pwd', 'phr', PHR], maxAuthAge: '1h' })
  @Authorized({ maxAuthAge: '90500ms', scopes: ['pay'], anyScope: ['eu', 'us'] })
  @Get('all')
  all(): string {
    return 'paid';
  }

  @AllowAnonymous()
  @Get('open')
  open(): string {
    return 'open';
  }
}

@Controller('recent')
class RecentController {
  @Authorized({ maxAuthAge: '5m' })
  @Get()
  recent(): string {
    return 'recent';
  }

  @Authorized({ maxAuthAge: '5m', roles: ['admin'], scopes: ['a'] })
  @Get('scoped')
  scoped(): string {
    return 'scoped';
  }
}

const settings = { controllers: [PayController, RecentController] };
const NEEDED = 'A stronger or more recent login is required';

const needsTwoFactors = (user: Claims): boolean => {
  if (Array.isArray(user['amr']) && user['amr'].includes('mfa')) return true;
  throw new StepUpRequiredError('no mfa', { acrValues: ['phr'], maxAge: undefined, requiredScopes: [] });
};

describe.each(platforms)('step-up, on $platform', ({ create }) => {
  const challengeOf = async (answer: Promise<{ status: number; body: object; headers: object }>) => {
    const { status, body, headers } = await answer;
    return { status, ...Object(body), challenge: Object(headers)['www-authenticate'] };
  };

  it('[P2-1] answers 401 with acr_values, max_age in seconds and every scope of the operation', async () => {
    const { get } = await issuerAndApi(create, { realm: 'shop' }, settings);
    expect(await challengeOf(get('/pay', {}))).toMatchObject({
      status: 401,
      errorCode: 'AUTH_STEP_UP_REQUIRED',
      message: NEEDED,
      challenge: `Bearer realm="shop", error="insufficient_user_authentication", error_description="${NEEDED}", acr_values="${PHR} phrh phr"`,
    });
    expect((await challengeOf(get('/recent', {}))).challenge).toBe(
      `Bearer realm="shop", error="insufficient_user_authentication", error_description="${NEEDED}", max_age="300"`,
    );
    expect((await challengeOf(get('/pay/all', { acr: 'phr' }))).challenge).toBe(
      `Bearer realm="shop", error="insufficient_user_authentication", error_description="${NEEDED}", acr_values="phr ${PHR}", max_age="90", scope="pay eu us"`,
    );
  });

  it.each(['phrh', 'phr', PHR])('[P2-2] accepts one of the acr values: %s', async (acr) => {
    const { get } = await issuerAndApi(create, {}, settings);
    expect((await get('/pay', { acr })).text).toBe('paid');
  });

  it('[P2-2] rejects an acr that is not exactly one of the values, or no string', async () => {
    const { get } = await issuerAndApi(create, {}, settings);
    const others = [undefined, null, '', 'PHR', 'phr ', 'phrh phr', ['phr'], { phr: true }, 1, true];
    for (const acr of others)
      expect((await get('/pay', { acr })).body.errorCode).toBe('AUTH_STEP_UP_REQUIRED');
  });

  it('[P2-3] rejects a token whose auth_time is missing or no number', async () => {
    const { get } = await issuerAndApi(create, {}, settings);
    const now = Math.floor(Date.now() / 1000);
    for (const auth_time of [undefined, null, String(now), [now], {}, true])
      expect((await get('/recent', { auth_time })).body.errorCode).toBe('AUTH_STEP_UP_REQUIRED');
    expect((await get('/recent', { auth_time: now })).text).toBe('recent');
  });

  it('[P2-3] accepts a login as old as maxAuthAge and one clockTolerance, on every request, also with a known token', async () => {
    const clock = new ManualClock();
    const { issuer, api } = await issuerAndApi(create, { clockTolerance: '10s' }, { ...settings, clock });
    const auth_time = Math.floor(clock.now() / 1000);
    const token = await issuer.sign({ auth_time }, { expiresIn: '1h' });
    for (const [seconds, status] of [
      [0, 200],
      [300, 200],
      [310, 200],
      [311, 401],
      [1000, 401],
    ] as const) {
      await clock.advance((auth_time + seconds) * 1000 - clock.now());
      await api.get('/recent', token).expect(status);
      await api.get('/recent', token).expect(status);
    }
    await api.get('/pay/open', token).expect(200);
  });

  it('[P2-3] rejects a login in the future, beyond the tolerance', async () => {
    const clock = new ManualClock();
    const { get } = await issuerAndApi(create, { clockTolerance: '10s' }, { ...settings, clock });
    const now = Math.floor(clock.now() / 1000);
    expect((await get('/recent', { auth_time: now + 10 })).status).toBe(200);
    expect((await get('/recent', { auth_time: now + 12 })).status).toBe(401);
  });

  it('[P2-3] counts the tolerance of the issuer that the token comes from', async () => {
    const clock = new ManualClock();
    const [strict, lenient] = [
      await startIssuer({ clock, name: 'strict' }),
      await startIssuer({ clock, name: 'lenient' }),
    ];
    const issuers = [strict.options({ clockTolerance: '0s' }), lenient.options({ clockTolerance: '5m' })];
    const api = await startApi(create, { issuers }, { ...settings, clock });
    const auth_time = Math.floor(clock.now() / 1000) - 400;
    await api.get('/recent', await strict.sign({ auth_time })).expect(401);
    await api.get('/recent', await lenient.sign({ auth_time })).expect(200);
  });

  it('[P2-4] answers AUTH_STEP_UP_REQUIRED only after the token itself was accepted, validate included', async () => {
    const validate = (claims: { sub?: unknown }) => claims.sub !== 'mallory' && claims;
    const { issuer, api, get } = await issuerAndApi(create, { validate }, settings);
    const codeOf = async (token?: string) => (await api.get('/pay', token)).body.errorCode;
    expect(await codeOf()).toBe('AUTH_TOKEN_MISSING');
    expect(await codeOf('x')).toBe('AUTH_TOKEN_MALFORMED');
    expect(await codeOf(await issuer.sign({}, { expiresIn: '-1h' }))).toBe('AUTH_TOKEN_EXPIRED');
    expect(await codeOf(await issuer.sign({ aud: 'other' }))).toBe('AUTH_TOKEN_AUDIENCE_MISMATCH');
    expect((await get('/pay', { sub: 'mallory' })).body.errorCode).toBe('AUTH_TOKEN_REJECTED');
    expect((await get('/pay', { sub: 'alice' })).body.errorCode).toBe('AUTH_STEP_UP_REQUIRED');
    // One login can bring both, so the scopes stand in its challenge; a role cannot be asked for.
    expect((await get('/recent/scoped', {})).headers['www-authenticate']).toMatch(
      /max_age="300", scope="a"$/,
    );
  });

  it('[P2-1] answers alike when a policy throws StepUpRequiredError', async () => {
    @Controller('policy')
    class PolicyController {
      @Authorized({ policy: needsTwoFactors })
      @Get()
      get(): string {
        return 'two factors';
      }
    }
    const { get } = await issuerAndApi(create, {}, { controllers: [PolicyController] });
    expect((await get('/policy', { amr: ['mfa'] })).text).toBe('two factors');
    expect(await challengeOf(get('/policy', { amr: ['pwd'] }))).toMatchObject({
      status: 401,
      errorCode: 'AUTH_STEP_UP_REQUIRED',
      challenge: `Bearer error="insufficient_user_authentication", error_description="${NEEDED}", acr_values="phr"`,
    });
  });

  it('[P2-5] rejects the boot when the acr lists of a handler have no value in common, and names it', async () => {
    @Controller('never')
    @Authorized({ acr: ['a', 'b'] })
    class NeverController {
      @Authorized({ acr: ['c'] })
      @Get()
      never(): string {
        return 'never';
      }
    }
    await expect(issuerAndApi(create, {}, { controllers: [NeverController] })).rejects.toThrow(
      /NeverController\.never: The acr lists of its @Authorized decorators have no value in common/,
    );
  });

  it('[P2-5] answers by the intersection of the acr lists and the smallest maxAuthAge', async () => {
    const { get } = await issuerAndApi(create, { clockTolerance: '0s' }, settings);
    const now = Math.floor(Date.now() / 1000);
    const good = { scope: 'pay us', acr: 'phr', auth_time: now };
    expect((await get('/pay/all', good)).text).toBe('paid');
    expect((await get('/pay/all', { ...good, acr: PHR })).text).toBe('paid');
    for (const acr of ['phrh', 'pwd']) expect((await get('/pay/all', { ...good, acr })).status).toBe(401);
    expect((await get('/pay/all', { ...good, auth_time: now - 95 })).status).toBe(401);
    expect((await get('/pay/all', { ...good, scope: 'pay' })).headers['www-authenticate']).toBe(
      'Bearer error="insufficient_scope", scope="pay eu us"',
    );
  });
});

describe('@Authorized({ acr, maxAuthAge })', () => {
  const ACR = 'a list of at least one acr value: one per string, without spaces, quotes and backslashes';
  const AGE = "a string with its unit, at least '1s'";

  it.each([
    ['acr', '[]', ACR],
    ['acr', '"phr"', ACR],
    ['acr', '[""]', ACR],
    ['acr', '["a b"]', ACR],
    ['acr', '["a\\"b"]', ACR],
    ['acr', '[1]', ACR],
    ['acr', 'null', ACR],
    ['maxAuthAge', '"5"', AGE],
    ['maxAuthAge', '"0s"', AGE],
    ['maxAuthAge', '"999ms"', AGE],
    ['maxAuthAge', '300', AGE],
    ['maxAuthAge', '"-5m"', AGE],
    ['maxAuthAge', 'null', AGE],
  ])('[P2-5] throws at decoration when a value is not allowed: %s: %s', (name, value, takes) => {
    expect(() => Authorized(JSON.parse(`{"${name}":${value}}`))).toThrow(
      new TypeError(`@Authorized({ ${name} }) takes ${takes}`),
    );
  });

  it.each(['{"optional":true,"acr":["a"]}', '{"optional":true,"maxAuthAge":"5m"}'])(
    '[P2-5] throws at decoration when it stands with optional: %s',
    (options) => {
      expect(() => Authorized(JSON.parse(options))).toThrow(
        new TypeError(
          '@Authorized({ optional: true }) cannot stand with requirements; leave one of them out',
        ),
      );
    },
  );
});

describe('StepUpRequiredError', () => {
  it('[P2-1] returns the 401 with its challenge when a guard of the application throws it', () => {
    const set: Record<string, string> = {};
    const error = new StepUpRequiredError('for the log', { acrValues: [], maxAge: 0, requiredScopes: ['a'] });
    const exception = toHttpException(error, { setHeader: (name, value) => void (set[name] = value) });
    expect(exception.getStatus()).toBe(401);
    expect(set['WWW-Authenticate']).toBe(
      `Bearer error="insufficient_user_authentication", error_description="${NEEDED}", max_age="0", scope="a"`,
    );
  });
});
