import { connect, type AddressInfo } from 'node:net';
import { AuthModule } from 'nestjs-resilient-auth';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { OrdersModule } from '../support/apps/orders.module.js';
import { platforms, type CreateApplication } from '../support/apps/platforms.js';
import { missing, readWycheproof } from './files.js';

/** RFC 6750 §2.1: what may follow `Bearer`. HTTP clients refuse to send much of the rest, attackers do not. */
const B64TOKEN = /^[\w.~+/-]+=*$/;

const { vectors } = readWycheproof('json_web_signature_test.json');
const unsendable = vectors.filter(({ token }) => !B64TOKEN.test(token));

/** A protected API on a port of its own, and requests written by hand. */
class Wire implements AsyncDisposable {
  private constructor(
    private readonly issuer: TestIssuer,
    private readonly app: Awaited<ReturnType<CreateApplication>>,
    private readonly port: number,
  ) {}

  static async open(create: CreateApplication): Promise<Wire> {
    const issuer = await TestIssuer.start({ audience: 'api' });
    const app = await create(
      Test.createTestingModule({ imports: [AuthModule.forRoot(issuer.options()), OrdersModule] }),
    );
    await app.listen(0, '127.0.0.1');
    const { port }: AddressInfo = app.getHttpServer().address();
    return new Wire(issuer, app, port);
  }

  signed(): Promise<string> {
    return this.issuer.sign();
  }

  /** The status of the answer to `Authorization: Bearer <token>`, sent as it is. */
  status(token: string): Promise<number> {
    return new Promise((resolve, reject) => {
      let answer = '';
      const socket = connect(this.port, '127.0.0.1')
        .setEncoding('utf8')
        .on('data', (chunk: string) => (answer += chunk))
        .on('error', reject)
        .on('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])));
      // Not end(): Node gives up on a request whose sender has hung up.
      socket.write(
        `GET /orders HTTP/1.1\r\nHost: api\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
    await this.issuer.close();
  }
}

describe.skipIf(missing).each(platforms)(
  `vectors that are no b64token, on the wire, on $platform ${missing ?? ''}`,
  { timeout: 30_000 },
  ({ create }) => {
    it('rejects each of them, and serves a good token sent in the same way', async () => {
      await using wire = await Wire.open(create);
      expect(await wire.status(await wire.signed())).toBe(200);
      const answers = new Map<number, number>();
      for (const { tcId, token } of unsendable) answers.set(tcId, await wire.status(token));
      // Nothing at all, and several words, are no token: 400. The rest are words, and bad ones: 401.
      const invalidRequests = [13, 30, 45, 360, 365, 368];
      expect(Object.fromEntries(answers)).toEqual(
        Object.fromEntries(unsendable.map(({ tcId }) => [tcId, invalidRequests.includes(tcId) ? 400 : 401])),
      );
      expect(answers.size).toBe(16);
    });

    it('rejects a good token when blanks and marks of the vectors are in it', async () => {
      await using wire = await Wire.open(create);
      const token = await wire.signed();
      const [header, payload, signature] = token.split('.');
      expect(await wire.status(`${header}.${payload}.${signature}`)).toBe(200);
      expect(await wire.status(`${header}    .${payload}.${signature}`)).toBe(400);
      expect(await wire.status(`${header}.    ${payload}.${signature}`)).toBe(400);
      for (const mark of ['?', '#', '####', '{}', '=', '"']) {
        expect(await wire.status(`${header}${mark}.${payload}.${signature}`)).toBe(401);
        expect(await wire.status(`${header}.${mark}${payload}.${signature}`)).toBe(401);
        expect(await wire.status(`${header}.${payload}.${signature}${mark}`)).toBe(401);
      }
      // A line break ends the header; what follows is no header at all (RFC 9112 §5).
      expect(await wire.status(`${header}.${payload}.\n${signature}`)).toBe(400);
    });
  },
);
