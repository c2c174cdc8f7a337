import {
  AuthError,
  Authenticator,
  MetadataUnavailableError,
  type AuthModuleOptions,
  type IssuerOptions,
  type MetadataEvent,
  type MetadataOptions,
  type RefreshTrigger,
} from 'nestjs-resilient-auth';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { onTestFinished } from 'vitest';
import { IssuerMetadataProvider } from '../../../lib/metadata/issuer-metadata.provider.js';
import { IssuerMetadataProviders } from '../../../lib/metadata/issuer-metadata.providers.js';
import { resolveAuthOptions } from '../../../lib/options/resolve-options.js';
import type { ResolvedAuthOptions } from '../../../lib/options/resolved-options.js';
import type { ThreadPoolShare } from '../../../lib/token/thread-pool-share.js';
import { ScriptedIssuer, type ScenarioKey } from '../issuers/scripted-issuer.js';

/** What the setting of a scenario departs from. */
export interface SceneOptions {
  metadata?: MetadataOptions;
  issuer?: Partial<IssuerOptions>;
  module?: AuthModuleOptions;
  /** Published before anything is loaded. Default: `a`. */
  keys?: readonly (string | ScenarioKey)[];
  /** `false`: the first request that needs the metadata loads it. Default `true`. */
  start?: boolean;
  /** For jitter; 0.5 makes intervals exact, and a backoff three quarters of its nominal length. */
  random?: () => number;
  clock?: ManualClock;
  /** Default: the thread pool, as in production. */
  pool?: ThreadPoolShare;
  /** An issuer that others use as well, on the same clock. Default: one of its own. */
  at?: ScriptedIssuer;
}

/** One issuer, one provider, one authenticator, no network, no Nest, and a clock that only the test moves. */
export class Scene implements Disposable {
  readonly clock: ManualClock;
  readonly issuer: ScriptedIssuer;
  readonly options: ResolvedAuthOptions;
  readonly provider: IssuerMetadataProvider;
  readonly authenticator: Authenticator;
  readonly events: MetadataEvent[] = [];
  readonly #providers: IssuerMetadataProviders;

  /** Nothing is published and nothing is loaded yet. */
  constructor({ clock, at, module, issuer, metadata, random, pool }: SceneOptions = {}) {
    this.clock = clock ?? new ManualClock();
    this.issuer = at ?? new ScriptedIssuer(this.clock);
    const trust = { ...module, issuer: this.issuer.url, audience: 'api', ...issuer };
    this.options = resolveAuthOptions({ ...trust, metadata: { fetch: this.issuer.fetch, ...metadata } }, {});
    const [first] = this.options.issuers;
    if (!first) throw new Error('There is no issuer');
    this.provider = new IssuerMetadataProvider(first.metadata, this.clock, random ?? (() => 0.5));
    this.#providers = new IssuerMetadataProviders(new Map([[first.name, this.provider]]));
    this.authenticator = new Authenticator(this.options, this.#providers, this.clock, pool);
    this.provider.events$.subscribe((event) => this.events.push(event));
  }

  /** Loads, as the module does at boot. */
  start(): Promise<void> {
    return this.#providers.start();
  }

  [Symbol.dispose](): void {
    this.provider.close();
  }

  /** Attempts to refresh so far, the first load left out unless asked for. */
  attempts(trigger?: RefreshTrigger): number {
    const started = this.events.filter((event) => event.type === 'refresh-started');
    return started.filter((event) => (trigger ? event.trigger === trigger : event.trigger !== 'load')).length;
  }

  /** Events of one type. */
  emitted<Type extends MetadataEvent['type']>(type: Type): Extract<MetadataEvent, { type: Type }>[] {
    return this.events.filter(
      (event): event is Extract<MetadataEvent, { type: Type }> => event.type === type,
    );
  }

  /** Signs a token with this key and shows it. */
  async show(key: string | ScenarioKey, claims: Readonly<Record<string, unknown>> = {}): Promise<Outcome> {
    return this.verdict(await this.issuer.sign(key, claims));
  }

  /** What becomes of a token. */
  verdict(token: string): Promise<Outcome> {
    return outcomeOf(this.authenticator.authenticate(token));
  }

  /** The same, without waiting for it. */
  watch(token: string): Watched {
    return watch(this.authenticator.authenticate(token));
  }

  /** Uses up the on-demand refreshes in hand, in no time. */
  async exhaustBudget(): Promise<void> {
    for (let i = 0; this.provider.status().budget.available > 0; i++) {
      await this.show(`exhausts-the-budget-${i}`);
    }
  }
}

/** A scene with its keys published and loaded; it ends with the test. */
export async function scene(options: SceneOptions = {}): Promise<Scene> {
  const stage = new Scene(options);
  onTestFinished(() => stage[Symbol.dispose]());
  if (!options.at) await stage.issuer.publish(...(options.keys ?? ['a']));
  if (options.start !== false) await stage.start();
  return stage;
}

/** `accepted`, or the code of the refusal. */
export type Outcome = 'accepted' | AuthError['code'];

export async function outcomeOf(result: Promise<unknown>): Promise<Outcome> {
  try {
    await result;
    return 'accepted';
  } catch (error) {
    if (error instanceof AuthError) return error.code;
    throw error;
  }
}

/** A promise that can be looked at. */
export interface Watched {
  readonly settled: Promise<Outcome>;
  /** `undefined`: still waiting. */
  readonly outcome: Outcome | undefined;
  /** Of a 503, in seconds. */
  readonly retryAfter: number | undefined;
}

export function watch(result: Promise<unknown>): Watched {
  const seen: { outcome?: Outcome; retryAfter?: number } = {};
  const settled = result.then(
    () => (seen.outcome = 'accepted'),
    (error: unknown) => {
      if (!(error instanceof AuthError)) throw error;
      if (error instanceof MetadataUnavailableError) seen.retryAfter = error.retryAfter;
      return (seen.outcome = error.code);
    },
  );
  return {
    settled,
    get outcome() {
      return seen.outcome;
    },
    get retryAfter() {
      return seen.retryAfter;
    },
  };
}

/** Lets promises run, crypto included, until it holds; no time passes on the test's clock. */
export async function until(condition: () => boolean): Promise<void> {
  const patience = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > patience) throw new Error(`Never came true: ${condition.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Long enough for anything that needs no time to have happened. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
