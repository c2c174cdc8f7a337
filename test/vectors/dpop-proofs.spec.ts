import { describe, expect, it } from 'vitest';
import { parseClaims, proofOf } from '../../lib/sender-constrained/dpop/proof/parse-proof.js';
import { ProofSignatures } from '../../lib/sender-constrained/dpop/proof/proof-signature.js';
import { parseSigner } from '../../lib/sender-constrained/dpop/proof/proof-signer.js';
import { isSameUri } from '../../lib/sender-constrained/dpop/proof/target-uri.js';
import { ProofCheck } from '../../lib/sender-constrained/dpop/proof-check.js';
import { algorithmPolicy } from '../../lib/keys/algorithms.js';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { missing, readDpopExamples } from './files.js';

const { access_token: token, jkt, ath, proofs } = readDpopExamples();
const policy = algorithmPolicy(undefined);
const [, atResource] = proofs;

describe.skipIf(missing)(`RFC 9449 proofs ${missing ?? ''}`, () => {
  it.each(proofs)('[P3-12] accepts signature and key of $where', async (example) => {
    const parts = proofOf({ rawHeaders: ['DPoP', example.proof] });
    const signer = parseSigner(parts.header, policy);
    expect(signer.thumbprint).toBe(jkt);
    await expect(new ProofSignatures().assertVerifies(signer, parts)).resolves.toBeUndefined();
    const changed = `${parts.text.slice(0, -4)}AAAA`;
    await expect(new ProofSignatures().assertVerifies(signer, { text: changed })).rejects.toThrow(
      /does not verify/,
    );
  });

  it('[P3-12] reads the claims of §7.1, and throws for those of the token endpoint, which has no ath', () => {
    const [first, second] = proofs.map(({ proof }) => proofOf({ rawHeaders: ['DPoP', proof] }).payload);
    expect(() => parseClaims(first ?? '')).toThrow(/ath/);
    const claims = parseClaims(second ?? '');
    expect(claims).toMatchObject({ htm: atResource?.htm, iat: atResource?.iat, ath });
    expect(isSameUri(claims.htu, atResource?.htu ?? '')).toBe(true);
  });

  it('[P3-12] accepts the request of §7.1 as a whole, at its time, and rejects it at any other', async () => {
    const { proof = '', iat = 0 } = atResource ?? {};
    const at = (seconds: number, url = '/protectedresource') =>
      new ProofCheck({
        options: {
          algorithms: ['ES256'],
          proofLifetime: 60_000,
          clockTolerance: 10_000,
          nonce: false,
          replay: false,
        },
        publicUrl: 'https://resource.example.org',
        requiring: new Set(),
        replay: undefined,
        clock: new ManualClock(seconds * 1000),
      }).check({
        token,
        scheme: 'dpop',
        claims: { iss: 'https://server.example.com', exp: iat + 60, cnf: { jkt } },
        header: { alg: 'ES256' },
        issuer: 'example',
        credentials: {
          authorization: `DPoP ${token}`,
          request: undefined,
          http: { method: 'GET', url, rawHeaders: ['DPoP', proof] },
        },
      });
    await expect(at(iat)).resolves.toBeUndefined();
    await expect(at(iat, '/other')).rejects.toThrow(/htu/);
    await expect(at(iat - 11)).rejects.toThrow(/future/);
    await expect(at(iat + 70)).rejects.toThrow(/older/);
  });
});
