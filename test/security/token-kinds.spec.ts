import { describe, expect, it } from 'vitest';
import { Bench, useBench } from '../support/apps/bench.js';

const TYPE = 'AUTH_TOKEN_TYPE_REFUSED';
const CLAIM = 'AUTH_TOKEN_CLAIM_INVALID';

/** docs/security-checklist.md F, F8 to F14: right issuer, right audience, right signature, and yet no access token. */
describe('a token of another kind', () => {
  const bench = useBench();
  const plain = { typ: 'JWT' };

  it.each([
    ['an access token hash', { at_hash: 'x' }],
    ['a code hash', { c_hash: 'x' }],
    ['a state hash', { s_hash: 'x' }],
    ['Cognito’s token_use', { token_use: 'id' }],
    ['a token_use that is no string', { token_use: ['access'] }],
    ['Keycloak’s typ ID', { typ: 'ID' }],
  ])('[F10] rejects an ID token that has %s', async (_, claims) => {
    await bench().refuses(bench().token(claims, plain), TYPE);
    await bench().refuses(bench().token(claims, { typ: undefined }), TYPE);
  });

  it('[F10] rejects an ID token whose audience is the client', async () => {
    await bench().refuses(bench().token({ aud: 'shop', nonce: 'n' }, plain), 'AUTH_TOKEN_AUDIENCE_MISMATCH');
  });

  it('[F10] accepts a token with a nonce, a session and typ Bearer', async () => {
    await bench().admits(
      bench().token({ nonce: 'n', sid: 's', auth_time: 1, typ: 'Bearer', token_use: 'access' }, plain),
    );
  });

  it.each(['Refresh', 'Offline', 'REFRESH', 'Logout', 'DPoP'])(
    '[F10] rejects typ %s of Keycloak',
    async (typ) => {
      await bench().refuses(bench().token({ typ }, plain), TYPE);
    },
  );

  it.each([
    ['a logout token', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} }, sid: 's' }],
    [
      'a security event token',
      { events: { 'https://schemas.openid.net/secevent/risc/event-type/account-disabled': {} } },
    ],
    ['an empty event', { events: {} }],
    ['an introspection answer', { token_introspection: { active: true } }],
  ])('[F11] rejects %s', async (_, claims) => {
    await bench().refuses(bench().token(claims, plain), TYPE);
  });

  it.each([[['created', 'shipped']], ['created'], [7], [null]])(
    '[F11] accepts a claim events of the application: %j',
    async (events) => {
      await bench().admits(bench().token({ events }, plain));
    },
  );

  it.each(['at_hash', 'c_hash', 's_hash', 'token_use', 'typ', 'token_introspection', 'cnf'])(
    '[F10] accepts a token when its %s is null',
    async (name) => {
      await bench().admits(bench().token({ [name]: null }, plain));
    },
  );

  it('[F11] rejects a client assertion by its issuer or audience', async () => {
    const assertion = { iss: 'shop', sub: 'shop', aud: bench().issuer.url };
    await bench().refuses(bench().token(assertion, plain), 'AUTH_TOKEN_ISSUER_UNKNOWN');
    const { aud } = assertion;
    await bench().refuses(bench().token({ aud }, plain), 'AUTH_TOKEN_AUDIENCE_MISMATCH');
  });

  it('[F11] rejects a DPoP proof by its type', async () => {
    const proof = { htm: 'GET', htu: 'https://api.example/orders', ath: 'x' };
    await bench().refuses(bench().token(proof, { typ: 'dpop+jwt', jwk: bench().signer.jwk }), TYPE);
  });

  it.each([
    [{ jkt: 'thumbprint' }],
    [{ 'x5t#S256': 'hash' }],
    [{ jwk: {} }],
    [{ kid: 'k' }],
    [{ unknown: 1 }],
    [{}],
    ['jkt'],
    [[]],
  ])('[F13] rejects a token that is bound to its sender by cnf %j', async (cnf) => {
    const { headers } = await bench().refuses(bench().token({ cnf }), 'AUTH_TOKEN_SENDER_CONSTRAINED');
    expect(headers['www-authenticate']).toContain('error="invalid_token"');
  });
});

describe('the claims of a token', () => {
  it.each(['sub', 'client_id', 'jti', 'iat'])('[F8] requires %s in strict RFC 9068 mode', async (name) => {
    await using strict = await Bench.open({ options: { tokenTypes: ['at+jwt'] } });
    await strict.admits(strict.token());
    for (const value of [undefined, '', null, {}, [], ['alice'], true, ...(name === 'iat' ? [] : [7])])
      await strict.refuses(strict.token({ [name]: value }), CLAIM);
  });

  it.each(['sub', 'jti'])('[F8] rejects %s when it is present and no string', async (name) => {
    await using lenient = await Bench.open();
    await lenient.admits(lenient.token({ [name]: null }));
    for (const value of [7, {}, ['alice']]) await lenient.refuses(lenient.token({ [name]: value }), CLAIM);
    await lenient.admits(lenient.token({ jti: undefined }));
  });

  it('[F8] requires the configured claims, and counts null as absent', async () => {
    await using demanding = await Bench.open({ options: { requiredClaims: ['tid', 'sub'] } });
    await demanding.admits(demanding.token({ tid: 't' }));
    for (const tid of [undefined, null]) await demanding.refuses(demanding.token({ tid }), CLAIM);
    await demanding.refuses(demanding.token({ tid: 't', sub: undefined }), CLAIM);
  });
});

