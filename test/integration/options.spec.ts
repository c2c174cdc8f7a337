import { Test } from '@nestjs/testing';
import { AuthConfigurationError, AuthModule } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';

const valid = { issuer: 'https://issuer.test', audience: 'api' };

/** What boot says about options, as a user without a compiler would write them. */
async function bootError(options: object): Promise<AuthConfigurationError> {
  const compile = Test.createTestingModule({
    imports: [AuthModule.forRootAsync({ useFactory: () => Object.assign(Object.create(null), options) })],
  }).compile();
  const error: unknown = await compile.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AuthConfigurationError) return error;
  throw new Error(`expected an AuthConfigurationError, got ${String(error)}`);
}

describe('a boot with wrong options', () => {
  it('[7] rejects with every problem, its option, value and bounds when several options are wrong', async () => {
    const error = await bootError({
      issuer: 'https://issuer.test',
      tokenMaxLength: -1,
      algorithms: ['HS256'],
      clockTolerance: '10m',
      metadata: { timeout: '60', refreshBurst: 0 },
      isuer: 'typo',
    });
    expect(error.code).toBe('AUTH_CONFIGURATION_INVALID');
    expect(error.problems.map(({ option }) => option).toSorted()).toEqual([
      'algorithms[0]',
      'audience',
      'clockTolerance',
      'isuer',
      'metadata.refreshBurst',
      'metadata.timeout',
      'tokenMaxLength',
    ]);
    expect(error.message).toContain(
      "metadata.timeout: got '60'; allowed: milliseconds or a string with its unit, from 100ms to 30s",
    );
    expect(error.message).toContain(
      "clockTolerance: got '10m'; allowed: a string with its unit, from 0s to 5m",
    );
  });

  it('rejects and names the place of an extra when a factory returned it', async () => {
    const { message } = await bootError({ ...valid, secureByDefault: true });
    expect(message).toMatch(/secureByDefault.*beside useFactory, useClass or useExisting/);
  });

  it('rejects an unknown name when it stands beside the factory', async () => {
    const options = { useFactory: () => valid, secureByDefalt: true };
    await expect(
      Test.createTestingModule({ imports: [AuthModule.forRootAsync(options)] }).compile(),
    ).rejects.toThrow(/secureByDefalt/);
  });

  it.each([
    { scopes: '' },
    { scopes: 'realm_access..roles' },
    { scopes: 'https://api.example.com/scopes' },
    { scopes: 7 },
    { roles: [] },
    { roles: ['realm_access', ''] },
    { roles: { claim: 'roles' } },
  ])('rejects with a hint at claim paths when the options hold %j', async (change) => {
    const { problems } = await bootError({ ...valid, ...change });
    expect(problems.map(({ option }) => option)).toEqual(Object.keys(change));
    expect(problems[0]?.allowed).toContain("a claim path such as 'realm_access.roles'");
  });
});
