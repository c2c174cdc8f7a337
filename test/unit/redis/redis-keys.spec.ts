import { describe, expect, it } from 'vitest';
import { keysOf } from '../../../lib/redis/redis-keys.js';

describe('keysOf', () => {
  it('returns keys in one slot of a cluster when they are of one issuer', () => {
    const names = Object.values(keysOf('app:', 'https://issuer.test/{braces}'));
    const tags = names.map((name) => /^app:\{([\w-]{43})\}:/.exec(name)?.[1]);
    expect(new Set(tags).size).toBe(1);
    expect(tags[0]).toBeDefined();
    expect(new Set(names).size).toBe(names.length);
  });

  it('returns other keys when the issuer or the prefix differs', () => {
    const names = [keysOf('a:', 'x'), keysOf('a:', 'y'), keysOf('b:', 'x')].flatMap((keys) =>
      Object.values(keys),
    );
    expect(new Set(names).size).toBe(names.length);
  });
});
