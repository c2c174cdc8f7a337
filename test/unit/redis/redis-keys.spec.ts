import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keysOf } from '../../../lib/redis/redis-keys.js';

describe('keysOf', () => {
  it('returns keys in one slot of a cluster when they are of one issuer', () => {
    const issuer = 'https://issuer.test/{braces}';
    const tag = createHash('sha256').update(issuer).digest('base64url');
    const names = Object.values(keysOf('app:', issuer));
    for (const name of names) expect(name.startsWith(`app:{${tag}}:`)).toBe(true);
    expect(new Set(names).size).toBe(5);
  });

  it('returns other keys when the issuer or the prefix differs', () => {
    const names = [keysOf('a:', 'x'), keysOf('a:', 'y'), keysOf('b:', 'x')].flatMap((keys) =>
      Object.values(keys),
    );
    expect(new Set(names).size).toBe(names.length);
  });
});
