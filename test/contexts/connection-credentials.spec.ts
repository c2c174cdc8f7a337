import { describe, expect, it } from 'vitest';
import { connectionAuthorization } from '../../lib/graphql/connection-credentials.js';

/** Counts how often the members of an object are listed. */
function counted(members: Record<string, unknown>): {
  readonly parameters: object;
  readonly lists: () => number;
} {
  let lists = 0;
  const parameters = new Proxy(members, {
    ownKeys: (target) => {
      lists++;
      return Reflect.ownKeys(target);
    },
  });
  return { parameters, lists: () => lists };
}

describe('connectionAuthorization', () => {
  it('searches the members of connectionParams once when several operations ask', () => {
    const { parameters, lists } = counted({ authorization: 'a', token: 'a' });
    const connection = { parameters, upgrade: undefined };
    const read = (names: readonly string[]) => connectionAuthorization(connection, names);
    expect([read([]), read(['token'])]).toEqual(['Bearer a', 'Bearer a']);
    const before = lists();
    expect([read([]), read(['token']), read([])]).toEqual(['Bearer a', 'Bearer a', 'Bearer a']);
    expect(lists()).toBe(before);
  });

  it.each([
    ['a list', ['authorization', 'Bearer a']],
    ['a text', 'Bearer a'],
    ['a prototype', JSON.parse('{"__proto__":{"authorization":"Bearer a"}}')],
    ['null', null],
  ])('returns nothing when connectionParams are %s', (_, parameters) => {
    expect(connectionAuthorization({ parameters, upgrade: undefined }, ['token'])).toBeUndefined();
  });
});
