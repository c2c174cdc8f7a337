import { AuthConfigurationError } from '../../errors/configuration.error.js';
import { ISSUER_OVERRIDE, type IssuerOverride } from '../../options/module/test-seams.js';
import type { TestIssuer } from '../test-issuer.js';

/** `Test.createTestingModule(…)`, as far as it is used. */
export interface OverridableModule {
  overrideProvider(token: unknown): { useValue(value: unknown): unknown };
}

interface GivenIssuer {
  readonly name?: string;
  readonly issuer?: string;
  readonly metadata?: object;
}

/** What is said of the real issuer's addresses, and does not hold for another one. */
const OF_THE_REAL_ISSUER = ['tokenIssuers', 'tenants', 'metadataAddress', 'jwksUri'];

const overridesOf = new WeakMap<object, Map<string | undefined, TestIssuer>>();

/**
 * Points a real AppModule at a `TestIssuer`. Replaces `issuer`, `audience`, `tokenIssuers`, `tenants` and the addresses
 * of its documents; everything else holds: `validate`, `scopes`, `roles`, the `name` that `@Authorized` uses.
 *
 * ```ts
 * const builder = Test.createTestingModule({ imports: [AppModule] });
 * const app = (await overrideIssuer(builder, issuer).compile()).createNestApplication();
 * ```
 *
 * @param name of the issuer in the application; required where there are several. Call it once for each.
 * @throws {AuthConfigurationError} at boot, when the application has no issuer of this name
 */
export function overrideIssuer<Builder extends OverridableModule>(
  builder: Builder,
  issuer: TestIssuer,
  name?: string,
): Builder {
  const overrides = overridesOf.get(builder) ?? new Map<string | undefined, TestIssuer>();
  overridesOf.set(builder, overrides.set(name, issuer));
  const override: IssuerOverride = (options) => withOverrides(options, overrides);
  builder.overrideProvider(ISSUER_OVERRIDE).useValue(override);
  return builder;
}

function withOverrides(options: unknown, overrides: ReadonlyMap<string | undefined, TestIssuer>): unknown {
  if (!isObject(options)) return options;
  const listed: unknown = Reflect.get(options, 'issuers');
  const given: readonly GivenIssuer[] = Array.isArray(listed) ? listed : [options];
  const issuers = [...given];
  for (const [name, issuer] of overrides) {
    const index = indexOf(name, given);
    const real = given[index];
    if (!real) throw unknownIssuer(name, given);
    issuers[index] = pointedAt(issuer, real);
  }
  return Array.isArray(listed) ? { ...options, issuers } : issuers[0];
}

function indexOf(name: string | undefined, given: readonly GivenIssuer[]): number {
  if (name === undefined) return given.length === 1 ? 0 : -1;
  return given.findIndex((issuer) => nameOf(issuer) === name);
}

function pointedAt(issuer: TestIssuer, real: GivenIssuer): object {
  const kept = Object.fromEntries(
    Object.entries(real).filter(([option]) => !OF_THE_REAL_ISSUER.includes(option)),
  );
  const { metadata, ...address } = issuer.options({ ...(real.metadata && { metadata: real.metadata }) });
  const name = nameOf(real);
  return { ...kept, ...address, metadata, ...(name !== undefined && { name }) };
}

/** As `@Authorized({ issuers })` names it. */
function nameOf({ name, issuer }: GivenIssuer): string | undefined {
  return name ?? issuer;
}

function unknownIssuer(name: string | undefined, given: readonly GivenIssuer[]): AuthConfigurationError {
  const names = given.map((issuer) => nameOf(issuer)).join(', ');
  return new AuthConfigurationError(
    name === undefined
      ? `overrideIssuer needs the name of an issuer, since there are several: ${names}`
      : `overrideIssuer names an issuer that the application does not have; it has: ${names}`,
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
