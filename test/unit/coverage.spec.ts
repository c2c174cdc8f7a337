import { describe, expect, it } from 'vitest';
import { gapOf, isProtected, type Coverage, type JudgedHandler } from '../../lib/census/coverage.js';

class Orders {}

/** Nest 12, nothing special: every type is switched on, fields are guarded. */
const coverageOf = (given: Partial<Coverage> = {}): Coverage => ({
  types: new Set(['http', 'graphql', 'ws', 'rpc']),
  areOthersIgnored: false,
  isSecureByDefault: false,
  areGatewaysGuarded: true,
  isMicroserviceApart: false,
  areFieldsGuarded: true,
  isContextShared: false,
  ...given,
});

type Given = Partial<Omit<JudgedHandler, 'requirements'>> & { isMarked?: boolean; isAnonymous?: boolean };

function handlerOf({ isMarked = false, isAnonymous = false, ...given }: Given): JudgedHandler {
  const requirements = { isAnonymous, isMarked, isOptional: false, scopes: [], checks: [], policies: [] };
  const handler = { name: 'list' };
  return {
    kind: 'http',
    class: Orders,
    calledAs: Orders,
    method: 'list',
    handler,
    areGuardsFound: true,
    role: 'handler',
    isGuarded: isMarked,
    requirements,
    ...given,
  };
}

describe('gapOf', () => {
  it.each<[string, Given, Partial<Coverage>, RegExp]>([
    [
      'X1: an undecorated gateway on Nest 11',
      { kind: 'ws' },
      { isSecureByDefault: true, areGatewaysGuarded: false },
      /gateway/,
    ],
    [
      'X2: an undecorated message handler of a microservice apart',
      { kind: 'rpc' },
      { isSecureByDefault: true, isMicroserviceApart: true },
      /inheritAppConfig/,
    ],
    [
      'X3: a field that is @Authorized, unguarded',
      { kind: 'graphql', role: 'field', isMarked: true },
      { areFieldsGuarded: false },
      /fieldResolverEnhancers/,
    ],
    [
      'X3: a reference that is @Authorized, unguarded',
      { kind: 'graphql', role: 'reference', isMarked: true },
      { areFieldsGuarded: false },
      /fieldResolverEnhancers/,
    ],
    [
      'X5: a resolver that is @Authorized, not switched on',
      { kind: 'graphql', isMarked: true },
      { types: new Set(['http']) },
      /graphqlContext/,
    ],
    [
      'X6: a resolver that is @Authorized, with a shared context',
      { kind: 'graphql', isMarked: true },
      { isContextShared: true },
      /context:/,
    ],
    ['a route that is marked without a guard', { isMarked: true, isGuarded: false }, {}, /no guard/],
  ])('returns what is wrong with %s', (_, given, coverage, gap) => {
    expect(gapOf(handlerOf(given), coverageOf(coverage))).toMatch(gap);
    expect(gapOf(handlerOf({ ...given, isMarked: false, isAnonymous: true }), coverageOf(coverage))).toBe(
      undefined,
    );
  });

  it.each<[string, Given, Partial<Coverage>]>([
    ['X1: an undecorated gateway on Nest 12', { kind: 'ws' }, { isSecureByDefault: true }],
    [
      'X1: a gateway with its own guard on Nest 11',
      { kind: 'ws', isMarked: true },
      { areGatewaysGuarded: false },
    ],
    ['X2: a message handler that inherits', { kind: 'rpc' }, { isSecureByDefault: true }],
    ['X3: a guarded field', { kind: 'graphql', role: 'field', isMarked: true }, {}],
    [
      'X3: an undecorated field below guarded ones',
      { kind: 'graphql', role: 'field' },
      { isSecureByDefault: true, areFieldsGuarded: false },
    ],
    [
      'a type that is ignored',
      { kind: 'ws' },
      {
        isSecureByDefault: true,
        areGatewaysGuarded: false,
        areOthersIgnored: true,
        types: new Set(['http']),
      },
    ],
  ])('returns nothing for %s', (_, given, coverage) => {
    expect(gapOf(handlerOf(given), coverageOf(coverage))).toBe(undefined);
  });
});

describe('isProtected', () => {
  it.each<[boolean, string, Given, Partial<Coverage>]>([
    [true, 'a route with a guard of its own', { isMarked: true }, {}],
    [true, 'an undecorated route that is secure by default', {}, { isSecureByDefault: true }],
    [false, 'an undecorated route', {}, {}],
    [false, 'an open route', { isAnonymous: true }, { isSecureByDefault: true }],
    [
      false,
      'a handler of a type that is ignored',
      { kind: 'rpc' },
      { isSecureByDefault: true, areOthersIgnored: true, types: new Set(['http']) },
    ],
    [
      false,
      'a field where Nest runs no guards',
      { kind: 'graphql', role: 'field' },
      { isSecureByDefault: true, areFieldsGuarded: false },
    ],
  ])('returns %s for %s', (expected, _, given, coverage) => {
    expect(isProtected(handlerOf(given), coverageOf(coverage))).toBe(expected);
  });
});
