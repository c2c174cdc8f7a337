import { Inject, Injectable, Logger, UnauthorizedException } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { isPolicyClass } from '../authorized/requirements/authorization-policy.js';
import { providerOf } from '../authorized/requirements/policies.js';
import { AuthContexts } from '../authorized/contexts/auth-contexts.js';
import { requirementsFor } from '../authorized/requirements/requirements.js';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { RESOLVED_OPTIONS, type ResolvedAuthOptions } from '../options/resolved-options.js';
import type { AuthCensusEntry } from './auth-census-entry.js';
import { summaryOf } from './census-summary.js';
import {
  gapOf,
  isProtected,
  unknownIssuers,
  unmetNeeds,
  type Coverage,
  type JudgedHandler,
} from './coverage.js';
import { graphqlFacts } from './nest/graphql-facts.js';
import { guardsBeforeOurs, isGloballyGuarded, isGuarded } from './nest/guards-of.js';
import { MicroserviceGuards } from './nest/microservice-guards.js';
import { streamGap } from './nest/stream-gap.js';
import { replacedClassGap } from './replaced-class.js';
import { scanHandlers } from './scan-handlers.js';

/** Takes the census of an application, and fails its boot where a handler would stay open that says it is closed. */
@Injectable()
export class CensusTaker {
  readonly #logger = new Logger('AuthModule');
  readonly #microservices: MicroserviceGuards;
  #entries: readonly AuthCensusEntry[] | undefined;

  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
    @Inject(AuthContexts) private readonly contexts: AuthContexts,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {
    this.#microservices = new MicroserviceGuards(modules, config, () => this.#onMicroserviceApart());
  }

  /** @throws {AuthConfigurationError} with everything that is not protected as it says */
  take(): void {
    const problems: string[] = [];
    const coverage = this.#coverage();
    const handlers = this.#judge(problems);
    problems.push(...handlers.flatMap((handler) => gapOf(handler, coverage) ?? []));
    problems.push(...handlers.flatMap((handler) => unmetNeeds(handler, this.options)));
    problems.push(...handlers.flatMap((handler) => this.#missingPolicies(handler)));
    if (problems.length > 0) throw notProtected(problems);
    this.#entries = entriesOf(handlers, coverage);
    this.#logger.log(summaryOf(this.#entries));
    this.#warnOfUnknownIssuers(handlers);
    const before = guardsBeforeOurs(this.config);
    if (before.length === 0) return;
    this.#logger.warn(
      `Global guards run before AuthorizedGuard, where request.user is not set yet: ${before.join(', ')}. If they read it, provide them in a module that is imported after AuthModule`,
    );
  }

  /** What was found; before the application has been initialized, what there is so far. */
  entries(): readonly AuthCensusEntry[] {
    return this.#entries ?? entriesOf(this.#judge([]), this.#coverage());
  }

  #coverage(): Coverage {
    return {
      ...graphqlFacts(this.modules),
      types: new Set(this.contexts.types),
      areOthersIgnored: this.contexts.areOthersIgnored,
      isSecureByDefault: isGloballyGuarded(this.config),
      areGatewaysGuarded: namesErrors(),
      // A microservice alone has the application's configuration.
      isMicroserviceApart: this.#microservices.isAnyApart && this.#isHybrid(),
    };
  }

  #judge(problems: string[]): readonly JudgedHandler[] {
    const isSecure = isGloballyGuarded(this.config);
    return scanHandlers(this.modules).flatMap((handler) => {
      try {
        const requirements = requirementsFor(handler.class, handler.handler);
        problems.push(
          ...[replacedClassGap(handler, isSecure), streamGap(handler)].filter((gap) => gap !== undefined),
        );
        return { ...handler, requirements, isGuarded: isGuarded(handler) };
      } catch (error) {
        if (!(error instanceof AuthConfigurationError)) throw error;
        problems.push(`${handler.class.name}.${handler.method}: ${error.message}`);
        return [];
      }
    });
  }

  #missingPolicies({
    class: registered,
    calledAs: owner = registered,
    requirements,
  }: JudgedHandler): readonly string[] {
    return requirements.policies.filter(isPolicyClass).flatMap((policy) => {
      try {
        providerOf(policy, owner, this.modules);
        return [];
      } catch (error) {
        if (error instanceof AuthConfigurationError) return [error.message];
        throw error;
      }
    });
  }

  #warnOfUnknownIssuers(handlers: readonly JudgedHandler[]): void {
    const names = this.options.issuers.map(({ name }) => name);
    const unknown = handlers.flatMap((handler) => unknownIssuers(handler, names));
    if (unknown.length === 0) return;
    this.#logger.warn(
      `Handlers refuse every token, since no issuer has a name that they require: ${unknown.join(', ')}. The names are ${names.join(', ')}`,
    );
  }

  #isHybrid(): boolean {
    const adapter: unknown = this.adapterHost.httpAdapter;
    return adapter !== undefined && adapter !== null;
  }

  /** Connected once the census was taken, it would have been counted as protected. */
  #onMicroserviceApart(): void {
    const open = (this.#entries ?? []).filter(
      ({ kind, protected: is, requirements }) => kind === 'rpc' && is && !requirements.isMarked,
    );
    if (open.length === 0 || !this.#isHybrid()) return;
    throw notProtected(
      open.map(
        ({ class: owner, method }) =>
          `${owner.name}.${method}: connect its microservice with inheritAppConfig: true, before the application is initialized`,
      ),
    );
  }
}

function entriesOf(handlers: readonly JudgedHandler[], coverage: Coverage): readonly AuthCensusEntry[] {
  const entries = handlers
    .filter(({ role }) => role !== 'lifecycle')
    .map((handler) => {
      const { kind, class: owner, method, requirements } = handler;
      const anonymous = requirements.isAnonymous;
      return Object.freeze({
        kind,
        class: owner,
        method,
        requirements,
        anonymous,
        protected: isProtected(handler, coverage),
      });
    });
  return Object.freeze(entries);
}

function notProtected(problems: readonly string[]): AuthConfigurationError {
  const lines = [...new Set(problems)].map((problem) => `  - ${problem}`);
  return new AuthConfigurationError(['Not protected as declared:', ...lines].join('\n'));
}

/** Whether this is NestJS 12, which names the error in such an answer, as 11 does not. */
function namesErrors(): boolean {
  const body: unknown = new UnauthorizedException('any', { cause: undefined }).getResponse();
  return typeof body === 'object' && body !== null && 'error' in body && body.error !== undefined;
}
