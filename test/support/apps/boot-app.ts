import { AuthModule, type AuthModuleExtras } from 'nestjs-resilient-auth';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { onTestFinished } from 'vitest';
import { startIssuer } from './start-api.js';
import { platforms } from './platforms.js';

type Metadata = Parameters<typeof Test.createTestingModule>[0];

/** An application of the test's own controllers that trusts a new issuer, and requests with tokens of given claims. */
export async function bootApp(
  { imports = [], ...rest }: Metadata,
  extras: AuthModuleExtras = {},
  create = platforms[0].create,
) {
  const issuer = await startIssuer();
  const module = AuthModule.forRoot({ ...issuer.options(), ...extras });
  const app = await create(Test.createTestingModule({ imports: [module, ...imports], ...rest }));
  onTestFinished(() => app.close());
  /** With no claims: without a token. */
  const get = async (path: string, claims?: object) => {
    const test = request(app.getHttpServer()).get(path);
    return claims ? test.set('Authorization', `Bearer ${await issuer.sign({ ...claims })}`) : test;
  };
  const statusOf = async (path: string, claims?: object) => (await get(path, claims)).status;
  return { issuer, app, get, statusOf };
}
