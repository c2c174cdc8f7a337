import { TestIssuer, type TestIssuerHold } from 'nestjs-resilient-auth/testing';
import { expose } from '../../support/remote.js';

const LIFETIME = '1h';

/** What a rollover brings: tokens of a key that no replica has seen. */
export interface Rollover {
  readonly kid: string;
  readonly tokens: readonly string[];
}

/** The fleet's identity provider, in a process of its own. */
export class FleetIssuer {
  readonly #kids: string[] = [];
  #hold: TestIssuerHold | undefined;

  private constructor(private readonly issuer: TestIssuer) {}

  static async start(): Promise<FleetIssuer> {
    return new FleetIssuer(await TestIssuer.start());
  }

  url(): string {
    return this.issuer.url;
  }

  /** The key in use. */
  async present(tokens: number): Promise<Rollover> {
    const { kid } = await this.issuer.signingKey();
    this.#kids.push(kid);
    return { kid, tokens: await this.#mint(tokens) };
  }

  /** A new key beside the one in use, and used from now on; the one before goes. */
  async rollOver(tokens: number): Promise<Rollover> {
    const { kid } = await this.issuer.rotateKeys();
    this.#kids.push(kid);
    if (this.#kids.length > 2) this.issuer.removeKey(String(this.#kids.shift()));
    return { kid, tokens: await this.#mint(tokens) };
  }

  fail(): void {
    this.issuer.fail({ mode: 'refuse' });
  }

  recover(): void {
    this.issuer.recover();
  }

  /** Keeps answers back from now on. */
  holdKeySet(): void {
    this.#hold = this.issuer.hold('jwks');
  }

  /** Resolves when a request is being held. */
  async held(): Promise<void> {
    await this.#hold?.arrived;
  }

  release(): void {
    this.#hold?.release();
  }

  /** When HTTP requests were received, milliseconds since the epoch. */
  calls(): readonly number[] {
    return this.issuer.requests.map(({ at }) => at);
  }

  #mint(count: number): Promise<string[]> {
    const sign = (_: unknown, index: number): Promise<string> =>
      this.issuer.sign({ sub: `user-${index}` }, { expiresIn: LIFETIME });
    return Promise.all(Array.from({ length: count }, sign));
  }
}

// Imported for its type alone by the bench, this file runs only as a process.
if (process.send) expose(await FleetIssuer.start());
