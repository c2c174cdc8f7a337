import type { ApplicationConfig } from '@nestjs/core';
import { AuthorizedGuard } from '../../authorized/authorized.guard.js';
import { isGuardedBy, isKindOf } from '../../authorized/guard-metadata.js';
import type { ScannedHandler } from '../scan-handlers.js';

/** Whether `@UseGuards`, which `@Authorized` applies as well, puts a guard of this library on a handler or its class. */
export function isGuarded({
  handler,
  class: owner,
  calledAs,
  areGuardsFound,
  role,
}: ScannedHandler): boolean {
  if (!areGuardsFound) return false;
  if (isGuardedBy(AuthorizedGuard, handler)) return true;
  // A guard on the class of a gateway is meant for its messages, and says nothing about the hooks beside them.
  if (role === 'lifecycle' || !calledAs) return false;
  // Of a class that was replaced, NestJS 11 reads the one that the instance names, and 12 the one that is registered.
  return isGuardedBy(AuthorizedGuard, owner) && isGuardedBy(AuthorizedGuard, calledAs);
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
  return isKindOf(AuthorizedGuard, guard);
}
