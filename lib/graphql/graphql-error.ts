import { IntrinsicException } from '@nestjs/common';
import type { AuthAnswer } from '../authorized/answers/auth-answer.js';
import { withoutStackTrace } from '../errors/without-stack-trace.js';

const CODES: Readonly<Record<AuthAnswer['status'], string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  500: 'INTERNAL_SERVER_ERROR',
  503: 'SERVICE_UNAVAILABLE',
};

/**
 * A refusal, of which graphql-js makes the `GraphQLError` of its field: the same with every driver. Not an HTTP exception:
 * Apollo's driver would call a 503 an internal error, and Mercurius' maps nothing. Intrinsic, since Nest logs every other
 * error of a resolver at level error, and anyone can cause a refusal.
 */
class GraphqlRefusal extends IntrinsicException {
  constructor(
    message: string,
    readonly extensions: Readonly<Record<string, unknown>>,
    options: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A refusal as GraphQL clients read it. */
export function graphqlError({
  error,
  status,
  description,
  challenges,
  retryAfter,
}: AuthAnswer): IntrinsicException {
  const [{ scope, acr_values: acrValues, max_age: maxAge } = {}] = challenges.map(
    ({ parameters }) => parameters,
  );
  const extensions = {
    code: CODES[status],
    errorCode: error.code,
    statusCode: status,
    ...(retryAfter !== undefined && { retryAfter }),
    ...(scope !== undefined && { scope }),
    ...(acrValues !== undefined && { acrValues }),
    ...(maxAge !== undefined && { maxAge: Number(maxAge) }),
  };
  return withoutStackTrace(() => new GraphqlRefusal(description, extensions, { cause: error }));
}
