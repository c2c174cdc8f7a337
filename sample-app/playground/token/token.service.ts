import { randomUUID } from 'node:crypto';
import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import type { JWTPayload } from 'jose';
import { EmbeddedProvider } from '../../provider/embedded-provider.js';
import { embeddedAudience } from '../../provider/provider-configuration.js';
import type { SigningKey } from '../../provider/signing-key.js';
import { forgeToken, ordinaryClaims, signToken } from '../load/sign-token.js';
import type { TokenRequest } from './token-request.js';

export interface SignedToken {
  readonly token: string;
}

/** Signs tokens for the token panel, with the keys of the embedded provider or without them. */
@Injectable()
export class TokenService {
  constructor(private readonly provider: EmbeddedProvider) {}

  async sign({ claims, signer }: TokenRequest): Promise<SignedToken> {
    const key = this.provider.ring.keys[0];
    if (!key) throw new ServiceUnavailableException('The provider has no key yet');
    const ordinary = ordinaryClaims(this.provider.issuer, embeddedAudience);
    // A claim of null takes the ordinary one out.
    const all = Object.fromEntries(
      Object.entries({ ...ordinary, ...claims }).filter(([, value]) => value !== null),
    );
    return { token: await signAs[signer](all, key) };
  }
}

const signAs: Record<
  TokenRequest['signer'],
  (claims: JWTPayload, key: SigningKey) => string | Promise<string>
> = {
  provider: signToken,
  'unknown-key': (claims) => forgeToken(claims, randomUUID()),
  forged: (claims, { kid }) => forgeToken(claims, kid),
  unsigned: (claims, { kid }) => forgeToken(claims, kid, 'none'),
};
