import { Test, type TestingModule } from '@nestjs/testing';
import { AuthError, AuthModule, Authenticator, Clock } from 'nestjs-resilient-auth';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import type { Jwk } from './files.js';

const ISSUER = 'https://twins.example';
const AUDIENCE = 'api';
const NOW = Date.UTC(2026, 0, 1);

export interface TwinApiOptions {
  /** Wall-clock time, milliseconds since the epoch. */
  readonly now?: number;
  readonly tokenTypes?: readonly (string | null)[];
}

/**
 * An API that trusts an issuer with the keys of a vector: the whole library, from the module to the key set, and only
 * the network replaced. Twins are real access tokens for it.
 */
export class TwinApi implements AsyncDisposable {
  readonly #module: TestingModule;
  readonly #authenticator: Authenticator;

  private constructor(module: TestingModule) {
    this.#module = module;
    this.#authenticator = module.get(Authenticator);
  }

  static async start(keys: readonly Jwk[], options: TwinApiOptions = {}): Promise<TwinApi> {
    const { now = NOW, ...policy } = options;
    const auth = AuthModule.forRoot({
      issuer: ISSUER,
      audience: AUDIENCE,
      ...policy,
      // Unknown kids are part of many vectors; the budget is not what is tested here, and no clock moves.
      metadata: { fetch: issuerWith(keys), refreshBurst: 100 },
    });
    const builder = Test.createTestingModule({ imports: [auth] });
    const module = await builder.overrideProvider(Clock).useValue(new ManualClock(now)).compile();
    return new TwinApi(await module.init());
  }

  /** `accepted`, or the code of the refusal. What is no error of ours comes out as it is. */
  async answer(token: string): Promise<string> {
    try {
      const { claims } = await this.#authenticator.authenticate(token);
      return claims.sub === SUBJECT ? 'accepted' : 'accepted for somebody else';
    } catch (error) {
      if (error instanceof AuthError) return error.code;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#module.close();
  }
}

const SUBJECT = 'twin';

/** The payload of a twin: the claims of an access token for the API, as a segment. */
export function twinPayload(claims: Readonly<Record<string, unknown>> = {}): string {
  const exp = Math.floor(NOW / 1000) + 300;
  return segment({ iss: ISSUER, aud: AUDIENCE, sub: SUBJECT, exp, ...claims });
}

export const TWIN_PAYLOAD = twinPayload();

/** JSON as a base64url segment of a token. */
export function segment(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function issuerWith(keys: readonly Jwk[]): typeof globalThis.fetch {
  const documents: Readonly<Record<string, unknown>> = {
    [`${ISSUER}/.well-known/openid-configuration`]: { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` },
    [`${ISSUER}/keys`]: { keys },
  };
  return async (address) => Response.json(documents[new Request(address).url]);
}
