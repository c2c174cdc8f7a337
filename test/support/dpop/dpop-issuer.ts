import { TestIssuer, type ManualClock, type TestDpopClient } from 'nestjs-resilient-auth/testing';
import { afterAll, beforeAll } from 'vitest';

/** An issuer and a client with a key, on a clock, for the tests of a `describe`. */
export function useDpopIssuer(clock: ManualClock): () => { issuer: TestIssuer; client: TestDpopClient } {
  let started: { issuer: TestIssuer; client: TestDpopClient } | undefined;
  beforeAll(async () => {
    const issuer = await TestIssuer.start({ audience: 'api', alg: 'ES256', clock });
    started = { issuer, client: await issuer.dpopClient() };
  });
  afterAll(() => started?.issuer.close());
  return () => {
    if (!started) throw new Error('The issuer starts before the first test');
    return started;
  };
}
