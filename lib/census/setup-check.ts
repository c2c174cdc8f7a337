import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ConfigurableModuleClass } from '../auth.module-definition.js';
import { isClass } from '../authorized/marks/marks.js';
import { nameMethods } from '../authorized/requirements/requirements.js';
import { Authenticator } from '../authentication/authenticator.js';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import type { NestModule } from '../injection/find-provider.js';
import { requestScopedDependency } from '../injection/request-scope.js';

/**
 * Fails the boot of an application whose AuthModule could not protect it. Depends on nothing of the module, so that Nest
 * creates it even where it leaves out everything that depends on the options.
 */
@Injectable()
export class SetupCheck implements OnModuleInit {
  readonly #module: NestModule;

  /** @throws {AuthConfigurationError} when AuthModule is there twice, or its options are request-scoped */
  constructor(@Inject(ModulesContainer) modules: ModulesContainer) {
    const [module, ...others] = [...modules.values()].filter(isAuthModule);
    if (!module || others.length > 0) {
      throw new AuthConfigurationError(
        'AuthModule.forRoot stands twice in one application (a subclass counts as well); list all issuers in one',
      );
    }
    this.#module = module;
    const provider = module.providers.get(Authenticator);
    const culprit = provider && requestScopedDependency(provider);
    if (culprit) throw requestScoped(String(culprit.name), culprit.durable === true);
    // Before Nest registers a handler: what instrumentation wraps by then takes the names along.
    for (const { controllers, providers } of modules.values()) {
      for (const { metatype } of [...controllers.values(), ...providers.values()])
        if (isClass(metatype)) nameMethods(metatype);
    }
  }

  /** Nest's own judgement, once it has loaded everything. */
  onModuleInit(): void {
    if (this.#module.providers.get(Authenticator)?.isDependencyTreeStatic() === false)
      throw requestScoped('a provider', false);
  }
}

function isAuthModule({ metatype }: NestModule): boolean {
  return metatype.prototype instanceof ConfigurableModuleClass;
}

function requestScoped(name: string, isDurable: boolean): AuthConfigurationError {
  const scope = isDurable ? 'Scope.REQUEST, durable' : 'Scope.REQUEST';
  return new AuthConfigurationError(
    `AuthModule depends on ${name}, which is request-scoped (${scope}): keys would be loaded for each request, and Nest may run no global guard. ` +
      'Give forRootAsync providers of the default scope only; what differs per request belongs in `validate` or in several `issuers`',
  );
}
