import type { EmbeddedProvider } from '../../provider/embedded-provider.js';
import type { SigningKey } from '../../provider/signing-key.js';
import { ordinaryClaims, signToken } from './sign-token.js';

const tokensPerKey = 10;
/** Withdrawn keys whose tokens go on being sent. */
const withdrawnKept = 2;
/** Milliseconds for which tokens of a withdrawn key go on being sent. */
const withdrawnUse = 20_000;
/** Milliseconds that an API has to notice a withdrawal: two automatic refreshes of the playground. */
const noticeTime = 10_000;

/** A signing key of the provider and tokens signed with it. */
export interface StockedKey {
  readonly key: SigningKey;
  readonly tokens: readonly string[];
}

/** A key that is no longer published. */
interface WithdrawnKey extends StockedKey {
  /** Monotonic milliseconds. */
  readonly withdrawnAt: number;
  /** Tokens sent later than this must be refused (monotonic milliseconds). */
  noticeableAt: number;
}

/** One token to be sent, and the key it is from. */
export interface StockedToken {
  readonly token: string;
  readonly source: StockedKey;
}

/** The tokens that the load sends: of all published keys in turn, and of keys that were withdrawn. */
export class TokenStock {
  #published: readonly StockedKey[] = [];
  #withdrawn: readonly WithdrawnKey[] = [];
  #turn = 0;
  #updated: Promise<void> = Promise.resolve();

  constructor(
    private readonly provider: EmbeddedProvider,
    private readonly audience: string,
  ) {}

  /** Signs tokens for keys that are new, and sets aside those that are no longer published. */
  update(): Promise<void> {
    this.#updated = this.#updated.then(() => this.#read());
    return this.#updated;
  }

  async #read(): Promise<void> {
    const known = this.#published;
    const published = await Promise.all(
      this.provider.ring.keys.map(
        async (key) => known.find((stocked) => stocked.key === key) ?? (await this.#stock(key)),
      ),
    );
    const gone = known.filter((stocked) => !published.includes(stocked));
    const noticeableAt = this.#noticeableAt();
    const withdrawnAt = performance.now();
    this.#withdrawn = [
      ...gone.map(({ key, tokens }) => ({ key, tokens, noticeableAt, withdrawnAt })),
      ...this.#withdrawn,
    ].slice(0, withdrawnKept);
    this.#published = published;
  }

  /** To be called when the provider fails or recovers: no API can notice a withdrawal while it fails. */
  restartNotice(): void {
    const now = performance.now();
    for (const stocked of this.#withdrawn) {
      if (stocked.noticeableAt > now) stocked.noticeableAt = this.#noticeableAt();
    }
  }

  nextValid(): StockedToken | undefined {
    return this.#next(this.#published.filter((stocked) => this.isPublished(stocked)));
  }

  nextWithdrawn(): StockedToken | undefined {
    const since = performance.now() - withdrawnUse;
    return this.#next(this.#withdrawn.filter(({ withdrawnAt }) => withdrawnAt > since));
  }

  /** Read from the provider itself: `update` follows a rotation a moment later. */
  isPublished({ key }: StockedKey): boolean {
    return this.provider.ring.keys.includes(key);
  }

  isSigning({ key }: StockedKey): boolean {
    return this.provider.ring.keys[0] === key;
  }

  /** Whether an API had the time to notice the withdrawal of this key before `sentAt`. */
  isNoticeable({ key }: StockedKey, sentAt: number): boolean {
    const withdrawn = this.#withdrawn.find((stocked) => stocked.key === key);
    return withdrawn !== undefined && withdrawn.noticeableAt < sentAt;
  }

  #next(keys: readonly StockedKey[]): StockedToken | undefined {
    const turn = this.#turn++;
    const source = keys[turn % keys.length];
    const token = source?.tokens[Math.floor(turn / keys.length) % source.tokens.length];
    return source && token !== undefined ? { source, token } : undefined;
  }

  async #stock(key: SigningKey): Promise<StockedKey> {
    const { issuer } = this.provider;
    const signing = Array.from({ length: tokensPerKey }, () =>
      signToken(ordinaryClaims(issuer, this.audience), key),
    );
    return { key, tokens: await Promise.all(signing) };
  }

  #noticeableAt(): number {
    return this.provider.fault === 'none' ? performance.now() + noticeTime : Infinity;
  }
}
