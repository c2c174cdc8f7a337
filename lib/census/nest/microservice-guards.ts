import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';

/**
 * Finds out whether connected microservices have the application's global guards. Nest keeps that to itself: it reads the
 * guards while it registers a microservice's handlers, in the same turn as it announces the microservice, from the
 * application's configuration or from an empty one.
 */
export class MicroserviceGuards {
  readonly #apart = new Set<unknown>();
  #registering: unknown;

  /** @param onApart called for each microservice that has guards of its own, once that is known */
  constructor(
    modules: ModulesContainer,
    config: ApplicationConfig,
    private readonly onApart: () => void,
  ) {
    // Not in NestJS 11.0.0, where nothing says that a microservice was connected.
    const targets = 'getRpcTargetRegistry' in modules ? modules.getRpcTargetRegistry() : undefined;
    targets?.subscribe((target) => this.#watch(target));
    const read = config.getGlobalGuards.bind(config);
    config.getGlobalGuards = () => {
      this.#apart.delete(this.#registering);
      return read();
    };
  }

  get isAnyApart(): boolean {
    return this.#apart.size > 0;
  }

  #watch(target: unknown): void {
    this.#registering = target;
    this.#apart.add(target);
    queueMicrotask(() => {
      this.#registering = undefined;
      if (this.#apart.has(target)) this.onApart();
    });
  }
}
