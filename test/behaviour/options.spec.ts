import { inspect } from 'node:util';
import { Test } from '@nestjs/testing';
import { AuthConfigurationError, AuthModule, type MetadataOptions } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';

/** Option, the two values just out of its bounds (where it has two), and what the message must say of the bound. */
const bounds: readonly [keyof MetadataOptions, readonly unknown[], RegExp][] = [
  ['automaticRefreshInterval', [999, '25h'], /1s.*24h/],
  ['refreshInterval', ['999ms', 3_600_001], /1s.*1h/],
  ['refreshBurst', [0, 101, 1.5], /1.*100/],
  ['refreshWait', [-1, '61s'], /0s.*60s/],
  ['maxWaiting', [0, '10'], /at least 1/],
  ['timeout', [99, '31s'], /100ms.*30s/],
  ['lastKnownGoodLifetime', [-1, 'a day', '60'], /at least 0s/],
  ['startup', ['eager'], /wait.*require.*lazy/],
  ['requireHttps', ['false'], /true or false/],
  ['maxResponseSize', [1023], /at least 1024/],
  ['fetch', [{}], /function/],
  ['store', [{}], /load and save/],
];

describe('an option out of its bounds', () => {
  it.each(bounds.flatMap(([option, values, bound]) => values.map((value) => ({ option, value, bound }))))(
    '[7] metadata.$option = $value is refused at boot with name, value and bound',
    async ({ option, value, bound }) => {
      const error = await boot({ [option]: value });
      expect(error.problems).toHaveLength(1);
      const [problem] = error.problems;
      expect(problem?.option).toBe(`metadata.${option}`);
      expect(problem?.allowed).toMatch(bound);
      const shown = inspect(value);
      expect(problem?.given).toContain(shown);
      expect(error.message).toContain(shown);
      expect(error.message).toContain(`metadata.${option}`);
    },
  );

  it('[7] is reported together with all the others', async () => {
    const wrong = Object.fromEntries(bounds.map(([option, [value]]) => [option, value]));
    const error = await boot(wrong, {
      clockTolerance: '6m',
      audience: [],
      algorithms: ['HS256'],
      realm: '"',
    });
    const reported = error.problems.map(({ option }) => option.replace(/\[\d+\]$/, ''));
    const expected = bounds.map(([option]) => `metadata.${option}`);
    expect(new Set(reported)).toEqual(
      new Set([...expected, 'clockTolerance', 'audience', 'algorithms', 'realm']),
    );
    for (const option of reported) expect(error.message).toContain(option);
  });

  it('[7] does not stop a value exactly on its bound', async () => {
    const lowest = { automaticRefreshInterval: '1s', refreshInterval: 1000, refreshBurst: 1, refreshWait: 0 };
    const highest = { automaticRefreshInterval: '24h', refreshInterval: '1h', refreshBurst: 100 };
    const rest = { lastKnownGoodLifetime: 0, maxWaiting: 1, maxResponseSize: 1024, startup: 'lazy' };
    await expect(compile({ ...lowest, ...rest, timeout: 100 })).resolves.toBeDefined();
    await expect(compile({ ...highest, ...rest, timeout: '30s', refreshWait: '60s' })).resolves.toBeDefined();
  });
});

async function boot(metadata: object, options: object = {}): Promise<AuthConfigurationError> {
  const error: unknown = await compile(metadata, options).catch((reason: unknown) => reason);
  if (error instanceof AuthConfigurationError) return error;
  throw new Error('The application booted', { cause: error });
}

async function compile(metadata: object, options: object = {}): Promise<unknown> {
  const all = { issuer: 'https://issuer.test', audience: 'api', metadata, ...options };
  return Test.createTestingModule({ imports: [AuthModule.forRoot(all)] }).compile();
}
