import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { MetadataProvider } from 'nestjs-resilient-auth';
import { defer, finalize, interval, map, merge, startWith, Subject, takeUntil, type Observable } from 'rxjs';
import { embeddedAudience } from '../provider/provider-configuration.js';
import { EmbeddedProvider } from '../provider/embedded-provider.js';
import { closeConnections } from '../traffic/ask.js';
import { actionsFor, type Action, type ActionName } from './actions.js';
import { describeEvent } from './describe-event.js';
import { Load } from './load/load.js';
import { OutcomeWatch } from './load/outcome-watch.js';
import type { PlaygroundState, ProviderState, SnapshotState } from './playground.state.js';
import { ProviderLog } from './load/provider-log.js';
import { bucketLength, Recorder, type Side } from './load/recorder.js';
import { Timeline } from './timeline.js';
import { TokenStock } from './load/token-stock.js';

/** Runs the same load against two APIs, breaks their provider on request, and describes what happens. */
@Injectable()
export class PlaygroundService implements OnModuleInit, OnModuleDestroy {
  readonly #timeline = new Timeline();
  readonly #watch = new OutcomeWatch(this.#timeline);
  readonly #recorders = { library: new Recorder(), recipe: new Recorder() };
  readonly #providerLog = new ProviderLog();
  readonly #acted = new Subject<void>();
  readonly #closed = new Subject<void>();
  readonly #stock: TokenStock;
  readonly #load: Load;
  readonly #actions: Record<ActionName, Action>;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly provider: EmbeddedProvider,
    private readonly metadata: MetadataProvider,
  ) {
    this.#stock = new TokenStock(provider, embeddedAudience);
    this.#load = new Load({
      provider,
      audience: embeddedAudience,
      stock: this.#stock,
      recorders: this.#recorders,
      watch: this.#watch,
    });
    this.#actions = actionsFor({ provider, stock: this.#stock, load: this.#load, watch: this.#watch });
  }

  async onModuleInit(): Promise<void> {
    await this.#stock.update();
    this.#timeline.begin('Started');
    this.metadata.events$.subscribe((event) => {
      for (const { text, tone } of describeEvent(event, this.#timeline.cause))
        this.#timeline.add('library', text, tone);
      if (event.type === 'refresh-failed') this.#watch.expectServing();
    });
    this.provider.onCall = (_endpoint, request) => {
      if (this.#providerLog.note(request) === 'recipe') this.#timeline.add('recipe', 'fetches the key set');
    };
    this.provider.onKeys = () => void this.#stock.update();
    this.#timer = setInterval(() => this.#advance(), bucketLength).unref();
  }

  /** To be called once both APIs listen. */
  aim(targets: Readonly<Record<Side, string>>): void {
    this.#load.targets = targets;
    this.#load.apply();
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
    this.provider.onCall = undefined;
    this.provider.onKeys = undefined;
    this.#load.stop();
    this.#closed.next();
    closeConnections();
  }

  async run(name: ActionName): Promise<void> {
    const action = this.#actions[name];
    this.#timeline.begin(action.title, action.cause);
    await action.run();
    this.#acted.next();
  }

  /** Sets the counters to zero; the charts go on. */
  reset(): void {
    for (const recorder of Object.values(this.#recorders)) recorder.reset();
    this.#providerLog.reset();
  }

  /** The state now, after each action and twice a second; the load runs while there is a subscriber. */
  readonly state$: Observable<PlaygroundState> = defer(() => {
    this.#load.changeViewers(1);
    return merge(interval(bucketLength), this.#acted).pipe(
      startWith(undefined),
      map(() => this.state()),
      takeUntil(this.#closed),
      finalize(() => this.#load.changeViewers(-1)),
    );
  });

  state(): PlaygroundState {
    const { library, recipe } = this.#recorders;
    return {
      now: Date.now(),
      bucketLength,
      load: { isOn: this.#load.isOn, isFlooding: this.#load.isFlooding },
      sides: { library: describeSide(library), recipe: describeSide(recipe) },
      timeline: this.#timeline.rows,
      snapshot: this.#describeSnapshot(),
      provider: this.#describeProvider(),
    };
  }

  #advance(): void {
    this.#recorders.library.advance();
    this.#recorders.recipe.advance();
    this.#providerLog.advance();
  }

  #describeSnapshot(): SnapshotState {
    const { state, keyIds, checkedAt, nextRefreshAt, lastFailure, waiting, budget } = this.metadata.status();
    const now = Date.now();
    return {
      state,
      keyIds,
      age: checkedAt && now - checkedAt.getTime(),
      nextRefreshIn: nextRefreshAt && nextRefreshAt.getTime() - now,
      lastFailure: lastFailure?.fault,
      waiting,
      budget,
    };
  }

  #describeProvider(): ProviderState {
    const { issuer, fault, ring } = this.provider;
    const { totals, buckets } = this.#providerLog;
    const useOf = (key: (typeof ring.published)[number]) => {
      if (key === ring.announced) return 'announced';
      return key === ring.keys[0] ? 'signs' : 'published';
    };
    const keys = ring.published.map((key) => ({ kid: key.kid, use: useOf(key) }) as const);
    return { issuer, fault, keys, totals, buckets };
  }
}

function describeSide({ totals, buckets }: Recorder): PlaygroundState['sides'][Side] {
  return { totals, buckets };
}
