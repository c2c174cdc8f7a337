import type { AuthCensusEntry, HandlerKind } from './auth-census-entry.js';

const NOUNS: Readonly<Record<HandlerKind, readonly [one: string, many: string]>> = {
  http: ['HTTP', 'HTTP'],
  graphql: ['GraphQL', 'GraphQL'],
  ws: ['gateway', 'gateways'],
  rpc: ['message handler', 'message handlers'],
};
const KINDS: readonly HandlerKind[] = ['http', 'graphql', 'ws', 'rpc'];

/** `protected: 41 HTTP, 3 gateways; anonymous: 4`, and `undecorated: 2` where neither holds. */
export function summaryOf(handlers: readonly AuthCensusEntry[]): string {
  const closed = handlers.filter((handler) => handler.protected);
  const counts = KINDS.flatMap((kind) => {
    const ofKind = closed.filter((handler) => handler.kind === kind);
    // Gateways are counted as such: their messages are one channel.
    const count = kind === 'ws' ? new Set(ofKind.map((handler) => handler.class)).size : ofKind.length;
    return count > 0 ? [`${count} ${NOUNS[kind][count === 1 ? 0 : 1]}`] : [];
  });
  const anonymous = handlers.filter((handler) => handler.anonymous).length;
  const undecorated = handlers.length - closed.length - anonymous;
  const rest = undecorated > 0 ? `; undecorated: ${undecorated}` : '';
  return `protected: ${counts.join(', ') || 'none'}; anonymous: ${anonymous}${rest}`;
}
