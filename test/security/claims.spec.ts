import { AuthConfigurationError } from 'nestjs-resilient-auth';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { describe, expect, it } from 'vitest';
import { Api } from '../support/apps/api.js';
import { platforms } from '../support/apps/platforms.js';
import { Bench, useBench } from '../support/apps/bench.js';

const [{ create }] = platforms;
const now = () => Date.now() / 1000;
const CLAIM = 'AUTH_TOKEN_CLAIM_INVALID';

/** docs/security-checklist.md F, F1 to F3. Raw JSON, because JSON.stringify would write 1e999 as null. */
describe('the dates of a token', () => {
  const bench = useBench();
  const withDate = (name: string, text: string) => {
    const claims = JSON.stringify(bench().claims({ [name]: '@' })).replace('"@"', () => text);
    return bench().raw(bench().header(), claims);
  };

  it.each(['exp', 'nbf', 'iat'])(
    '[F1] [F2] accepts %s when it is a number, and rejects other types and values',
    async (name) => {
      const soon = String(Math.floor(name === 'exp' ? now() + 60 : now() - 60));
      await bench().admits(withDate(name, soon));
      await bench().admits(withDate(name, `${soon}.75`));
      if (name === 'exp') await bench().refuses(withDate(name, 'null'), CLAIM);
      else await bench().admits(withDate(name, 'null'));
      for (const text of [`"${soon}"`, `[${soon}]`, '{}', 'true', '-1', '-1e300', '1e999', '-1e999', '""'])
        await bench().refuses(withDate(name, text), CLAIM);
    },
  );

  it('[F1] rejects a token without exp or whose exp has passed', async () => {
    await bench().refuses(bench().token({ exp: undefined }), CLAIM);
    for (const exp of [now() - 31, now() - 3600, 0, 1])
      await bench().refuses(bench().token({ exp }), 'AUTH_TOKEN_EXPIRED');
    await bench().admits(bench().token({ exp: now() - 5 }));
  });

  it('[F2] rejects a token whose nbf is ahead by more than the clock tolerance', async () => {
    await bench().refuses(bench().token({ nbf: now() + 60 }), 'AUTH_TOKEN_NOT_YET_VALID');
    await bench().admits(bench().token({ iat: now() + 3600 }));
    await bench().admits(bench().token({ nbf: now() + 5, iat: now() + 5 }));
    await bench().admits(bench().token({ nbf: undefined, iat: undefined }));
  });

  it('[F2] rejects a token older than maxTokenAge, and one without iat', async () => {
    await using aging = await Bench.open({ options: { maxTokenAge: '10m' } });
    await aging.admits(aging.token({ iat: now() - 300 }));
    await aging.refuses(aging.token({ iat: now() - 700 }), 'AUTH_TOKEN_EXPIRED');
    await aging.refuses(aging.token({ iat: now() + 3600 }), 'AUTH_TOKEN_NOT_YET_VALID');
    await aging.admits(aging.token({ iat: now() + 5 }));
    for (const iat of [undefined, null]) await aging.refuses(aging.token({ iat }), CLAIM);
  });

  it('[F3] accepts dates within the configured tolerance, and no others', async () => {
    await using strict = await Bench.open({ options: { clockTolerance: '0s' } });
    await strict.refuses(strict.token({ exp: now() - 2 }), 'AUTH_TOKEN_EXPIRED');
    await strict.refuses(strict.token({ nbf: now() + 5 }), 'AUTH_TOKEN_NOT_YET_VALID');
    await using loose = await Bench.open({ options: { clockTolerance: '5m' } });
    await loose.admits(loose.token({ exp: now() - 200 }));
    await loose.refuses(loose.token({ exp: now() - 310 }), 'AUTH_TOKEN_EXPIRED');
  });

  it.each<[option: 'clockTolerance' | 'maxTokenAge', value: string]>([
    ['clockTolerance', '60'],
    ['clockTolerance', '-1s'],
    ['clockTolerance', '6m'],
    ['clockTolerance', 'Infinity'],
    ['clockTolerance', 'Infinity s'],
    ['clockTolerance', 'NaN'],
    ['clockTolerance', ''],
    ['clockTolerance', `1${'0'.repeat(400)}s`],
    ['maxTokenAge', '0s'],
    ['maxTokenAge', '3600'],
    ['maxTokenAge', 'Infinity'],
  ])('[F3] rejects the boot when %s is %j', async (option, value) => {
    await using issuer = await TestIssuer.start();
    await expect(Api.start(create, issuer.options({ [option]: value }))).rejects.toThrow(
      AuthConfigurationError,
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 60, null])(
    '[F3] rejects the boot when clockTolerance has no unit: %s',
    async (value) => {
      await using issuer = await TestIssuer.start();
      const options = { ...issuer.options(), ...JSON.parse('{}'), clockTolerance: value };
      await expect(Api.start(create, options)).rejects.toThrow(/clockTolerance/);
    },
  );
});

describe('the issuer of a token', () => {
  const bench = useBench();
  const ISSUER = 'AUTH_TOKEN_ISSUER_UNKNOWN';

  it('[F4] accepts the configured issuer when it is equal to the letter, and no other', async () => {
    const { url } = bench().issuer;
    await bench().admits(bench().token());
    for (const iss of [
      [url],
      [url, url],
      { iss: url },
      null,
      7,
      '',
      undefined,
      `${url}/`,
      url.toUpperCase(),
      `${url}%2F`,
      ` ${url}`,
      `${url}\n`,
      `${url}#`,
      `${url}?x=1`,
      url.slice(0, -1),
      `${url}0`,
      url.replace('127.0.0.1', 'localhost'),
      url.replace('http:', 'https:'),
      url.replace('127.0.0.1', '127.1'),
      `https://evil.example/${url}`,
      '__proto__',
    ]) {
      await bench().refuses(bench().token({ iss }), ISSUER);
    }
  });

  it('[F4] returns the same verdict when a token comes fifty times', async () => {
    const [good, bad] = [bench().token(), bench().token({ iss: `${bench().issuer.url}/` })];
    for (let i = 0; i < 50; i++) {
      await bench().admits(good);
      await bench().refuses(bad, ISSUER);
    }
  });
});

describe('the audience of a token', () => {
  const bench = useBench({ options: { audience: ['api', 'https://api.example/'] } });
  const AUDIENCE = 'AUTH_TOKEN_AUDIENCE_MISMATCH';

  it('[F6] accepts one of the configured audiences, alone or in a list of strings', async () => {
    for (const aud of [
      'api',
      ['api'],
      ['other', 'api'],
      'https://api.example/',
      ['https://api.example/', 'x'],
    ])
      await bench().admits(bench().token({ aud }));
    for (const aud of [
      'api2',
      'ap',
      'API',
      ' api',
      'api ',
      'api,other',
      'api other',
      '',
      '*',
      [],
      ['x'],
      [['api']],
      {},
      { api: true },
      { 0: 'api', length: 1 },
      ['api', 7],
      ['api', null],
      null,
      true,
      7,
      undefined,
    ]) {
      await bench().refuses(bench().token({ aud }), AUDIENCE);
    }
  });

  it('[F7] compares the audience as a string and does not normalize a URL', async () => {
    for (const aud of [
      'https://api.example',
      'HTTPS://api.example/',
      'https://API.example/',
      'https://api.example:443/',
      'https://api.example/#',
    ])
      await bench().refuses(bench().token({ aud }), AUDIENCE);
  });

  // Each in a list of its own: Vitest spreads a row that is a list.
  it.each([[undefined], [''], [[]], [['']], [['api', '']], [{}], [false]])(
    '[F6] rejects the boot when the audience is %j',
    async (audience) => {
      await using issuer = await TestIssuer.start();
      const options = { ...issuer.options(), ...JSON.parse(JSON.stringify({ audience: audience ?? {} })) };
      await expect(Api.start(create, options)).rejects.toThrow(/audience/);
    },
  );

  it('[F6] accepts any audience when the option is null', async () => {
    await using open = await Bench.open({ options: { audience: null } });
    for (const aud of ['other', undefined, []]) await open.admits(open.token({ aud }));
  });
});
