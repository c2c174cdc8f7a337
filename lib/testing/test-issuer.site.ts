import { jsonAnswer, NOT_FOUND, type Answer, type TestIssuerEndpoint } from './test-issuer.answers.js';

export interface SiteOptions {
  readonly origin: string;
  /** Path of the issuer, behind the origin. */
  readonly path: string;
  readonly metadata: 'openid' | 'oauth';
  readonly alg: string;
  readonly keySet: () => Promise<unknown>;
}

/** The documents of an issuer and where they are. */
export class TestIssuerSite {
  /** The issuer identifier. */
  readonly issuer: string;
  readonly metadataAddress: string;
  readonly #options: SiteOptions;
  #moves = 0;

  constructor(options: SiteOptions) {
    const { origin, path, metadata } = options;
    this.#options = options;
    this.issuer = `${origin}${path}`;
    // OpenID Connect Discovery 1.0 §4.1 appends, less a final slash; RFC 8414 §3.1 inserts between host and path.
    this.metadataAddress =
      metadata === 'openid'
        ? `${origin}${withoutSlash(path)}/.well-known/openid-configuration`
        : `${origin}/.well-known/oauth-authorization-server${withoutSlash(path)}`;
  }

  get jwksUri(): string {
    const { origin, path } = this.#options;
    return `${origin}${withoutSlash(path)}/jwks${this.#moves === 0 ? '' : `-${this.#moves + 1}`}`;
  }

  moveJwks(): void {
    this.#moves += 1;
  }

  endpointAt(path: string): TestIssuerEndpoint {
    if (path.startsWith('/canary/')) return 'canary';
    if (path.includes('/.well-known/')) return 'discovery';
    return /\/jwks(-\d+)?$/.test(path) ? 'jwks' : 'other';
  }

  async answerAt(path: string): Promise<Answer> {
    const address = `${this.#options.origin}${path}`;
    // The true answer: otherwise a client that follows the redirect would fail for another reason.
    if (address === this.metadataAddress || path === '/canary/discovery')
      return jsonAnswer(this.#discovery());
    if (address === this.jwksUri || path === '/canary/jwks') return jsonAnswer(await this.#options.keySet());
    return NOT_FOUND;
  }

  /** The members OpenID Connect Discovery 1.0 §3 requires. */
  #discovery(): object {
    const base = withoutSlash(this.issuer);
    return {
      issuer: this.issuer,
      authorization_endpoint: `${base}/authorize`,
      token_endpoint: `${base}/token`,
      jwks_uri: this.jwksUri,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [this.#options.alg],
    };
  }
}

function withoutSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text;
}
