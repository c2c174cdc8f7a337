import { describe, expect, it } from 'vitest';
import { startIssuer } from '../../support/apps/start-api.js';
import { makeCertificate } from '../../support/tls/certificates.js';
import { startTlsApi, tlsPlatforms } from '../../support/tls/tls-api.js';

const alice = makeCertificate('alice');
const mallory = makeCertificate('mallory');
const PUBLIC_URL = 'https://api.example.com';

describe.each(tlsPlatforms)('a token that is bound to a certificate and to a key, on %s', (platform) => {
  it('[P3-11] [P4-1] accepts it with both proofs, and rejects it when either is missing or another', async () => {
    const issuer = await startIssuer();
    const options = issuer.options({ mtls: { from: 'socket' }, dpop: {}, publicUrl: PUBLIC_URL });
    const api = await startTlsApi(platform, options);
    const [client, thief] = await Promise.all([issuer.dpopClient(), issuer.dpopClient()]);
    const token = await client.sign({ cnf: { jkt: client.thumbprint, 'x5t#S256': alice.thumbprint } });
    const request = { url: `${PUBLIC_URL}/bound`, token };

    const proven = async (by = client) => ({ ...(await by.headers(request)) });
    expect((await api.get('/bound', { certificate: alice, headers: await proven() })).status).toBe(200);
    for (const certificate of [mallory, undefined])
      expect(await api.get('/bound', { certificate, headers: await proven() })).toMatchObject({
        status: 401,
        errorCode: 'AUTH_CERTIFICATE_MISMATCH',
      });
    expect(await api.get('/bound', { certificate: alice, headers: await proven(thief) })).toMatchObject({
      status: 401,
      errorCode: 'AUTH_PROOF_KEY_MISMATCH',
    });
    expect(await api.get('/bound', { certificate: alice, token })).toMatchObject({
      status: 401,
      errorCode: 'AUTH_TOKEN_SENDER_CONSTRAINED',
    });
  });

  it('[P3-11] accepts a proof that came with another certificate once it comes with its own', async () => {
    const issuer = await startIssuer();
    const options = issuer.options({ mtls: { from: 'socket' }, dpop: {}, publicUrl: PUBLIC_URL });
    const api = await startTlsApi(platform, options);
    const client = await issuer.dpopClient();
    const token = await client.sign({ cnf: { jkt: client.thumbprint, 'x5t#S256': alice.thumbprint } });
    const headers = await client.headers({ url: `${PUBLIC_URL}/any`, token });
    // A proof is recorded last: who cannot use the token cannot use the proof up either.
    const codes = [];
    for (const certificate of [mallory, alice, alice])
      codes.push((await api.get('/any', { certificate, headers })).errorCode);
    expect(codes).toEqual(['AUTH_CERTIFICATE_MISMATCH', undefined, 'AUTH_PROOF_REPLAYED']);
  });
});
