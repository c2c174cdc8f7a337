import {
  Inject,
  Logger,
  Module,
  type NestModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { ExtensionHost } from './auth.options.js';
import {
  AUTH_MODULE_EXTRAS,
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
  WITHOUT_OPTIONS,
} from './auth.module-definition.js';
import { resolveAuthOptions } from './options/resolve-options.js';
import { Authenticator } from './authentication/authenticator.js';
import { ISSUER_OVERRIDE, isStandIn, USE_OPTIONS, type IssuerOverride } from './options/module/test-seams.js';
import { Outcomes } from './authentication/outcomes/outcomes.js';
import { RefusalLog } from './authentication/outcomes/refusal-log.js';
import { RESOLVED_OPTIONS, type ResolvedAuthOptions } from './options/resolved-options.js';
import { registerStrategy, unregisterStrategy } from './authentication/passport/strategy-registry.js';
import { TokenWatcher } from './authentication/watch/token-watcher.js';
import { AuthorizedGuard } from './authorized/authorized.guard.js';
import { answerTo } from './authorized/answers/auth-answer.js';
import { httpException } from './authorized/answers/http-exception.js';
import { AuthContexts } from './authorized/contexts/auth-contexts.js';
import { HttpContext } from './authorized/contexts/http.context.js';
import { CensusTaker } from './census/census-taker.js';
import { AuthCensus } from './census/auth-census.js';
import { assertSingleCopies } from './census/single-copies.js';
import { SetupCheck } from './census/setup-check.js';
import { withFeatures } from './features/features.js';
import { Clock, SystemClock } from './time/clock.js';
import { logMetadataEvents, logPlainHttp } from './metadata/metadata-log.js';
import { MetadataProvider } from './metadata/metadata.provider.js';
import { MetadataProviders } from './metadata/metadata.providers.js';
import { IssuerMetadataProvider } from './metadata/issuer-metadata.provider.js';
import { IssuerMetadataProviders, singleProvider } from './metadata/issuer-metadata.providers.js';

/** Injected by nothing. First of all providers, so that its error comes before those that two copies of Nest cause. */
const SINGLE_COPIES = Symbol('nestjs-resilient-auth:single-copies');

/** JWT authentication that outlives key rollovers, outages and attacks: `AuthModule.forRoot({ issuer, audience })`. */
@Module({
  providers: [
    { provide: SINGLE_COPIES, useFactory: assertSingleCopies },
    SetupCheck,
    CensusTaker,
    AuthCensus,
    ...WITHOUT_OPTIONS,
    { provide: Clock, useClass: SystemClock },
    { provide: ISSUER_OVERRIDE, useValue: undefined },
    {
      provide: RESOLVED_OPTIONS,
      useFactory: (options: unknown, extras: unknown, clock: Clock, override?: IssuerOverride) =>
        withFeatures(resolveAuthOptions(override ? override(options) : options, extras), clock),
      inject: [MODULE_OPTIONS_TOKEN, AUTH_MODULE_EXTRAS, Clock, ISSUER_OVERRIDE],
    },
    { provide: MetadataProviders, useFactory: createProviders, inject: [RESOLVED_OPTIONS, Clock] },
    { provide: MetadataProvider, useFactory: singleProvider, inject: [MetadataProviders] },
    { provide: RefusalLog, useFactory: (clock: Clock) => new RefusalLog(clock), inject: [Clock] },
    { provide: Outcomes, useFactory: createOutcomes, inject: [RESOLVED_OPTIONS, Clock, RefusalLog] },
    {
      provide: Authenticator,
      useFactory: (
        options: ResolvedAuthOptions,
        providers: IssuerMetadataProviders,
        clock: Clock,
        outcomes: Outcomes,
      ) => new Authenticator(options, providers, clock, undefined, outcomes),
      inject: [RESOLVED_OPTIONS, MetadataProviders, Clock, Outcomes],
    },
    {
      provide: AuthContexts,
      useFactory: (options: ResolvedAuthOptions, adapterHost: HttpAdapterHost, outcomes: Outcomes) =>
        new AuthContexts(new HttpContext(adapterHost), options, outcomes),
      inject: [RESOLVED_OPTIONS, HttpAdapterHost, Outcomes],
    },
    {
      provide: TokenWatcher,
      useFactory: (...parts: ConstructorParameters<typeof TokenWatcher>) => new TokenWatcher(...parts),
      inject: [Authenticator, RESOLVED_OPTIONS, MetadataProviders, Clock],
    },
    AuthorizedGuard,
  ],
  exports: [
    RESOLVED_OPTIONS,
    Clock,
    Outcomes,
    MetadataProviders,
    MetadataProvider,
    Authenticator,
    AuthContexts,
    TokenWatcher,
    AuthorizedGuard,
    AuthCensus,
  ],
})
export class AuthModule
  extends ConfigurableModuleClass
  implements NestModule, OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown
{
  /** @internal */
  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedAuthOptions,
    @Inject(Authenticator) private readonly authenticator: Authenticator,
    @Inject(CensusTaker) private readonly census: CensusTaker,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {
    super();
  }

  /** Nest's hook for middleware: the only one before it registers routes. */
  configure(): void {
    const { httpAdapter } = this.adapterHost;
    for (const extension of this.options.extensions) extension.addRoutes?.(httpAdapter);
  }

  async onModuleInit(): Promise<void> {
    if (isStandIn(this.authenticator)) this.authenticator[USE_OPTIONS](this.options);
    const host = this.#extensionHost();
    for (const extension of this.options.extensions) await extension.onModuleInit?.(host);
  }

  /** Last, so that a boot that fails leaves nothing behind in passport's registry, which is the process's. */
  async onApplicationBootstrap(): Promise<void> {
    this.census.take();
    const host = this.#extensionHost();
    for (const extension of this.options.extensions) await extension.onApplicationBootstrap?.(host);
    await registerStrategy(this.authenticator, (error) => httpException(answerTo(error, this.options.realm)));
  }

  async onApplicationShutdown(): Promise<void> {
    unregisterStrategy(this.authenticator);
    for (const extension of this.options.extensions) await extension.onApplicationShutdown?.();
  }

  #extensionHost(): ExtensionHost {
    const { adapterHost, census } = this;
    return {
      httpAdapter: adapterHost.httpAdapter,
      get handlers() {
        return census.entries();
      },
    };
  }
}

function createProviders({ issuers }: ResolvedAuthOptions, clock: Clock): IssuerMetadataProviders {
  const logger = new Logger(MetadataProvider.name);
  const providers = issuers.map(({ name, metadata }) => {
    const provider = new IssuerMetadataProvider(metadata, clock);
    logMetadataEvents(provider, logger);
    logPlainHttp(metadata, logger);
    return [name, provider] as const;
  });
  return new IssuerMetadataProviders(new Map(providers));
}

function createOutcomes({ extensions }: ResolvedAuthOptions, clock: Clock, refusals: RefusalLog): Outcomes {
  return new Outcomes(
    clock,
    refusals,
    extensions.flatMap(({ observer }) => observer ?? []),
  );
}
