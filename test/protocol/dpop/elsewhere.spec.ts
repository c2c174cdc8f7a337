import { Controller } from '@nestjs/common';
import { ClientProxyFactory, MessagePattern, Transport, type ClientOptions } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { Authenticator, AuthModule, Authorized, CurrentUser } from 'nestjs-resilient-auth';
import { graphqlContext } from 'nestjs-resilient-auth/graphql';
import { attachToken, microserviceContext } from 'nestjs-resilient-auth/microservices';
import { lastValueFrom } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { algorithmPolicy } from '../../../lib/keys/algorithms.js';
import { proofOf } from '../../../lib/sender-constrained/dpop/proof/parse-proof.js';
import { ProofSignatures } from '../../../lib/sender-constrained/dpop/proof/proof-signature.js';
import { parseSigner } from '../../../lib/sender-constrained/dpop/proof/proof-signer.js';
import { startIssuer } from '../../support/apps/start-api.js';
import { countInPool, watchSignatureChecks } from '../../support/apps/signature-checks.js';
import { freePort } from '../../support/brokers/free-port.js';
import { PUBLIC_URL, startDpopApi } from '../../support/dpop/dpop-api.js';
import { GraphApi, graphServers } from '../../support/graphql/graph-api.js';

@Authorized()
@Controller()
class MeController {
  @MessagePattern('me')
  me(@CurrentUser('sub') subject: string): string {
    return subject;
  }
}

describe('a bound token where no proof can come with it', () => {
  it('[P3-13] rejects it in a message of a microservice, and accepts one that is not bound', async () => {
    const issuer = await startIssuer();
    const client = await issuer.dpopClient();
    const options: ClientOptions = {
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port: await freePort() },
    };
    const auth = AuthModule.forRoot(
      issuer.options({ publicUrl: PUBLIC_URL, dpop: {}, contexts: [microserviceContext()] }),
    );
    const module = await Test.createTestingModule({ imports: [auth], controllers: [MeController] }).compile();
    const app = module.createNestMicroservice({ ...options, logger: false });
    await app.listen();
    onTestFinished(() => app.close());
    const ask = async (token: string): Promise<unknown> => {
      const proxy = ClientProxyFactory.create(options);
      attachToken(proxy, () => token);
      onTestFinished(() => proxy.close());
      return lastValueFrom(proxy.send('me', {})).catch((error: unknown) => error);
    };
    expect(await ask(await client.sign())).toMatchObject({ errorCode: 'AUTH_TOKEN_SENDER_CONSTRAINED' });
    expect(await ask(await issuer.sign({ sub: 'alice' }))).toBe('alice');
  });

  it('[P3-13] rejects it in an operation over graphql-ws, also with a proof at the upgrade', async () => {
    const issuer = await startIssuer();
    const client = await issuer.dpopClient();
    const [server] = graphServers;
    if (!server) throw new Error('There is no server');
    const options = issuer.options({ publicUrl: PUBLIC_URL, dpop: {}, contexts: [graphqlContext()] });
    const api = await GraphApi.start(server, options);
    const token = await client.sign();
    const headers = await client.headers({ url: `${PUBLIC_URL}/graphql`, token });
    const { client: socket, closed } = await api.connect({}, { ...headers });
    const ignored = (): undefined => undefined;
    socket.subscribe({ query: '{ me }' }, { next: ignored, error: ignored, complete: ignored });
    expect(await closed).toMatchObject({ code: 4403, reason: 'AUTH_TOKEN_SENDER_CONSTRAINED' });
  });

  it('[P3-13] rejects it in secretOrKeyProvider, which returns the key for one that is not bound', async () => {
    const api = await startDpopApi();
    const { secretOrKeyProvider } = api.app.get(Authenticator);
    const keyFor = (token: string): Promise<unknown> =>
      new Promise((resolve) => secretOrKeyProvider({}, token, (error, key) => resolve(error ?? key)));
    expect(await keyFor(await api.token())).toMatchObject({ code: 'AUTH_TOKEN_SENDER_CONSTRAINED' });
    expect(await keyFor(await api.issuer.sign())).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
  });

  it('[P3-13] rejects it in Authenticator.authenticate', async () => {
    const api = await startDpopApi();
    await expect(api.app.get(Authenticator).authenticate(await api.token())).rejects.toMatchObject({
      code: 'AUTH_TOKEN_SENDER_CONSTRAINED',
    });
  });
});

describe('the cost of a proof', () => {
  it('[P3-14] checks one signature for each request with a known token, and none for bearer tokens', async () => {
    const api = await startDpopApi();
    const [token, bearer] = [await api.token(), await api.issuer.sign()];
    const asBearer = { token: bearer, scheme: 'Bearer', proof: null };
    await api.send({ token });
    await api.send(asBearer);
    const checks = watchSignatureChecks();
    for (let i = 1; i <= 3; i++) {
      expect(await api.outcome({ token })).toMatchObject({ status: 200 });
      expect(checks).toHaveBeenCalledTimes(i);
    }
    expect(await api.outcome(asBearer)).toMatchObject({ status: 200 });
    expect(checks).toHaveBeenCalledTimes(3);
  });

  it('[P3-14] checks all but the first of the proofs of one turn in the thread pool, and rejects a bad one there too', async () => {
    const client = await (await startIssuer()).dpopClient();
    const parts = proofOf({ rawHeaders: ['DPoP', await client.proof({ url: `${PUBLIC_URL}/things` })] });
    const signer = parseSigner(parts.header, algorithmPolicy(undefined));
    const bad = { text: `${parts.text.slice(0, -4)}AAAA` };
    const signatures = new ProofSignatures();
    const checks = watchSignatureChecks();
    const checked = [parts, parts, parts, bad].map((proof) => signatures.assertVerifies(signer, proof));
    const results = await Promise.allSettled(checked);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
    expect([checks.mock.calls.length, countInPool(checks)]).toEqual([4, 3]);
  });
});
