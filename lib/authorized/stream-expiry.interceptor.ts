import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Observable } from 'rxjs';
import type { AuthenticatedToken } from '../authentication/authenticated-token.js';
import { Authenticator } from '../authentication/authenticator.js';
import { TokenWatcher } from '../authentication/watch/token-watcher.js';
import { AuthContexts } from './contexts/auth-contexts.js';

/** Nest's metadata of `@Sse()`. */
export const SSE = '__sse__';

/** Ends server-sent events with their token; `@Authorized({ onExpiry: 'end' })` applies it. */
@Injectable()
export class StreamExpiryInterceptor implements NestInterceptor {
  constructor(
    @Inject(Authenticator) private readonly authenticator: Authenticator,
    @Inject(AuthContexts) private readonly contexts: AuthContexts,
    @Inject(TokenWatcher) private readonly watcher: TokenWatcher,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const stream = next.handle();
    if (Reflect.getMetadata(SSE, context.getHandler()) !== true) return stream;
    const auth = this.contexts.of(context);
    const token = auth.tokenOf(context);
    if (!token) return stream;
    return this.#until(token, this.authenticator.rawTokenIn(auth.credentialsOf(context)), stream);
  }

  #until(token: AuthenticatedToken, rawToken: string, stream: Observable<unknown>): Observable<unknown> {
    return new Observable((subscriber) => {
      subscriber.add(
        this.watcher.watch(rawToken, token, ({ code }) => {
          subscriber.next({ type: 'auth', data: { errorCode: code } });
          subscriber.complete();
        }),
      );
      subscriber.add(stream.subscribe(subscriber));
    });
  }
}
