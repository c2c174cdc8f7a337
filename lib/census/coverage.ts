import { isWordList, type NeededOption } from '../authorized/requirements/requirement-kind.js';
import type { Requirements } from '../authorized/requirements/requirements.js';
import type { GraphqlFacts } from './nest/graphql-facts.js';
import type { ScannedHandler } from './scan-handlers.js';

/** What the application decides for all handlers. */
export interface Coverage extends GraphqlFacts {
  /** The types that are switched on. */
  readonly types: ReadonlySet<string>;
  /** Whether handlers of other types are left to their own guards. */
  readonly areOthersIgnored: boolean;
  /** Whether an `APP_GUARD` of this library is there: `secureByDefault`. */
  readonly isSecureByDefault: boolean;
  /** Whether Nest runs global guards before the messages of gateways: since 12. */
  readonly areGatewaysGuarded: boolean;
  /** Whether a connected microservice has global guards of its own, and not the application's. */
  readonly isMicroserviceApart: boolean;
}

/** A handler with all that decides who may call it. */
export interface JudgedHandler extends ScannedHandler {
  readonly requirements: Requirements;
  /** Whether `@UseGuards` or `@Authorized` puts a guard of this library on it. */
  readonly isGuarded: boolean;
}

/** The import that switches a type on. */
const IMPORTS: Readonly<Record<string, string>> = {
  graphql: "graphqlContext() from 'nestjs-resilient-auth/graphql'",
  ws: "webSocketContext() from 'nestjs-resilient-auth/websockets'",
  rpc: "microserviceContext() from 'nestjs-resilient-auth/microservices'",
};

/** Whether a guard of this library runs before a handler. */
export function isProtected(handler: JudgedHandler, coverage: Coverage): boolean {
  const { kind, requirements, isGuarded } = handler;
  if (requirements.isAnonymous) return false;
  const isIgnored = coverage.areOthersIgnored && !coverage.types.has(kind) && !isExplicit(handler);
  return (isGuarded || isGloballyGuarded(handler, coverage)) && !isIgnored && runsGuards(handler, coverage);
}

/** What leaves a handler open that its decorators or `secureByDefault` say is closed; `undefined` when nothing does. */
export function gapOf(handler: JudgedHandler, coverage: Coverage): string | undefined {
  const { kind, role, requirements } = handler;
  if (role === 'lifecycle') return handler.isGuarded ? lifecycleGap(handler) : undefined;
  if (requirements.isAnonymous) return undefined;
  if (isExplicit(handler) && !coverage.types.has(kind))
    return `${nameOf(handler)} is @Authorized, but its context is not switched on: add ${IMPORTS[kind]} to the option contexts`;
  if (isExplicit(handler) || coverage.isSecureByDefault) {
    if (!runsGuards(handler, coverage) && (isExplicit(handler) || role === 'reference'))
      return `${nameOf(handler)} resolves a ${role}, where Nest runs no guards: add fieldResolverEnhancers: ['guards'] to the options of GraphQLModule, or open it with @AllowAnonymous`;
    if (kind === 'graphql' && coverage.isContextShared)
      return `${nameOf(handler)}: GraphQLModule's context is an object, which this driver shares between requests, so that each would see the first caller: write context: (request) => ({ … })`;
  }
  if (requirements.isMarked) return markedGap(handler, coverage);
  return coverage.isSecureByDefault && !coverage.areOthersIgnored
    ? undecoratedGap(handler, coverage)
    : undefined;
}

/** Requirements of a handler that no token can meet, since the option they stand on is not named. */
export function unmetNeeds(
  handler: JudgedHandler,
  options: Readonly<Record<NeededOption, unknown>>,
): readonly string[] {
  const { requirements } = handler;
  if (requirements.isAnonymous) return [];
  return requirements.checks.flatMap(({ name, needs }) =>
    needs === undefined || options[needs] !== undefined
      ? []
      : `${nameOf(handler)} requires ${name}, which no token can meet without the option ${needs} of AuthModule: name it, or take ${name} out`,
  );
}

/** The `issuers` a handler requires, where no issuer has any of these names: nearly always a slip, refused with 403. */
export function unknownIssuers(handler: JudgedHandler, names: readonly string[]): readonly string[] {
  const { requirements } = handler;
  if (requirements.isAnonymous) return [];
  return requirements.checks.flatMap(({ name, required }) =>
    name === 'issuers' && isWordList(required) && !required.some((one) => names.includes(one))
      ? `${nameOf(handler)} (${required.join(', ')})`
      : [],
  );
}

function markedGap(handler: JudgedHandler, coverage: Coverage): string | undefined {
  if (handler.isGuarded || isGloballyGuarded(handler, coverage)) return undefined;
  if (!handler.areGuardsFound)
    return `${nameOf(handler)} has requirements, but Nest finds the guards of a resolver only where its module provides it as a class, by that class: list the class itself in the providers, or set secureByDefault`;
  return `${nameOf(handler)} has requirements, but Nest would run no guard: it overrides a method that is @Authorized, or a function or class without its metadata took its place. Put @Authorized on the method`;
}

function undecoratedGap(handler: JudgedHandler, coverage: Coverage): string | undefined {
  if (handler.isGuarded || isGloballyGuarded(handler, coverage)) return undefined;
  if (handler.kind === 'ws')
    return `${nameOf(handler)} is not decorated, and this version of Nest runs no global guard for gateways, secureByDefault or not: put @Authorized or @AllowAnonymous on the gateway`;
  return `${nameOf(handler)} is not decorated, and a microservice has global guards of its own: connect it with connectMicroservice(options, { inheritAppConfig: true }), or put @Authorized or @AllowAnonymous on the handler`;
}

function lifecycleGap(handler: JudgedHandler): string {
  return `${nameOf(handler)} is @Authorized, but Nest never guards it: use HandshakeAuthentication of 'nestjs-resilient-auth/websockets' in afterInit, and @Authorized for messages`;
}

/** Whether the handler itself asks for a guard, and not only `secureByDefault`. */
function isExplicit({ requirements, isGuarded }: JudgedHandler): boolean {
  return requirements.isMarked || isGuarded;
}

function isGloballyGuarded({ kind }: JudgedHandler, coverage: Coverage): boolean {
  if (!coverage.isSecureByDefault) return false;
  if (kind === 'ws') return coverage.areGatewaysGuarded;
  return kind !== 'rpc' || !coverage.isMicroserviceApart;
}

function runsGuards({ role }: JudgedHandler, { areFieldsGuarded }: Coverage): boolean {
  return role === 'handler' || areFieldsGuarded;
}

function nameOf({ class: owner, method }: JudgedHandler): string {
  return `${owner.name}.${method}`;
}
