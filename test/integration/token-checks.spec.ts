import { Controller, Get } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Authorized,
  AuthModule,
  CurrentUser,
  TokenRejectedError,
  type AuthExtension,
  type PresentedToken,
} from 'nestjs-resilient-auth';
import request from 'supertest';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { platforms } from '../support/apps/platforms.js';
import { startIssuer } from '../support/apps/start-api.js';

@Authorized()
@Controller('user')
class UserController {
  @Get()
  get(@CurrentUser('sub') subject: string): string {
    return subject;
  }

  @Authorized({ scopes: ['a'] })
  @Get('scoped')
  scoped(): string {
    return 'scoped';
  }
}

describe.each(platforms)('an extension, on $platform', ({ create }) => {
  async function boot(...extensions: AuthExtension[]) {
    const issuer = await startIssuer();
    const validate = vi.fn<(claims: object) => object>((claims) => claims);
    const imports = [AuthModule.forRoot({ ...issuer.options({ validate }), extensions, realm: 'r' })];
    const app = await create(Test.createTestingModule({ imports, controllers: [UserController] }));
    onTestFinished(() => app.close());
    const get = (authorization: string, path = '/user') =>
      request(app.getHttpServer()).get(path).set('Authorization', authorization);
    return { issuer, get, validate };
  }

  it.each(['at once', 'later'])(
    'checks each request %s, also with a known token, before validate',
    async (when) => {
      const seen: PresentedToken[] = [];
      const check = (presented: PresentedToken): void | Promise<void> => {
        seen.push(presented);
        return when === 'later' ? Promise.resolve() : undefined;
      };
      const { issuer, get, validate } = await boot({ name: 'seen', tokenCheck: { check } });
      const token = await issuer.sign({ sub: 'alice' });
      for (let i = 1; i <= 2; i++) {
        await get(`Bearer ${token}`).expect(200, 'alice');
        expect(seen).toHaveLength(i);
      }
      expect(seen[1]).toMatchObject({
        token,
        scheme: 'bearer',
        claims: { sub: 'alice' },
        issuer: issuer.url,
        credentials: { http: { headers: { authorization: `Bearer ${token}` } } },
      });
      expect(validate).toHaveBeenCalledTimes(2);
    },
  );

  it('calls the hooks of a boot in their order, with every handler once the census is taken', async () => {
    const calls: string[] = [];
    const { get } = await boot({
      name: 'hooks',
      onModuleInit({ httpAdapter }) {
        calls.push('init');
        httpAdapter?.get('/added', (_: unknown, response: unknown) =>
          httpAdapter.reply(response, 'added', 200),
        );
      },
      onApplicationBootstrap({ handlers }) {
        calls.push(...handlers.map(({ method }) => method));
      },
      onApplicationShutdown: () => void calls.push('shutdown'),
    });
    expect(calls).toEqual(['init', 'get', 'scoped']);
    await get('none', '/added').expect(200, 'added');
  });

  it('rejects a token with the error of a check, and does not call validate', async () => {
    const check = (): never => {
      throw new TokenRejectedError('revoked');
    };
    const { issuer, get, validate } = await boot({ name: 'revocation', tokenCheck: { check } });
    const { body } = await get(`Bearer ${await issuer.sign()}`).expect(401);
    expect(body.errorCode).toBe('AUTH_TOKEN_REJECTED');
    expect(validate).not.toHaveBeenCalled();
  });

  it('answers 500 when a check fails with an error that is no refusal', async () => {
    const check = () => Promise.reject(new Error('no connection'));
    const { issuer, get } = await boot({ name: 'revocation', tokenCheck: { check } });
    await get(`Bearer ${await issuer.sign()}`).expect(500);
  });

  it('accepts a further scheme, and bound tokens whose every known confirmation a check proves', async () => {
    const schemes: string[] = [];
    const check = ({ scheme }: PresentedToken): void => void schemes.push(scheme);
    const tokenCheck = { schemes: ['dpop'], confirms: ['jkt'], check };
    const { issuer, get } = await boot({ name: 'proof', tokenCheck });
    const bound = await issuer.sign({ sub: 'alice', cnf: { jkt: 'x', unknown: 1 } });
    await get(`DPoP ${bound}`).expect(200, 'alice');
    await get(`Bearer ${bound}`).expect(200, 'alice');
    expect(schemes).toEqual(['dpop', 'bearer']);
    for (const cnf of [{ jkt: 'x', 'x5t#S256': 'y' }, { 'x5t#S256': 'y' }, { unknown: 1 }, {}, 'jkt', []]) {
      const { body } = await get(`DPoP ${await issuer.sign({ cnf })}`).expect(401);
      expect(body.errorCode).toBe('AUTH_TOKEN_SENDER_CONSTRAINED');
    }
    await get(`Bearer ${await issuer.sign({ sub: 'alice', cnf: null })}`).expect(200, 'alice');
    await get(`Basic ${bound}`).expect(401).expect('WWW-Authenticate', 'Bearer realm="r"');
  });

  it('[P0-2] adds challenges, parameters and headers to the answers, in the order of the list', async () => {
    const { issuer, get } = await boot(
      {
        name: 'metadata',
        answer: (answer, { requirements }) => ({
          ...answer,
          challenges: answer.challenges.map(({ scheme, parameters }) => ({
            scheme,
            parameters: {
              ...parameters,
              scopes: requirements.scopes.join(' '),
              resource_metadata: 'https://x',
            },
          })),
        }),
      },
      {
        name: 'proof',
        answer: (answer, { credentials }) => ({
          ...answer,
          challenges: [...answer.challenges, { scheme: 'DPoP', parameters: { algs: 'ES256' } }],
          headers: { ...answer.headers, 'DPoP-Nonce': String(credentials?.authorization) },
        }),
      },
    );
    const { headers } = await get('Basic x', '/user/scoped').expect(401);
    expect(headers['www-authenticate']).toBe(
      'Bearer realm="r", scopes="a", resource_metadata="https://x", DPoP algs="ES256"',
    );
    expect(headers['dpop-nonce']).toBe('Basic x');
    const denied = await get(`Bearer ${await issuer.sign()}`, '/user/scoped').expect(403);
    expect(denied.headers['www-authenticate']).toContain('error="insufficient_scope"');
  });
});

describe('the option extensions', () => {
  it.each([
    ['no list', {}],
    ['what has no name', [{ answer: () => undefined }]],
    ['a check that is none', [{ name: 'x', tokenCheck: () => undefined }]],
    ['an answer that is no function', [{ name: 'x', answer: {} }]],
  ])('rejects %s at boot', async (_, extensions) => {
    const issuer = await startIssuer();
    const imports = [AuthModule.forRoot({ ...issuer.options(), ...Object({ extensions }) })];
    await expect(Test.createTestingModule({ imports }).compile()).rejects.toThrow(
      /extensions: got .* a list of/,
    );
  });
});
