import type { AuthModuleExtras } from 'nestjs-resilient-auth';
import {
  TestIssuer,
  type TestIssuerModuleOptions,
  type TestIssuerOptions,
} from 'nestjs-resilient-auth/testing';
import type { Response } from 'supertest';
import { onTestFinished } from 'vitest';
import { Api, type ApiSettings } from './api.js';
import type { CreateApplication } from './platforms.js';

/** An issuer, an API that trusts it, and requests with its tokens. */
export interface IssuerAndApi {
  readonly issuer: TestIssuer;
  readonly api: Api;
  /** A request with a token of these claims; without claims, with no token. */
  readonly get: (path: string, claims?: object) => Promise<Response>;
}

/** Both on one clock, both closed when the test ends. */
export async function issuerAndApi(
  create: CreateApplication,
  { secureByDefault, isGlobal, ...options }: Partial<TestIssuerModuleOptions> & AuthModuleExtras = {},
  settings: ApiSettings = {},
): Promise<IssuerAndApi> {
  const issuer = await startIssuer(settings.clock && { clock: settings.clock });
  const api = await startApi(create, { ...issuer.options(options), secureByDefault, isGlobal }, settings);
  const get = async (path: string, claims?: object): Promise<Response> =>
    api.get(path, claims && (await issuer.sign({ ...claims })));
  return { issuer, api, get };
}

export async function startIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const issuer = await TestIssuer.start({ audience: 'api', alg: 'ES256', ...options });
  onTestFinished(() => issuer.close());
  return issuer;
}

export async function startApi(...parameters: Parameters<typeof Api.start>): Promise<Api> {
  const api = await Api.start(...parameters);
  onTestFinished(() => api[Symbol.asyncDispose]());
  return api;
}
