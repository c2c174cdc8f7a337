import { GraphQLError } from 'graphql';
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
 * A refusal as GraphQL clients read it, the same with every driver. Not an HTTP exception: Apollo's driver would call a
 * 503 an internal error, and Mercurius' maps nothing.
 */
export function graphqlError({
  error,
  status,
  description,
  challenges,
  retryAfter,
}: AuthAnswer): GraphQLError {
  const [{ scope, acr_values: acrValues, max_age: maxAge } = {}] = challenges.map(
    ({ parameters }) => parameters,
  );
  const options = {
    originalError: null,
    extensions: {
      code: CODES[status],
      errorCode: error.code,
      statusCode: status,
      ...(retryAfter !== undefined && { retryAfter }),
      ...(scope !== undefined && { scope }),
      ...(acrValues !== undefined && { acrValues }),
      ...(maxAge !== undefined && { maxAge: Number(maxAge) }),
    },
  };
  return withoutStackTrace(() => new GraphQLError(description, options));
}
