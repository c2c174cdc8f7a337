import { TokenMissingError } from '../errors/request.errors.js';
import type { AuthenticatedToken } from './authenticated-token.js';
import { assertHeaderLength, bearerToken } from './bearer-token.js';
import type { ResolvedAuthOptions } from './resolved-options.js';

/** Takes the token out of a request and has it authenticated once, however many guards ask. */
export class RequestAuthentication {
  readonly #results = new WeakMap<object, Promise<AuthenticatedToken>>();
  readonly #tokens = new WeakMap<object, AuthenticatedToken>();

  constructor(
    private readonly options: Pick<ResolvedAuthOptions, 'jwtFromRequest' | 'tokenMaxLength'>,
    private readonly authenticate: (token: string, request: object) => Promise<AuthenticatedToken>,
  ) {}

  /** @throws {AuthError} what became of it; the same one every time for the same request */
  resultOf(request: object): Promise<AuthenticatedToken> {
    const known = this.#results.get(request);
    if (known) return known;
    const result = this.#authenticate(request);
    this.#results.set(request, result);
    return result;
  }

  /** What a request was authenticated with, if it was. */
  tokenOf(request: object): AuthenticatedToken | undefined {
    return this.#tokens.get(request);
  }

  async #authenticate(request: object): Promise<AuthenticatedToken> {
    const token = await this.authenticate(this.#extract(request), request);
    this.#tokens.set(request, token);
    return token;
  }

  #extract(request: object): string {
    const { jwtFromRequest, tokenMaxLength } = this.options;
    if (!jwtFromRequest) return bearerToken(request);
    assertHeaderLength(request, tokenMaxLength);
    const token: unknown = jwtFromRequest(request);
    if (typeof token !== 'string' || token === '') throw new TokenMissingError();
    return token;
  }
}
