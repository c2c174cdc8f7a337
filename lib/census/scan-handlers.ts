import 'reflect-metadata';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { isClass, isHandler, type Class, type Handler } from '../authorized/marks/marks.js';
import type { NestProvider } from '../injection/find-provider.js';
import type { HandlerKind } from './auth-census-entry.js';

/** A handler as Nest's explorers find it. */
export interface ScannedHandler {
  readonly kind: HandlerKind;
  readonly class: Class;
  /** What guards get as the class: Nest reads it off the instance. `undefined` when that is no class. */
  readonly calledAs: Class | undefined;
  readonly method: string;
  /** The function that Nest calls, whose metadata decide on guards. */
  readonly handler: Handler;
  /** Whether Nest finds the guards of `@UseGuards`: those of a resolver it looks up by its class, and skips in silence. */
  readonly areGuardsFound: boolean;
  /** `ws`: Nest calls it, and guards it never. `graphql`: below the fields of a request, guarded only when asked for. */
  readonly role: 'handler' | 'lifecycle' | 'field' | 'reference';
}

/** Keys of Nest's own decorators, so that none of their packages has to be installed. */
const ROUTE = 'path';
const MESSAGE_HANDLER = 'microservices:handler_type';
const GATEWAY = 'websockets:is_gateway';
const SUBSCRIBED_MESSAGE = 'websockets:message_mapping';
const RESOLVER_TYPE = 'graphql:resolver_type';
const FIELD_RESOLVER = 'graphql:resolve_property';
const REFERENCE_RESOLVER = 'graphql:resolve_reference';

const ROOT_TYPES: ReadonlySet<unknown> = new Set(['Query', 'Mutation', 'Subscription']);
const GATEWAY_HOOKS: ReadonlySet<string> = new Set(['afterInit', 'handleConnection', 'handleDisconnect']);

/** Finds every handler of an application, each once, however many modules its class stands in. */
export function scanHandlers(modules: ModulesContainer): readonly ScannedHandler[] {
  const scanner = new MetadataScanner();
  const all = [...modules.values()];
  return [
    ...collect(
      scanner,
      all.flatMap(({ controllers }) => [...controllers.values()]),
      controllerRole,
    ),
    ...collect(
      scanner,
      all.flatMap(({ providers }) => [...providers.values()]),
      providerRole,
    ),
  ];
}

function collect(
  scanner: MetadataScanner,
  wrappers: readonly NestProvider[],
  roleOf: RoleOf,
): readonly ScannedHandler[] {
  const handlers = new Map<Class, readonly ScannedHandler[]>();
  for (const wrapper of wrappers.toSorted((one, other) => rankOf(one) - rankOf(other))) {
    const owner = classOf(wrapper);
    if (!owner || handlers.has(owner)) continue;
    const names = scanner.getAllMethodNames(owner.prototype);
    handlers.set(
      owner,
      names.flatMap((method) => scan(wrapper, owner, method, roleOf)),
    );
  }
  return [...handlers.values()].flat();
}

/** A class by its own name comes first: an alias or a factory must not stand for it, since Nest treats them differently. */
function rankOf({ token, metatype, isNotMetatype }: NestProvider): number {
  if (isNotMetatype) return 2;
  return token === metatype ? 0 : 1;
}

/** Of a provider with `useFactory` or `useValue`, the class of what it provides. */
function classOf({ metatype, isNotMetatype, instance }: NestProvider): ScannedClass | undefined {
  // By its prototype: a proxy may throw for members that are read before a request is there.
  const owner =
    isNotMetatype && isObject(instance) ? constructorOf(Object.getPrototypeOf(instance)) : metatype;
  return isClass(owner) ? owner : undefined;
}

/** What an instance or a prototype names as its class. */
function constructorOf(target: unknown): unknown {
  return isObject(target) ? Reflect.get(target, 'constructor') : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

type ScannedClass = Class & { readonly prototype: object };
type Role = readonly (readonly [HandlerKind, ScannedHandler['role']])[];
type RoleOf = (wrapper: NestProvider, owner: Class, method: string, declared: object) => Role;

function scan(
  wrapper: NestProvider,
  owner: ScannedClass,
  method: string,
  roleOf: RoleOf,
): readonly ScannedHandler[] {
  const declared: unknown = Reflect.get(owner.prototype, method);
  if (!isHandler(declared)) return [];
  return roleOf(wrapper, owner, method, declared).map(([kind, role]) => {
    const instance: unknown = wrapper.isDependencyTreeStatic() ? wrapper.instance : undefined;
    const named = constructorOf(instance ?? owner.prototype);
    // A resolver is called by its prototype's function, everything else by the instance's own, if it has one.
    const called: unknown =
      kind !== 'graphql' && isObject(instance) ? Reflect.get(instance, method) : declared;
    const handler = isHandler(called) ? called : declared;
    const isOwnProvider = !wrapper.isNotMetatype && wrapper.token === owner && named === owner;
    return {
      kind,
      class: owner,
      calledAs: isClass(named) ? named : undefined,
      method,
      handler,
      areGuardsFound: kind !== 'graphql' || isOwnProvider,
      role,
    };
  });
}

function controllerRole(_: NestProvider, __: Class, ___: string, declared: object): Role {
  return [
    ...(Reflect.hasMetadata(ROUTE, declared) ? ([['http', 'handler']] as const) : []),
    ...(Reflect.hasMetadata(MESSAGE_HANDLER, declared) ? ([['rpc', 'handler']] as const) : []),
  ];
}

function providerRole({ isNotMetatype }: NestProvider, owner: Class, method: string, declared: object): Role {
  // Nest connects a gateway only where the provider is a class.
  const isGateway = !isNotMetatype && Reflect.getMetadata(GATEWAY, owner) === true;
  return [...(isGateway ? gatewayRole(method, declared) : []), ...resolverRole(declared)];
}

function gatewayRole(method: string, declared: object): Role {
  if (GATEWAY_HOOKS.has(method)) return [['ws', 'lifecycle']];
  return Reflect.hasMetadata(SUBSCRIBED_MESSAGE, declared) ? [['ws', 'handler']] : [];
}

function resolverRole(declared: object): Role {
  if (Reflect.getMetadata(REFERENCE_RESOLVER, declared) === true) return [['graphql', 'reference']];
  const type: unknown = Reflect.getMetadata(RESOLVER_TYPE, declared);
  if (ROOT_TYPES.has(type)) return [['graphql', 'handler']];
  const isField = type !== undefined || Reflect.getMetadata(FIELD_RESOLVER, declared) === true;
  return isField ? [['graphql', 'field']] : [];
}
