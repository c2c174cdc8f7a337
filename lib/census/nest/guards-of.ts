import 'reflect-metadata';
import type { ApplicationConfig } from '@nestjs/core';
import { AuthorizedGuard } from '../../authorized/authorized.guard.js';
import type { ScannedHandler } from '../scan-handlers.js';

/** Where `@UseGuards` keeps its guards. */
const GUARDS = '__guards__';

/** Whether `@UseGuards`, which `@Authorized` applies as well, puts a guard of this library on a handler or its class. */
export function isGuarded({ handler, class: owner, role }: ScannedHandler): boolean {
  // A guard on the class of a gateway is meant for its messages, and says nothing about the hooks beside them.
  return (role === 'lifecycle' ? [handler] : [handler, owner])
    .flatMap((target): readonly unknown[] => Reflect.getMetadata(GUARDS, target) ?? [])
    .some(isOurs);
}

/** Whether an `APP_GUARD` of this library runs before every handler that has global guards. */
export function isGloballyGuarded(config: ApplicationConfig): boolean {
  return (
    config.getGlobalGuards().some(isOurs) ||
    config.getGlobalRequestGuards().some(({ metatype }) => isOurs(metatype))
  );
}

/** The names of the global guards that run before ours. */
export function guardsBeforeOurs(config: ApplicationConfig): readonly string[] {
  const guards = config.getGlobalGuards();
  const ours = guards.findIndex(isOurs);
  return guards.slice(0, Math.max(ours, 0)).map((guard) => guard.constructor.name);
}

function isOurs(guard: unknown): boolean {
  const kind: unknown = typeof guard === 'function' ? guard.prototype : guard;
  return kind instanceof AuthorizedGuard || guard === AuthorizedGuard;
}
