import { describe, expect, it } from 'vitest';
import { createApp } from '../../../sample-app/create-app.js';
import { explainProblem } from '../../../sample-app/explain-problem.js';
import { startProvider } from '../../../sample-app/provider/embedded-provider.js';
import { readSettings, trust } from '../../../sample-app/settings.js';

/** What a user reads when the sample does not start. */
async function explanationOf(start: () => unknown): Promise<string> {
  try {
    await start();
  } catch (problem) {
    return explainProblem(problem);
  }
  throw new Error('It started');
}

const startWith = (issuer: string) => async () => {
  const app = await createApp(trust(issuer, 'api'), { logger: false });
  await app.init();
};

describe('the settings of the sample', () => {
  it('default to the embedded provider', () => {
    expect(readSettings({})).toEqual({
      port: 3000,
      providerPort: 4000,
      issuer: undefined,
      sharedStore: undefined,
    });
  });

  it('take ports and an issuer from the environment', () => {
    const settings = readSettings({ PORT: '8080', ISSUER: 'https://id.example', AUDIENCE: 'api' });

    expect(settings.port).toBe(8080);
    expect(settings.issuer).toMatchObject({
      issuer: 'https://id.example',
      audience: 'api',
      metadata: { startup: 'require', requireHttps: true },
    });
  });

  it.each(['http://localhost:8080/realms/dev', 'http://127.0.0.1:4000', 'http://[::1]:4000'])(
    'allow http on this machine: %s',
    (issuer) => {
      expect(trust(issuer, 'api').metadata).toMatchObject({ requireHttps: false });
    },
  );

  it('want ISSUER and AUDIENCE together', async () => {
    expect(await explanationOf(() => readSettings({ ISSUER: 'https://id.example' }))).toContain(
      'AUDIENCE is not',
    );
    expect(await explanationOf(() => readSettings({ AUDIENCE: 'api' }))).toContain('ISSUER is not');
  });

  it('want a secret for what is shared through Redis', async () => {
    const redis = { REDIS_URL: 'redis://localhost' };
    expect(await explanationOf(() => readSettings(redis))).toContain('INTEGRITY_KEY is not');
    expect(readSettings({ ...redis, INTEGRITY_KEY: 'secret' }).sharedStore).toEqual({
      redisUrl: 'redis://localhost',
      integrityKey: 'secret',
    });
  });

  it('want a port to be one', async () => {
    expect(await explanationOf(() => readSettings({ PORT: 'http' }))).toContain('PORT is "http"');
  });
});

describe('a sample that cannot start', () => {
  it('names the port that is in use', async () => {
    const provider = await startProvider({ port: 0 });
    const port = Number(new URL(provider.issuer).port);

    const explanation = await explanationOf(() => startProvider({ port }));
    expect(explanation).toContain(`127.0.0.1:${port}`);
    expect(explanation).toContain('PROVIDER_PORT');
    await provider.close();
  });

  it('names the issuer that does not answer, and why', async () => {
    const provider = await startProvider({ port: 0 });
    await provider.close();

    const explanation = await explanationOf(startWith(provider.issuer));
    expect(explanation).toContain(provider.issuer);
    expect(explanation).toContain('ECONNREFUSED');
  });

  it('names the issuer that calls itself something else', async () => {
    const provider = await startProvider({ port: 0 });
    const localhost = provider.issuer.replace('127.0.0.1', 'localhost');

    const explanation = await explanationOf(startWith(localhost));
    expect(explanation).toContain(localhost);
    expect(explanation).toContain('character by character');
    await provider.close();
  });

  it('wants https for an issuer elsewhere', async () => {
    expect(await explanationOf(startWith('http://id.example'))).toContain('https');
  });
});
