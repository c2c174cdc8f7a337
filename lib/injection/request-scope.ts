import 'reflect-metadata';
import { Scope, type InjectionToken } from '@nestjs/common';
import { findProvider, type NestProvider } from './find-provider.js';

/** Nest's own keys: constructor parameters, those with `@Inject`, and injected properties. */
const PARAMETERS = 'design:paramtypes';
const INJECTED_PARAMETERS = 'self:paramtypes';
const INJECTED_PROPERTIES = 'self:properties_metadata';

/**
 * The first request-scoped provider among a provider and all it depends on, durable ones included. Reads definitions
 * only: Nest itself knows the answer once everything is loaded, and then it has already left out what depends on it.
 */
export function requestScopedDependency(
  provider: NestProvider,
  visited = new Set<NestProvider>(),
): NestProvider | undefined {
  if (provider.scope === Scope.REQUEST) return provider;
  if (visited.has(provider)) return undefined;
  visited.add(provider);
  const { host } = provider;
  for (const token of host ? dependenciesOf(provider) : []) {
    const dependency = host && findProvider(host, token);
    const found = dependency && requestScopedDependency(dependency, visited);
    if (found) return found;
  }
  return undefined;
}

function dependenciesOf({ inject, metatype }: NestProvider): readonly InjectionToken[] {
  if (inject) return inject.flatMap(tokenOf);
  if (typeof metatype !== 'function') return [];
  const parameters: readonly unknown[] = Reflect.getMetadata(PARAMETERS, metatype) ?? [];
  const injected: readonly { index: number; param: unknown }[] =
    Reflect.getMetadata(INJECTED_PARAMETERS, metatype) ?? [];
  const properties: readonly { type: unknown }[] = Reflect.getMetadata(INJECTED_PROPERTIES, metatype) ?? [];
  const named = new Map(injected.map(({ index, param }) => [index, param]));
  const byType = parameters.filter((_, index) => !named.has(index));
  return [...byType, ...named.values(), ...properties.map(({ type }) => type)].flatMap(tokenOf);
}

/** Dependencies are tokens, `forwardRef(() => token)`, or `{ token, optional }`. */
function tokenOf(dependency: unknown): InjectionToken | readonly InjectionToken[] {
  if (typeof dependency === 'string' || typeof dependency === 'symbol') return dependency;
  if (isClass(dependency)) return dependency;
  if (typeof dependency !== 'object' || dependency === null) return [];
  if ('forwardRef' in dependency && typeof dependency.forwardRef === 'function')
    return tokenOf(dependency.forwardRef());
  return 'token' in dependency ? tokenOf(dependency.token) : [];
}

function isClass(value: unknown): value is abstract new () => unknown {
  return typeof value === 'function';
}
