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
import { ScriptedIssuer, type ScenarioKey } from '../issuers/scripted-issuer.js';

/** What the setting of a scenario departs from. */
export interface SceneOptions {
  metadata?: MetadataOptions;
  issuer?: Partial<IssuerOptions>;
  module?: AuthModuleOptions;
  /** Published before anything is loaded. Default: `a`. */
  keys?: readonly (string | ScenarioKey)[];
  /** `false`: whoever needs the metadata loads it. Default `true`. */
  start?: boolean;
  /** For jitter; 0.5 makes intervals exact, and a backoff three quarters of its nominal length. */
  random?: () => number;
  clock?: ManualClock;
  /** An issuer that others use as well, on the same clock. Default: one of its own. */
  at?: ScriptedIssuer;
}

/** One issuer, one provider, one authenticator, no network, and a clock that moves only when told to. */
export class Scene {
  readonly events: MetadataEvent[] = [];

  constructor(
    readonly clock: ManualClock,
    readonly issuer: ScriptedIssuer,
    readonly provider: IssuerMetadataProvider,
    readonly authenticator: Authenticator,
  ) {
    provider.events$.subscribe((event) => this.events.push(event));
  }

  /** Attempts to refresh so far, the first load left out unless asked for. */
  attempts(trigger?: RefreshTrigger): number {
    const started = this.events.filter((event) => event.type === 'refresh-started');
    return started.filter((event) => (trigger ? event.trigger === trigger : event.trigger !== 'load')).length;
  }

  /** Events of one type. */
  told<Type extends MetadataEvent['type']>(type: Type): Extract<MetadataEvent, { type: Type }>[] {
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

/** Sets the stage. Everything ends with the test. */
export async function scene(options: SceneOptions = {}): Promise<Scene> {
  const clock = options.clock ?? new ManualClock();
  const issuer = options.at ?? new ScriptedIssuer(clock);
  if (!options.at) await issuer.publish(...(options.keys ?? ['a']));
  const resolved = resolveAuthOptions(
    {
      ...options.module,
      issuer: issuer.url,
      audience: 'api',
      ...options.issuer,
      metadata: { fetch: issuer.fetch, ...options.metadata },
    },
    {},
  );
  const [first] = resolved.issuers;
  if (!first) throw new Error('There is no issuer');
  const provider = new IssuerMetadataProvider(first.metadata, clock, options.random ?? (() => 0.5));
  const providers = new IssuerMetadataProviders(new Map([[first.name, provider]]));
  onTestFinished(() => provider.close());
  const stage = new Scene(clock, issuer, provider, new Authenticator(resolved, providers, clock));
  if (options.start !== false) await providers.start();
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
