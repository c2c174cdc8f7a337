import { Logger } from '@nestjs/common';
import { publicUrlReader, type PublicUrl, type PublicUrlOption } from '../authentication/http/public-url.js';
import { AuthError } from '../errors/auth.error.js';

/** The identifier of this API, for each request. */
export class ResourceIdentifier {
  /** Whether it is the same for all requests, and known without one. */
  readonly isFixed: boolean;
  readonly #logger = new Logger('ProtectedResource');
  readonly #read: (request: unknown) => PublicUrl;
  #isReported = false;

  constructor(option: PublicUrlOption) {
    this.isFixed = typeof option === 'string';
    this.#read = publicUrlReader(option);
  }

  /** Returns the identifier, or the error of a function of the application. @throws nothing else */
  for(request: unknown): PublicUrl | AuthError {
    try {
      return this.#read(request);
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      this.#report(error);
      return error;
    }
  }

  /** A broken function breaks every request: the first one is enough for the log. */
  #report({ message }: AuthError): void {
    if (this.#isReported) this.#logger.debug(message);
    else this.#logger.error(message);
    this.#isReported = true;
  }
}
