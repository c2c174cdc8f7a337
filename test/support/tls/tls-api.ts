import type { AddressInfo } from 'node:net';
import type { SecureVersion } from 'node:tls';
import { request as httpsRequest, type Agent } from 'node:https';
import { connect, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import { Controller, Get, type INestApplication, type Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  AuthModule,
  Authorized,
  CurrentUser,
  type AuthModuleExtras,
  type ResilientAuthOptions,
} from 'nestjs-resilient-auth';
import { onTestFinished } from 'vitest';
import { makeCertificate, type TestCertificate } from './certificates.js';

@Authorized()
@Controller()
export class BoundController {
  @Get('any')
  any(@CurrentUser('sub') subject: string): string {
    return subject;
  }

  @Get('bound')
  @Authorized({ certificateBound: true })
  bound(@CurrentUser('sub') subject: string): string {
    return subject;
  }
}

const server = makeCertificate('localhost');

/** What Nest's platforms take to end TLS, and ask clients for a certificate without demanding one. */
const tls = {
  key: server.key,
  cert: server.cert,
  requestCert: true,
  rejectUnauthorized: false,
  minVersion: 'TLSv1.2' as SecureVersion,
};

/** The servers that end TLS in Node. */
export const tlsPlatforms = ['Express', 'Fastify', 'Fastify over HTTP/2'] as const;
export type TlsPlatform = (typeof tlsPlatforms)[number];

/** A Nest application that ends TLS itself, closed when the test ends. */
export async function startTlsApi(
  platform: TlsPlatform,
  options: ResilientAuthOptions & AuthModuleExtras,
  controllers: readonly Type[] = [BoundController],
): Promise<TlsApi> {
  const module = await Test.createTestingModule({
    imports: [AuthModule.forRoot(options)],
    controllers: [...controllers],
  }).compile();
  const app =
    platform === 'Express'
      ? module.createNestApplication(new ExpressAdapter(), { httpsOptions: tls, logger: false })
      : module.createNestApplication<NestFastifyApplication>(fastify(platform), { logger: false });
  await app.listen(0, '127.0.0.1');
  onTestFinished(() => app.close());
  return new TlsApi(app, platform === 'Fastify over HTTP/2');
}

function fastify(platform: TlsPlatform): FastifyAdapter {
  return platform === 'Fastify'
    ? new FastifyAdapter({ https: tls })
    : new FastifyAdapter({ http2: true, https: tls });
}

/** What a caller sees. */
export interface TlsAnswer {
  readonly status: number;
  readonly challenge: unknown;
  readonly errorCode: unknown;
  readonly text: string;
}

export interface TlsCall {
  readonly token?: string;
  readonly certificate?: TestCertificate | undefined;
  readonly agent?: Agent;
  readonly headers?: OutgoingHttpHeaders;
}

export class TlsApi {
  readonly port: number;

  constructor(
    readonly app: INestApplication,
    private readonly isHttp2: boolean,
  ) {
    const address: AddressInfo = app.getHttpServer().address();
    this.port = address.port;
  }

  /** One request on a connection of its own, with a certificate of the client where one is given. */
  async get(path: string, { token, certificate, agent, headers = {} }: TlsCall = {}): Promise<TlsAnswer> {
    const all = { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    if (!this.isHttp2) return this.#overHttp1(path, all, certificate, agent);
    const session = this.connect(certificate);
    try {
      return await getOver(session, path, all);
    } finally {
      session.close();
    }
  }

  /** A session of HTTP/2, whose requests share one connection. */
  connect(certificate?: TestCertificate): ClientHttp2Session {
    return connect(`https://127.0.0.1:${this.port}`, {
      rejectUnauthorized: false,
      ...(certificate && { key: certificate.key, cert: certificate.cert }),
    });
  }

  #overHttp1(
    path: string,
    headers: OutgoingHttpHeaders,
    certificate: TestCertificate | undefined,
    agent: Agent | false = false,
  ): Promise<TlsAnswer> {
    const { port } = this;
    const own = certificate && { key: certificate.key, cert: certificate.cert };
    return new Promise((resolve, reject) => {
      httpsRequest({ host: '127.0.0.1', port, path, headers, agent, rejectUnauthorized: false, ...own })
        .once('error', reject)
        .once('response', (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.once('end', () =>
            resolve(answer(response.statusCode ?? 0, response.headers['www-authenticate'], text)),
          );
        })
        .end();
    });
  }
}

/** One request over a session of HTTP/2. */
export function getOver(
  session: ClientHttp2Session,
  path: string,
  headers: OutgoingHttpHeaders = {},
): Promise<TlsAnswer> {
  return new Promise((resolve, reject) => {
    session.once('error', reject);
    const stream = session.request({ ':path': path, ...headers });
    let text = '';
    let status = 0;
    let challenge: unknown;
    stream.once('response', (received) => {
      status = received[':status'] ?? 0;
      challenge = received['www-authenticate'];
    });
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    stream.once('error', reject).once('end', () => resolve(answer(status, challenge, text)));
    stream.end();
  });
}

function answer(status: number, challenge: unknown, text: string): TlsAnswer {
  const errorCode: unknown = text.startsWith('{') ? JSON.parse(text).errorCode : undefined;
  return { status, challenge, errorCode, text };
}
