import { anyScopeKind, type AnyScopeOption } from './kinds/any-scope.kind.js';
import { certificateBoundKind, dpopKind, type BoundOptions } from './kinds/bound.kind.js';
import { issuersKind, type IssuersOption } from './kinds/issuers.kind.js';
import { onExpiryKind, type OnExpiryOption } from './kinds/on-expiry.kind.js';
import { optionalKind, type OptionalOption } from './kinds/optional.kind.js';
import { policyKind, type PolicyOption } from './kinds/policy.kind.js';
import { rolesKind, type RolesOption } from './kinds/roles.kind.js';
import { scopesKind, type ScopesOption } from './kinds/scopes.kind.js';
import { acrKind, maxAuthAgeKind, type StepUpOptions } from './kinds/step-up.kind.js';
import type { RequirementCheck, RequirementKind } from './requirement-kind.js';

/** What `@Authorized` requires beyond a valid token. All of it must hold. */
export interface AuthorizedOptions
  extends
    BoundOptions,
    IssuersOption,
    StepUpOptions,
    ScopesOption,
    AnyScopeOption,
    RolesOption,
    PolicyOption,
    OnExpiryOption,
    OptionalOption {}

type Name = keyof AuthorizedOptions;

/** Every kind, in the order of the checks. */
const KINDS: { readonly [Option in Name]-?: RequirementKind } = {
  certificateBound: certificateBoundKind,
  dpop: dpopKind,
  issuers: issuersKind,
  // Before scopes: a new login can ask for those as well, and its challenge names them.
  acr: acrKind,
  maxAuthAge: maxAuthAgeKind,
  scopes: scopesKind,
  anyScope: anyScopeKind,
  roles: rolesKind,
  policy: policyKind,
  onExpiry: onExpiryKind,
  optional: optionalKind,
};

/** @throws {TypeError} at decoration, for an unknown name or a value that is not allowed */
export function assertOptions(options: AuthorizedOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!isName(name)) throw new TypeError(`@Authorized knows no option ${name}`);
    const kind = KINDS[name];
    if (value !== undefined && !kind.isValid(value))
      throw new TypeError(`@Authorized({ ${name} }) takes ${kind.takes}`);
  }
  if (options.optional === true && checksFor([options]).length > 0)
    throw new TypeError(
      '@Authorized({ optional: true }) cannot stand with requirements; leave one of them out',
    );
}

/** Returns the checks of a handler. @param given every `@Authorized` that holds for it, nearest first */
export function checksFor(given: readonly AuthorizedOptions[]): readonly RequirementCheck[] {
  return Object.entries(KINDS).flatMap(([name, kind]) =>
    kind.checksFor(
      name,
      given.map((options: object): unknown => Reflect.get(options, name)),
    ),
  );
}

function isName(name: string): name is Name {
  return Object.hasOwn(KINDS, name);
}
