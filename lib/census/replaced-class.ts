import { areDecoratedAlike, requirementsFor } from '../authorized/requirements/requirements.js';
import type { ScannedHandler } from './scan-handlers.js';

/**
 * Says that a handler's guards get another class than the one that Nest has registered, with other decorators: a class
 * decorator, a mixin that copies `constructor`, or a proxy of the instance has replaced it.
 */
export function replacedClassGap(found: ScannedHandler, isSecureByDefault: boolean): string | undefined {
  const { class: owner, calledAs, method, handler, role } = found;
  if (calledAs === owner || role === 'lifecycle') return undefined;
  // Without a class there are no decorators: that is enough where no guard runs.
  const isAlike = calledAs
    ? areDecoratedAlike(owner, calledAs, handler)
    : !isSecureByDefault && !requirementsFor(owner, handler).isMarked;
  if (isAlike) return undefined;
  return (
    `${owner.name}.${method}: Nest calls its guards for ${calledAs ? `the class ${calledAs.name}` : 'a function that is no class'}, whose decorators differ: ` +
    'a class decorator, a mixin or a proxy has replaced the class or its `constructor`. Keep `constructor` as it is; below or above a decorator that replaces a class, put @Authorized or @AllowAnonymous on the methods'
  );
}
