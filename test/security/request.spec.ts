import { ExtractJwt } from 'passport-jwt';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { platforms } from '../support/apps/platforms.js';
import { Bench, useBench } from '../support/apps/bench.js';
import { exchange } from '../support/apps/raw-exchange.js';

/** docs/security-checklist.md A: taking the token out of the request. */
describe.each(platforms)('taking the token out of the request, on $platform', ({ create }) => {
  const bench = useBench({ create });
  const send = (authorization: string) => bench().api.get('/orders').set('Authorization', authorization);

  it('[A1] reads the Authorization header only, and no query, form or cookie', async () => {
    const { api } = bench();
    const token = bench().token();
    const server = api.app.getHttpServer();
    await bench().admits(token);
    for (const attempt of [
      request(server).get(`/orders?access_token=${token}`),
      request(server).get('/orders').set('Cookie', `access_token=${token}; token=${token}`),
      request(server).get('/orders').set('X-Access-Token', token),
      request(server).post('/orders').send({ access_token: token }),
    ]) {
      expect((await attempt.expect(401)).body.errorCode).toBe('AUTH_TOKEN_MISSING');
    }
  });

  it('[A2] accepts the scheme in any case and any number of spaces behind it', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR'])
      await send(`${scheme} ${bench().token()}`).expect(200);
    await send(`Bearer   ${bench().token()}`).expect(200);
  });

  it('[A2] rejects anything behind the token, or no token, as a malformed request', async () => {
    const token = bench().token();
    for (const header of [
      'Bearer',
      'bearer',
      `Bearer ${token} x`,
      `Bearer ${token} ${token}`,
      `Bearer x ${token}`,
    ]) {
      const { body, headers } = await send(header).expect(400);
      expect(body.errorCode).toBe('AUTH_REQUEST_INVALID');
      expect(headers['www-authenticate']).toContain('error="invalid_request"');
    }
  });

  it('[A2] rejects a scheme that only resembles Bearer, and a token in another scheme', async () => {
    const token = bench().token();
    for (const header of [
      `Bearer,${token}`,
      `Bearers ${token}`,
      `XBearer ${token}`,
      `DPoP ${token}`,
      `Token ${token}`,
    ]) {
      expect((await send(header).expect(401)).body.errorCode).toBe('AUTH_TOKEN_MISSING');
    }
  });

  it.each([
    ['a tab', '\t', ''],
    ['a no-break space before', '\xa0', ''],
    ['a no-break space behind', '', '\xa0'],
    ['a comma', '', ','],
    ['a quote', '"', '"'],
  ])('[A2] rejects a token with %s, and does not trim it', async (_, before, behind) => {
    const lines = ['GET /orders HTTP/1.1', `Authorization: Bearer ${before}${bench().token()}${behind}`];
    const answer = await exchange(bench().api.app, lines);
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer).toContain('AUTH_TOKEN_MALFORMED');
  });

  it('[A3] rejects two Authorization headers, the good one first or last, beside any other', async () => {
    const good = `Authorization: Bearer ${bench().token()}`;
    const { app } = bench().api;
    expect(await exchange(app, ['GET /orders HTTP/1.1', good])).toMatch(/^HTTP\/1\.1 200 /);
    for (const other of [good, good.toLowerCase(), 'AUTHORIZATION: Basic YTpi', 'authorization:']) {
      for (const pair of [
        [good, other],
        [other, good],
      ]) {
        const answer = await exchange(app, ['GET /orders HTTP/1.1', ...pair]);
        expect(answer).toMatch(/^HTTP\/1\.1 400 /);
        expect(answer).toContain('AUTH_REQUEST_INVALID');
      }
    }
  });

  it('[A4] reads the header when a cookie and a query parameter carry another token', async () => {
    const [alice, bob] = [bench().token({ sub: 'alice' }), bench().token({ sub: 'bob' })];
    await bench()
      .api.get(`/orders?access_token=${bob}`, alice)
      .set('Cookie', `access_token=${bob}; authorization=Bearer ${bob}`)
      .expect(200, { subject: 'alice' });
  });

  it('[A6] answers Cache-Control: no-store to a refusal', async () => {
    const { api } = bench();
    const refusals = [
      api.get('/orders').expect(401),
      api.get('/orders', 'junk').expect(401),
      send('Bearer a b').expect(400),
      api.post('/orders', bench().token()).expect(403),
      api.get('/orders/audit', bench().token()).expect(403),
      api.get('/orders/alice', bench().token({ sub: 'bob' })).expect(403),
    ];
    for (const refusal of refusals) expect((await refusal).headers['cache-control']).toBe('no-store');
  });
});

describe('the length of a token', () => {
  const long = (bench: Bench, length: number) => bench.token({ padding: 'x'.repeat((length * 3) / 4) });

  it('[A5] rejects a token that is longer than tokenMaxLength', async () => {
    await using bench = await Bench.open({ options: { tokenMaxLength: 4096 } });
    await bench.admits(long(bench, 3000));
    await bench.refuses(long(bench, 5000), 'AUTH_TOKEN_MALFORMED');
  });

  it('[A5] accepts tokens of 9000 characters by default', async () => {
    await using bench = await Bench.open();
    await bench.admits(long(bench, 9000));
  });

  it('[A5] rejects a long header before an extractor of the application is called', async () => {
    let calls = 0;
    const extract = ExtractJwt.fromAuthHeaderAsBearerToken();
    const jwtFromRequest = (request: Parameters<typeof extract>[0]): string | null => {
      calls += 1;
      return extract(request);
    };
    await using bench = await Bench.open({ options: { tokenMaxLength: 4096, jwtFromRequest } });
    await bench.admits(bench.token());
    await bench.refuses(long(bench, 5000), 'AUTH_TOKEN_MALFORMED');
    expect(calls).toBe(1);
  });

  it('[A5] rejects a long token that an extractor of the application returns', async () => {
    const jwtFromRequest = ExtractJwt.fromHeader('x-token');
    await using bench = await Bench.open({ options: { tokenMaxLength: 4096, jwtFromRequest } });
    const get = (token: string) => bench.api.get('/orders').set('X-Token', token);
    await get(bench.token()).expect(200);
    expect((await get(long(bench, 5000)).expect(401)).body.errorCode).toBe('AUTH_TOKEN_MALFORMED');
  });
});
