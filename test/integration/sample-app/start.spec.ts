import { describe, expect, it } from 'vitest';
import { createApp } from '../../../sample-app/create-app.js';
import { explainProblem } from '../../../sample-app/explain-problem.js';
import { startProvider } from '../../../sample-app/provider/embedded-provider.js';
import { readSettings, trust } from '../../../sample-app/settings.js';
import { welcome, welcomeWithIssuer } from '../../../sample-app/welcome.js';

/** The text printed when the sample does not start. */
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
  it('returns the embedded provider when nothing is set', () => {
    expect(readSettings({})).toEqual({
      port: 3000,
      providerPort: 4000,
      messagePort: 0,
      issuer: undefined,
      sharedStore: undefined,
    });
  });

  it('returns ports and issuer when they are set', () => {
    const settings = readSettings({ PORT: '8080', ISSUER: 'https://id.example', AUDIENCE: 'api' });

    expect(settings.port).toBe(8080);
    expect(settings.issuer).toMatchObject({
      issuer: 'https://id.example',
      audience: 'api',
      metadata: { startup: 'require', requireHttps: true },
    });
  });

  it.each(['http://localhost:8080/realms/dev', 'http://127.0.0.1:4000', 'http://[::1]:4000'])(
    'returns an issuer without https when it is on loopback: %s',
    (issuer) => {
      expect(trust(issuer, 'api').metadata).toMatchObject({ requireHttps: false });
    },
  );

  it('throws when one of ISSUER and AUDIENCE is missing', async () => {
    expect(await explanationOf(() => readSettings({ ISSUER: 'https://id.example' }))).toContain(
      'AUDIENCE is not',
    );
    expect(await explanationOf(() => readSettings({ AUDIENCE: 'api' }))).toContain('ISSUER is not');
  });

  it('throws when REDIS_URL is set without INTEGRITY_KEY', async () => {
    const redis = { REDIS_URL: 'redis://localhost' };
    expect(await explanationOf(() => readSettings(redis))).toContain('INTEGRITY_KEY is not');
    expect(readSettings({ ...redis, INTEGRITY_KEY: 'secret' }).sharedStore).toEqual({
      redisUrl: 'redis://localhost',
      integrityKey: 'secret',
    });
  });

  it('throws when the embedded provider would run in production', async () => {
    const production = { NODE_ENV: 'production' };
    expect(await explanationOf(() => readSettings(production))).toContain('NODE_ENV is "production"');
    const own = { ...production, ISSUER: 'https://id.example', AUDIENCE: 'api' };
    expect(readSettings(own).issuer).toEqual({
      issuer: 'https://id.example',
      audience: 'api',
      metadata: { startup: 'require', requireHttps: true },
    });
  });

  it('throws when PORT is no port', async () => {
    expect(await explanationOf(() => readSettings({ PORT: 'http' }))).toContain('PORT is "http"');
  });
});

describe('a sample that cannot start', () => {
  it('returns the port when it is in use', async () => {
    const provider = await startProvider({ port: 0 });
    const port = Number(new URL(provider.issuer).port);

    const explanation = await explanationOf(() => startProvider({ port }));
    expect(explanation).toContain(`127.0.0.1:${port}`);
    expect(explanation).toContain('PROVIDER_PORT');
    await provider.close();
  });

  it('returns issuer and cause when the issuer does not answer', async () => {
    const provider = await startProvider({ port: 0 });
    await provider.close();

    const explanation = await explanationOf(startWith(provider.issuer));
    expect(explanation).toContain(provider.issuer);
    expect(explanation).toContain('ECONNREFUSED');
  });

  it('returns both names when the issuer calls itself something else', async () => {
    const provider = await startProvider({ port: 0 });
    const localhost = provider.issuer.replace('127.0.0.1', 'localhost');

    const explanation = await explanationOf(startWith(localhost));
    expect(explanation).toContain(localhost);
    expect(explanation).toContain('character by character');
    await provider.close();
  });

  it('returns the https rule when the issuer is on another machine', async () => {
    expect(await explanationOf(startWith('http://id.example'))).toContain('https');
  });
});

describe('the printed help', () => {
  const api = 'http://127.0.0.1:3000';
  const texts = [
    welcome(api, 5000, 'http://127.0.0.1:4000'),
    welcomeWithIssuer(api, 5000, 'https://id.example', 'https://orders.example'),
  ];

  it('returns the routes of every feature when it is printed', () => {
    for (const text of texts) {
      expect(text).toMatch(/GET +\/orders +requires scope orders:read/);
      expect(text).toMatch(/POST +\/graphql +requires scope orders:read/);
      expect(text).toMatch(/WS +\/live +requires scope orders:read/);
      expect(text).toMatch(/TCP +orders\.list +requires scope orders:read/);
      expect(text).toMatch(/POST +\/refunds +requires scope orders:write, and a login/);
      expect(text).toMatch(/MCP +\/mcp +requires scope orders:read/);
      expect(text).toMatch(/curl .*\/\.well-known\/oauth-protected-resource\n.*curl .*\/mcp /);
      expect(text).toMatch(/GET +\/health +requires nothing/);
    }
  });

  it('returns the address of the playground first when there is one', () => {
    const [first] = texts[0]?.trim().split('\n') ?? [];
    expect(first).toMatch(/^Playground +http:\/\/127\.0\.0\.1:3000\/ /);
    expect(texts[1]).not.toContain('Playground');
  });

  it('returns comments of letters, digits, commas and full stops when a shell is to read them', () => {
    // An interactive zsh reads comments as commands: an apostrophe opens a string, a parenthesis a glob.
    for (const comment of texts.join('\n').match(/^ *#.*$/gm) ?? []) {
      expect(comment).toMatch(/^ {2}# [a-z0-9 ,.]+$/i);
    }
  });
});
