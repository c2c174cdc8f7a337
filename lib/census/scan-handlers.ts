import 'reflect-metadata';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { isClass, isHandler, type Class, type Handler } from '../authorized/marks/marks.js';
import type { NestProvider } from '../injection/find-provider.js';
import type { HandlerKind } from './auth-census-entry.js';

/** A handler as Nest's explorers find it. */
export interface ScannedHandler {
  readonly kind: HandlerKind;
  readonly class: Class;
  readonly method: string;
  /** The function that Nest calls, whose metadata decide on guards. */
  readonly handler: Handler;
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
  const classes = new Map<Class, readonly ScannedHandler[]>();
  for (const wrapper of wrappers) {
    const { metatype } = wrapper;
    if (!isClass(metatype) || classes.has(metatype)) continue;
    const names = scanner.getAllMethodNames(metatype.prototype);
    classes.set(
      metatype,
      names.flatMap((method) => scan(wrapper, metatype, method, roleOf)),
    );
  }
  return [...classes.values()].flat();
}

type Role = readonly (readonly [HandlerKind, ScannedHandler['role']])[];
type RoleOf = (metatype: Class, method: string, declared: object) => Role;

function scan(
  wrapper: NestProvider,
  metatype: Class & { prototype: object },
  method: string,
  roleOf: RoleOf,
): readonly ScannedHandler[] {
  const declared: unknown = Reflect.get(metatype.prototype, method);
  if (!isHandler(declared)) return [];
  return roleOf(metatype, method, declared).map(([kind, role]) => {
    // A resolver is called by its prototype's function, everything else by the instance's own, if it has one.
    const instance: unknown =
      kind === 'graphql' || !wrapper.isDependencyTreeStatic() ? undefined : wrapper.instance;
    const called: unknown =
      typeof instance === 'object' && instance !== null ? Reflect.get(instance, method) : declared;
    return { kind, class: metatype, method, handler: isHandler(called) ? called : declared, role };
  });
}

function controllerRole(_: Class, __: string, declared: object): Role {
  return [
    ...(Reflect.hasMetadata(ROUTE, declared) ? ([['http', 'handler']] as const) : []),
    ...(Reflect.hasMetadata(MESSAGE_HANDLER, declared) ? ([['rpc', 'handler']] as const) : []),
  ];
}

function providerRole(metatype: Class, method: string, declared: object): Role {
  if (Reflect.getMetadata(GATEWAY, metatype) === true) {
    if (GATEWAY_HOOKS.has(method)) return [['ws', 'lifecycle']];
    return Reflect.hasMetadata(SUBSCRIBED_MESSAGE, declared) ? [['ws', 'handler']] : [];
  }
  if (Reflect.getMetadata(REFERENCE_RESOLVER, declared) === true) return [['graphql', 'reference']];
  const type: unknown = Reflect.getMetadata(RESOLVER_TYPE, declared);
  if (ROOT_TYPES.has(type)) return [['graphql', 'handler']];
  const isField = type !== undefined || Reflect.getMetadata(FIELD_RESOLVER, declared) === true;
  return isField ? [['graphql', 'field']] : [];
}
