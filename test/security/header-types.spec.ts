import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBench } from '../support/apps/bench.js';
import { makeSigner } from '../support/issuers/signer.js';

/** docs/security-checklist.md C, C3 and C8. */
describe('the type of a token', () => {
  const lenient = useBench();
  const strict = useBench({ options: { tokenTypes: ['at+jwt'] } });

  it.each(['at+jwt', 'AT+JWT', 'at+JWT', 'application/at+jwt', 'Application/AT+JWT'])(
    '[C8] accepts %s in lenient and in strict mode',
    async (typ) => {
      await lenient().admits(lenient().token({}, { typ }));
      await strict().admits(strict().token({}, { typ }));
    },
  );

  it.each(['JWT', 'jwt', 'application/jwt', undefined])(
    '[C8] accepts %s, and rejects it in strict mode',
    async (typ) => {
      await lenient().admits(lenient().token({}, { typ }));
      await strict().refuses(strict().token({}, { typ }), 'AUTH_TOKEN_TYPE_REFUSED');
    },
  );

  it.each([
    'logout+jwt',
    'dpop+jwt',
    'secevent+jwt',
    'token-introspection+jwt',
    'id_token+jwt',
    'client-authentication+jwt',
    'statuslist+jwt',
    'JOSE',
    'text/at+jwt',
    'application/application/at+jwt',
    ' at+jwt',
    'at+jwt; charset=utf-8',
    '',
    null,
    7,
    ['at+jwt'],
  ])('[C8] rejects a type that is not that of an access token: %j', async (typ) => {
    await lenient().refuses(lenient().token({}, { typ }), 'AUTH_TOKEN_TYPE_REFUSED');
    await strict().refuses(strict().token({}, { typ }), 'AUTH_TOKEN_TYPE_REFUSED');
  });
});

describe('a key or an address in a token', () => {
  const bench = useBench();
  let canary: TestIssuer | undefined;
  beforeAll(async () => {
    canary = await TestIssuer.start();
  });
  afterAll(() => canary?.close());

  const lures = (jwk: object) => ({
    jwk,
    jku: canary?.jwksUri,
    x5u: `${canary?.url}/canary/x5u`,
    x5c: ['MIIB'],
    x5t: 'x',
  });

  it('[C3] ignores it, and verifies with the key set of the issuer', async () => {
    const attacker = makeSigner('ES256');
    await bench().admits(bench().token({}, lures(attacker.jwk)));
    const { kid } = bench().signer;
    for (const header of [
      lures(attacker.jwk),
      { ...lures(attacker.jwk), kid },
      { ...lures(attacker.jwk), kid: undefined },
    ]) {
      const forged = bench().raw(
        bench().header({ kid: attacker.kid, ...header }),
        bench().claims(),
        attacker.sign,
      );
      await bench().refuses(forged, 'AUTH_TOKEN_SIGNATURE_INVALID');
    }
    expect(canary?.requests).toEqual([]);
  });
});
