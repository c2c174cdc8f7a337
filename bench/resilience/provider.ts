import '../support/shifted-clock.js';
import { subscribe } from 'node:diagnostics_channel';
import { TestIssuer, type TestIssuerFailure } from 'nestjs-resilient-auth/testing';
import { expose } from '../support/remote.js';
import { advanceBy } from '../support/shifted-clock.js';
import { confused, publishedKeys, tokensOfUnknownKeys, unsigned } from './forgeries.js';

/** No row lasts longer, so no token expires in one. */
const LIFETIME = '3d';

/** The identity provider: a process of its own, controlled by the bench. */
export class Provider {
  private constructor(
    private readonly issuer: TestIssuer,
    /** The attacker to whom a hijacked provider redirects. */
    private readonly impostor: TestIssuer,
  ) {}

  static async start(): Promise<Provider> {
    const [issuer, impostor] = await Promise.all([TestIssuer.start(), TestIssuer.start()]);
    await issuer.signingKey();
    return new Provider(issuer, impostor);
  }

  addresses(): { issuer: string; jwksUri: string; audience: string } {
    return { issuer: this.issuer.url, jwksUri: this.issuer.jwksUri, audience: String(this.issuer.audience) };
  }

  /** Fresh tokens, signed by the named key or by the present one. */
  async mint(count: number, kid?: string): Promise<string[]> {
    const sign = (_: unknown, index: number): Promise<string> =>
      this.issuer.sign({ sub: `user-${index}` }, { expiresIn: LIFETIME, ...(kid !== undefined && { kid }) });
    return Promise.all(Array.from({ length: count }, sign));
  }

  /** Tokens that name the present key and were not signed with it: by an attacker's key, and one keyed with the public key. */
  async forgeries(): Promise<string[]> {
    const token = await this.issuer.sign({ sub: 'admin' }, { expiresIn: LIFETIME });
    return [...unsigned(token), ...(await confused(this.issuer, LIFETIME))];
  }

  /** Plausible tokens of keys that do not exist. */
  async tokensOfUnknownKeys(count: number): Promise<string[]> {
    return tokensOfUnknownKeys(await this.issuer.sign({ sub: 'admin' }, { expiresIn: LIFETIME }), count);
  }

  async signingKey(): Promise<string> {
    return (await this.issuer.signingKey()).kid;
  }

  async rotateKeys(keepOld: boolean): Promise<void> {
    await this.issuer.rotateKeys({ keepOld });
  }

  /** Makes an unpublished key and tokens of it. {@link rollOver} then replaces all other keys with it, without delay. */
  async prepareRollover(count: number): Promise<string[]> {
    const { kid } = await this.issuer.publishKey();
    const { keys } = await publishedKeys(this.issuer);
    this.issuer.removeKey(kid);
    this.#prepared = { jwk: keys.find((key) => key.kid === kid), kid };
    return this.mint(count, kid);
  }
  #prepared: { readonly jwk: unknown; readonly kid: string } | undefined;

  async rollOver(): Promise<void> {
    if (!this.#prepared) throw new Error('No rollover was prepared');
    const old = await this.signingKey();
    this.issuer.publishRaw(this.#prepared.jwk);
    this.issuer.useKey(this.#prepared.kid);
    this.issuer.removeKey(old);
  }

  /** A second key beside the signing key. */
  async publishKey(): Promise<string> {
    return (await this.issuer.publishKey()).kid;
  }

  removeKey(kid: string): void {
    this.issuer.removeKey(kid);
  }

  async replaceKeyMaterial(): Promise<void> {
    await this.issuer.replaceKeyMaterial(await this.signingKey());
  }

  moveJwks(): void {
    this.issuer.moveJwks();
  }

  fail(failure: TestIssuerFailure): void {
    this.issuer.fail(failure);
  }

  recover(): void {
    this.issuer.recover();
    this.issuer.respondWith('all', {});
  }

  /** The key set answers with a redirect to an attacker's. @returns tokens of that attacker, in our issuer's name */
  async redirectToAttacker(count: number): Promise<string[]> {
    this.issuer.respondWith('jwks', { location: this.impostor.jwksUri });
    this.issuer.fail({ endpoint: 'jwks', mode: { status: 302 } });
    const claims = { iss: this.issuer.url, sub: 'admin' };
    const sign = (): Promise<string> => this.impostor.sign(claims, { expiresIn: LIFETIME });
    return Promise.all(Array.from({ length: count }, sign));
  }

  /** From now on every other answer comes from a node that lacks the keys published since this call. */
  async leaveOneNodeBehind(): Promise<void> {
    const body = JSON.stringify(await publishedKeys(this.issuer));
    this.clearCalls();
    let isBehind = false;
    let seen = 0;
    subscribe('http.server.response.finish', () => {
      const answered = this.issuer.requests.filter(({ endpoint }) => endpoint === 'jwks').length;
      if (answered === seen) return;
      seen = answered;
      isBehind = !isBehind;
      if (isBehind) this.issuer.fail({ endpoint: 'jwks', mode: { body } });
      else this.issuer.recover('jwks');
    });
  }

  /** HTTP requests received since the last {@link clearCalls}, those a redirect led to the attacker included. */
  calls(): number {
    return this.issuer.requests.length + this.impostor.requests.length;
  }

  clearCalls(): void {
    this.issuer.clearRequests();
    this.impostor.clearRequests();
  }

  async advance(milliseconds: number): Promise<void> {
    await advanceBy(milliseconds);
  }
}

// Imported for its type alone by the bench, this file runs only as a process.
if (process.send) expose(await Provider.start());
