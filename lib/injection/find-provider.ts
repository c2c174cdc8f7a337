import type { InjectionToken } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';

/** A module as Nest's container holds it. */
export type NestModule = ModulesContainer extends Map<string, infer Module> ? Module : never;

/** A provider as Nest's container holds it. */
export type NestProvider = NestModule['providers'] extends Map<unknown, infer Provider> ? Provider : never;

/**
 * The provider that Nest injects for a token into a class of this module: the module's own, else the first one that its
 * imports export, re-exports included. Global modules stand among the imports of every module.
 */
export function findProvider(module: NestModule, token: InjectionToken): NestProvider | undefined {
  return module.providers.get(token) ?? findExported(module, token, new Set(), false);
}

function findExported(
  module: NestModule,
  token: InjectionToken,
  visited: Set<NestModule>,
  isReExport: boolean,
): NestProvider | undefined {
  for (const imported of module.imports) {
    if (visited.has(imported) || (isReExport && !module.exports.has(imported.metatype))) continue;
    visited.add(imported);
    const own = imported.exports.has(token) ? imported.providers.get(token) : undefined;
    const found = own ?? findExported(imported, token, visited, true);
    if (found) return found;
  }
  return undefined;
}
