import { resolveAuthOptions } from '../../lib/options/resolve-options.js';
import { MetadataRefreshError } from '../../lib/errors/metadata.errors.js';
import { KeyMismatchError, TokenError } from '../../lib/errors/token.errors.js';
import { IssuerMetadata } from '../../lib/keys/issuer-metadata.js';
import { parseKeySet } from '../../lib/keys/parse-key-set.js';
import { parseJws, parseToken } from '../../lib/token/parse/parse-token.js';
import { IssuerDirectory } from '../../lib/token/trusted-issuer.js';
import { verifySignature } from '../../lib/token/verify-signature.js';
import type { Jwk } from './files.js';

/**
 * The reason oracle: how far a token comes.
 *
 * The payloads of the vectors are `foo` and the like. Sent over HTTP every one of them is a 401, on a server that
 * verifies nothing, too. So the steps are taken one by one, with the gates on unverified claims left out: a vector that
 * is said to be valid must come as far as its claims, and one that is not must stop before.
 */
export type Stage = 'structure' | 'header' | 'key' | 'signature' | 'claims' | 'accepted';

export interface Policy {
  readonly algorithms?: readonly string[];
  readonly tokenTypes?: readonly (string | null)[];
}

const ISSUER = 'https://vectors.example';
const NOW = Date.UTC(2026, 0, 1);

/** How far this token comes at a server whose issuer publishes these keys. */
export async function stageOf(token: string, published: readonly Jwk[], policy: Policy = {}): Promise<Stage> {
  const options = resolveAuthOptions({ issuer: ISSUER, audience: 'api', ...policy }, {});
  const [issuer] = options.issuers;
  if (!issuer) throw new Error('no issuer');
  try {
    const { header } = parseJws(token, issuer, options.tokenMaxLength);
    const { keys } = await parseKeySet({ keys: published }, issuer.metadata.algorithms, undefined);
    const claims = { iss: ISSUER, exp: Number.MAX_SAFE_INTEGER };
    verifySignature(
      { token, header, claims, issuer, tenantId: undefined },
      new IssuerMetadata(ISSUER, `${ISSUER}/keys`, keys),
    );
  } catch (error) {
    return stageOfRefusal(error);
  }
  try {
    parseToken(token, new IssuerDirectory(options.issuers), NOW, options.tokenMaxLength);
    return 'accepted';
  } catch (error) {
    if (error instanceof TokenError) return 'claims';
    throw error;
  }
}

/** The stage a typed error belongs to. What is no typed refusal is a fault of library or harness, and goes on up. */
function stageOfRefusal(error: unknown): Stage {
  if (error instanceof MetadataRefreshError && error.fault === 'no-usable-key') return 'key';
  if (error instanceof KeyMismatchError) {
    if (error.code === 'AUTH_TOKEN_ALGORITHM_REFUSED') return 'key';
    // The Authenticator adds the cause when no key fits.
    if (error.cause === undefined) return 'key';
    // A key or a token that the verifier cannot work with would mean that nothing was verified at all.
    if (!(error.cause instanceof TypeError)) return 'signature';
  } else if (error instanceof TokenError) {
    if (error.code === 'AUTH_TOKEN_MALFORMED') return 'structure';
    if (error.code === 'AUTH_TOKEN_ALGORITHM_REFUSED' || error.code === 'AUTH_TOKEN_TYPE_REFUSED')
      return 'header';
  }
  throw error;
}

/** Counts what came of each vector, so that a run that checked nothing cannot look like a perfect one. */
export class Tally {
  readonly #counts = new Map<Stage, number>();

  add(stage: Stage): void {
    this.#counts.set(stage, (this.#counts.get(stage) ?? 0) + 1);
  }

  get counts(): Partial<Record<Stage, number>> {
    return Object.fromEntries(this.#counts);
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }
}
