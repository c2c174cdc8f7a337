import type { ModulesContainer } from '@nestjs/core';

/** What the options of the application's GraphQL modules decide. */
export interface GraphqlFacts {
  /** Nest runs guards on resolvers of fields and references, too. */
  readonly areFieldsGuarded: boolean;
  /** A driver hands one context object, and so one `req`, to every request. */
  readonly isContextShared: boolean;
}

/** The token of `GraphQLModule`'s options; its package may not be installed. */
const OPTIONS = 'GqlModuleOptions';

export function graphqlFacts(modules: ModulesContainer): GraphqlFacts {
  const facts = [...modules.values()].flatMap(({ providers }) => {
    const options: unknown = providers.get(OPTIONS)?.instance;
    if (typeof options !== 'object' || options === null) return [];
    const { fieldResolverEnhancers, context }: { fieldResolverEnhancers?: unknown; context?: unknown } =
      options;
    // Drivers that clone such a context for each request have this method, @nestjs/apollo from 14 on.
    const clones = [...providers.values()].some(({ metatype }) => hasMethod(metatype, 'cloneContext'));
    return {
      areFieldsGuarded: Array.isArray(fieldResolverEnhancers) && fieldResolverEnhancers.includes('guards'),
      isContextShared: typeof context === 'object' && context !== null && !clones,
    };
  });
  return {
    areFieldsGuarded: facts.every(({ areFieldsGuarded }) => areFieldsGuarded),
    isContextShared: facts.some(({ isContextShared }) => isContextShared),
  };
}

function hasMethod(metatype: unknown, name: string): boolean {
  return typeof metatype === 'function' && typeof metatype.prototype?.[name] === 'function';
}
