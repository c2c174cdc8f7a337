/** The GraphQL contexts that were seen with a request. */
const contextsOf = new WeakMap<object, Set<object>>();

/**
 * Whether a GraphQL context can be one of its request's own. Apollo makes one per operation: more of them than a request
 * has operations belong to other requests, whose `req` is that of the first since the application's context is shared.
 * While the first is not answered yet, nothing else shows it.
 */
export function isOfOneRequest(gql: object, request: object): boolean {
  const contexts = contextsOf.get(request) ?? new Set();
  if (contexts.has(gql)) return true;
  const body: unknown = 'body' in request ? request.body : undefined;
  const operations = Array.isArray(body) ? body.length : 1;
  if (contexts.size >= operations) return false;
  contextsOf.set(request, contexts.add(gql));
  return true;
}
