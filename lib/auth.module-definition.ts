import { ConfigurableModuleBuilder, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { AuthModuleExtras, ResilientAuthOptions } from './auth.options.js';
import { AuthConfigurationError } from './errors/configuration.error.js';
import { resolveExtras } from './options/resolve-options.js';
import { AuthorizedGuard } from './authorized/authorized.guard.js';

/** The extras as the user gave them, kept for the check at boot. */
export const AUTH_MODULE_EXTRAS = Symbol('nestjs-resilient-auth:extras');

const EXTRAS: AuthModuleExtras = { isGlobal: undefined, secureByDefault: undefined };

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<ResilientAuthOptions>({
    moduleName: 'ResilientAuth',
  })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createResilientAuthOptions')
    .setExtras(EXTRAS, withExtras)
    .build();

/** In the place of what `forRoot` and `forRootAsync` provide: for a module that is imported by its class alone. */
export const WITHOUT_OPTIONS: Provider[] = [
  { provide: MODULE_OPTIONS_TOKEN, useFactory: withoutOptions },
  { provide: AUTH_MODULE_EXTRAS, useValue: {} },
];

function withoutOptions(): never {
  throw new AuthConfigurationError(
    'AuthModule is imported without options: import AuthModule.forRoot(…) or forRootAsync(…) once, in the root module. What it provides is global; other modules need no import of it',
  );
}

function withExtras(definition: DynamicModule, extras: AuthModuleExtras): DynamicModule {
  const { isGlobal, secureByDefault } = resolveExtras(extras);
  const guard: Provider[] = secureByDefault ? [{ provide: APP_GUARD, useExisting: AuthorizedGuard }] : [];
  return {
    ...definition,
    global: isGlobal,
    providers: [
      ...(definition.providers ?? []),
      { provide: AUTH_MODULE_EXTRAS, useValue: givenExtras(definition, extras) },
      ...guard,
    ],
  };
}

/** What `forRootAsync` takes beside the extras. */
const ASYNC_OPTIONS: ReadonlySet<string> = new Set([
  'imports',
  'inject',
  'useFactory',
  'useClass',
  'useExisting',
  'provideInjectionTokensFrom',
]);

/**
 * The extras to check at boot. forRoot passes its options here as well, which are checked elsewhere; forRootAsync of
 * Nest 11.0.0 to 11.1.6 passes its own. Any other name beside a factory is a mistake.
 */
function givenExtras(definition: DynamicModule, extras: AuthModuleExtras): AuthModuleExtras {
  const { isGlobal, secureByDefault } = extras;
  if (!definition.imports) return { isGlobal, secureByDefault };
  return Object.fromEntries(Object.entries(extras).filter(([name]) => !ASYNC_OPTIONS.has(name)));
}
