import { RpcException } from '@nestjs/microservices';
import type { AuthAnswer } from '../authorized/answers/auth-answer.js';
import { withoutStackTrace } from '../errors/without-stack-trace.js';
import type { GrpcMetadata } from './message-headers.js';

/** The status codes of gRPC: INVALID_ARGUMENT, UNAUTHENTICATED, PERMISSION_DENIED, INTERNAL, UNAVAILABLE. */
const CODES: Readonly<Record<AuthAnswer['status'], number>> = { 400: 3, 401: 16, 403: 7, 500: 13, 503: 14 };

/**
 * A refusal as gRPC clients read it: status code, fixed text, and `error-code` and `retry-after` in the trailers. Not
 * Nest's GrpcException, which Nest 11 does not have and whose filter an application may lack.
 */
export function grpcException(answer: AuthAnswer, metadata: GrpcMetadata): RpcException {
  const { error, description, retryAfter } = answer;
  const trailers: unknown = Reflect.construct(metadata.constructor, []);
  if (isWritable(trailers)) {
    trailers.set('error-code', error.code);
    if (retryAfter !== undefined) trailers.set('retry-after', String(retryAfter));
  }
  const refusal = {
    code: CODES[answer.status],
    message: description,
    details: description,
    errorCode: error.code,
    metadata: trailers,
  };
  return withoutStackTrace(() => new RpcException(refusal));
}

function isWritable(value: unknown): value is { set(name: string, value: string): void } {
  return typeof value === 'object' && value !== null && 'set' in value && typeof value.set === 'function';
}
