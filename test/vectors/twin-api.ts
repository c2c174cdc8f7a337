import { AuthError } from 'nestjs-resilient-auth';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { Scene } from '../support/apps/scene.js';
import { ScriptedIssuer } from '../support/issuers/scripted-issuer.js';
import type { Jwk } from './files.js';

const ISSUER = 'https://twins.example';
const AUDIENCE = 'api';
const NOW = Date.UTC(2026, 0, 1);

export interface TwinApiOptions {
  /** Wall-clock time, milliseconds since the epoch. */
  readonly now?: number;
  readonly tokenTypes?: readonly (string | null)[];
}

/** A scene whose issuer publishes the keys of a vector. Twins are real access tokens for it. */
export class TwinApi extends Scene {
  static async start(keys: readonly Jwk[], options: TwinApiOptions = {}): Promise<TwinApi> {
    const { now = NOW, ...issuer } = options;
    const clock = new ManualClock(now);
    const at = new ScriptedIssuer(clock, ISSUER);
    at.published = keys;
    // Unknown kids are part of many vectors; the budget is not what is tested here, and no clock moves.
    const api = new TwinApi({ clock, at, issuer, metadata: { refreshBurst: 100 } });
    await api.start();
    return api;
  }

  /** `accepted`, or the code of the refusal. What is no error of ours comes out as it is. */
  async answer(token: string): Promise<string> {
    try {
      const { claims } = await this.authenticator.authenticate(token);
      return claims.sub === SUBJECT ? 'accepted' : 'accepted with another subject';
    } catch (error) {
      if (error instanceof AuthError) return error.code;
      throw error;
    }
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