describe('the scopes and roles of a token', () => {
  const bench = useBench();
  const scopesOf = async (claims: Readonly<Record<string, unknown>>): Promise<unknown> =>
    (await bench().admits(bench().token(claims), '/orders/token')).body;
  const mayWrite = (claims: Readonly<Record<string, unknown>>) =>
    bench().api.post('/orders', bench().token(claims));

  it('[F12] reads scopes from a string with spaces or a list', async () => {
    await mayWrite({ scope: 'orders:write orders:read' }).expect(201);
    await mayWrite({ scp: 'orders:read orders:write' }).expect(201);
    await mayWrite({ scp: ['orders:read', 'orders:write'] }).expect(201);
    for (const scope of ['', ' ', [], null])
      await mayWrite({ scope, scp: ['orders:read', 'orders:write'] }).expect(201);
  });

  it.each([
    ['a longer name', 'orders:read:all orders:write:all'],
    ['another case', 'Orders:Read Orders:Write'],
    ['a part of a name', 'orders read write'],
    ['commas', 'orders:read,orders:write'],
    ['tabs', 'orders:read\torders:write'],
    ['line ends', 'orders:read\norders:write'],
    ['no-break spaces', 'orders:read\u00a0orders:write'],
    ['a wildcard', 'orders:* *'],
    ['one of two', 'orders:read'],
    ['both in one list member', ['orders:read orders:write']],
    ['lists in a list', [['orders:read', 'orders:write']]],
    ['an object', { 'orders:read': true, 'orders:write': true }],
    ['nothing', ''],
    ['null', null],
  ])('[F12] compares scopes exactly: rejects %s', async (_, scope) => {
    for (const claims of [{ scope }, { scp: scope }]) {
      const { body } = await mayWrite(claims).expect(403);
      expect(body.errorCode).toBe('AUTH_SCOPE_MISSING');
    }
  });

  it('[F12] reads no roles as scopes, no scopes as roles, and groups as neither', async () => {
    const words = ['orders:read', 'orders:write', 'admin'];
    const everywhere = { roles: words, groups: words, permissions: words, entitlements: words };
    await mayWrite(everywhere).expect(403);
    const elsewhere = { scope: words.join(' '), groups: words, realm_access: { roles: words } };
    await bench().refuses(bench().token(elsewhere), 'AUTH_ROLE_MISSING', '/orders/audit', 403);
    for (const roles of [
      'admin auditor',
      ['ADMIN'],
      ['admins'],
      [['admin']],
      { admin: true },
      ['admin auditor'],
    ])
      await bench().refuses(bench().token({ roles }), 'AUTH_ROLE_MISSING', '/orders/audit', 403);
    for (const roles of [['x', 'admin'], 'admin'])
      await bench().admits(bench().token({ roles }), '/orders/audit');
  });

  it('[F12] reads them at a claim path when one is configured', async () => {
    const options = { roles: 'realm_access.roles', scopes: ['https://api.example.com/permissions'] };
    await using keycloak = await Bench.open({ options });
    const claims = {
      realm_access: { roles: ['admin'] },
      'https://api.example.com/permissions': ['orders:read', 'orders:write'],
    };
    const token = keycloak.token(claims);
    await keycloak.admits(token, '/orders/audit');
    await keycloak.api.post('/orders', token).expect(201);
    await keycloak.refuses(keycloak.token({ roles: ['admin'] }), 'AUTH_ROLE_MISSING', '/orders/audit', 403);
    await keycloak.refuses(
      keycloak.token({ realm_access: { 'roles ': ['admin'] } }),
      'AUTH_ROLE_MISSING',
      '/orders/audit',
      403,
    );
  });

  it('[F12] reads roles with a function when one is configured', async () => {
    await using keycloak = await Bench.open({
      options: { roles: ({ groups }) => (Array.isArray(groups) ? groups : []) },
    });
    await keycloak.admits(keycloak.token({ groups: ['admin'] }), '/orders/audit');
    await keycloak.refuses(keycloak.token({ roles: ['admin'] }), 'AUTH_ROLE_MISSING', '/orders/audit', 403);
  });

  it('[F9] [F14] reads none from actors or authorization details, and passes those on to validate', async () => {
    const claims = {
      act: { sub: 'service', roles: ['admin'] },
      may_act: { sub: 'service' },
      authorization_details: [{ type: 'payment', roles: ['admin'], scope: 'orders:write' }],
    };
    expect(await scopesOf(claims)).toMatchObject({ scopes: [], roles: [], sub: 'alice' });
    let seen: unknown;
    await using mapped = await Bench.open({ options: { validate: (given) => (seen = given) } });
    await mapped.admits(mapped.token(claims));
    expect(seen).toMatchObject(claims);
  });
});
