import { Inject, Injectable } from '@nestjs/common';
import type { AuthCensusEntry } from './auth-census-entry.js';
import { CensusTaker } from './census-taker.js';

/**
 * What protects each handler of the application: for documents made of it, and for checks of the application's own.
 * Complete once the application has been initialized.
 */
@Injectable()
export class AuthCensus {
  readonly #taker: CensusTaker;

  /** @internal */
  constructor(@Inject(CensusTaker) taker: CensusTaker) {
    this.#taker = taker;
  }

  /** Every handler, each once: controllers, then gateways and resolvers. */
  get handlers(): readonly AuthCensusEntry[] {
    return this.#taker.entries();
  }
}
