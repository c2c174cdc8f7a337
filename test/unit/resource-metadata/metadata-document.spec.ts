import { describe, expect, it } from 'vitest';
import { resolveAuthOptions } from '../../../lib/options/resolve-options.js';
import { sharedMembers } from '../../../lib/resource-metadata/metadata-document.js';

const issuer = (name: string, senderConstraint: 'accept' | 'require') => ({
  issuer: `https://${name}.test`,
  audience: 'api',
  senderConstraint,
});

describe('sharedMembers', () => {
  it.each([
    ['accept', 'accept', undefined],
    ['require', 'accept', undefined],
    ['accept', 'require', undefined],
    ['require', 'require', true],
  ] as const)(
    '[P1-7] requires bound tokens only when every issuer does: %s, %s',
    (first, second, required) => {
      const options = resolveAuthOptions(
        {
          issuers: [issuer('a', first), issuer('b', second)],
          publicUrl: 'https://api.test',
          dpop: {},
          protectedResource: true,
        },
        {},
      );
      const { protectedResource } = options;
      if (!protectedResource) throw new Error('It is among the options');
      const members = sharedMembers(protectedResource, options, []);
      expect(members.dpop_bound_access_tokens_required).toBe(required);
      expect(members.authorization_servers).toEqual(['https://a.test', 'https://b.test']);
    },
  );
});
