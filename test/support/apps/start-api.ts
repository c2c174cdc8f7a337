import {
  TestIssuer,
  type TestIssuerModuleOptions,
  type TestIssuerOptions,
} from 'nestjs-resilient-auth/testing';
import { onTestFinished } from 'vitest';
import { Api } from './api.js';
import type { CreateApplication } from './platforms.js';

/** An issuer and an API that trusts it, both gone when the test is over. */
export async function issuerAndApi(
  create: CreateApplication,
  options: Partial<TestIssuerModuleOptions> = {},
  issuerOptions: TestIssuerOptions = {},
): Promise<{ issuer: TestIssuer; api: Api }> {
  const issuer = await startIssuer(issuerOptions);
  return { issuer, api: await startApi(create, issuer.options(options)) };
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
