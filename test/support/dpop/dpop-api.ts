import { All, Controller, Get, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Authorized,
  AuthModule,
  Clock,
  CurrentUser,
  type AuthModuleExtras,
  type DpopOptions,
} from 'nestjs-resilient-auth';
import {
  TestIssuer,
  type TestDpopClient,
  type TestIssuerModuleOptions,
  type TestProofOptions,
} from 'nestjs-resilient-auth/testing';
import request, { type Response } from 'supertest';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { platforms, type CreateApplication } from '../apps/platforms.js';

/** The API as its clients see it, which is not where the test's server listens. */
export const PUBLIC_URL = 'https://api.example.com';

@Authorized()
@Controller()
class ThingsController {
  @All('things')
  any(@CurrentUser('sub') subject: string): { subject: string } {
    return { subject };
  }

  @Authorized({ scopes: ['things:read'] })
  @Get('things/scoped')
  scoped(): string {
    return 'scoped';
  }

  @All(['Things/:id', 'tree/*'])
  other(): string {
    return 'other';
  }
}

@Authorized({ dpop: true })
@Controller('bound')
class BoundController {
  @Get()
  get(@CurrentUser('sub') subject: string): { subject: string } {
    return { subject };
  }
}

/** What a test changes of a request that is good. */
export interface Sent extends Partial<TestProofOptions> {
  /** Path and query of the request. Default `'/things'`. */
  readonly target?: string;
  /** Scheme of `Authorization`. Default `'DPoP'`. */
  readonly scheme?: string;
  /** The value of the header `DPoP`; `null` leaves it out. Default: a proof for this request. */
  readonly proof?: string | null;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Status and errorCode of an answer. */
export interface Outcome {
  readonly status: number;
  readonly code: string | undefined;
  readonly challenge: string | undefined;
}

/** An API with DPoP, an issuer, and a client that sends requests. */
export class DpopApi implements AsyncDisposable {
  private constructor(
    readonly app: INestApplication,
    readonly issuer: TestIssuer,
    readonly client: TestDpopClient,
    private readonly ownsIssuer: boolean,
  ) {}

  static async open(
    dpop: DpopOptions = {},
    { clock, create = platforms[0].create, alg, replicaOf, ...options }: DpopApiSettings = {},
  ): Promise<DpopApi> {
    const issuer = replicaOf?.issuer ?? (await TestIssuer.start({ audience: 'api', alg: 'ES256', clock }));
    const settings = { publicUrl: PUBLIC_URL, ...options, dpop };
    const builder = Test.createTestingModule({
      imports: [AuthModule.forRoot(issuer.options(settings))],
      controllers: [ThingsController, BoundController],
    });
    if (clock) builder.overrideProvider(Clock).useValue(clock);
    const client = replicaOf?.client ?? (await issuer.dpopClient({ alg }));
    return new DpopApi(await create(builder), issuer, client, replicaOf === undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
    if (this.ownsIssuer) await this.issuer.close();
  }

  /** A token that is bound to the client's key. */
  token(claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
    return this.client.sign({ sub: 'alice', ...claims });
  }

  /** Sends a request that is good but for what is given. */
  async send(sent: Sent = {}): Promise<Response> {
    const { target = '/things', method = 'GET', scheme = 'DPoP', headers = {}, ...proofOptions } = sent;
    const token = sent.token ?? (await this.token());
    const [path = ''] = target.split('?');
    const proof =
      sent.proof ??
      (await this.client.proof({ url: `${PUBLIC_URL}${path}`, token, method, ...proofOptions }));
    const test = request(this.app.getHttpServer())[VERBS[method] ?? 'get'](target);
    const withProof = sent.proof === null ? test : test.set('DPoP', proof);
    return withProof.set('Authorization', `${scheme} ${token}`).set({ ...headers });
  }

  async outcome(sent: Sent = {}): Promise<Outcome> {
    return outcomeOf(await this.send(sent));
  }
}

export function outcomeOf({ status, body, headers }: Response): Outcome {
  return { status, code: body.errorCode, challenge: headers['www-authenticate'] };
}

const VERBS: Readonly<Record<string, 'get' | 'post' | 'put' | 'delete' | 'head' | 'patch'>> = {
  GET: 'get',
  POST: 'post',
  PUT: 'put',
  DELETE: 'delete',
  HEAD: 'head',
  PATCH: 'patch',
};

/** What a test starts the API with. */
export interface DpopApiSettings extends Partial<TestIssuerModuleOptions>, AuthModuleExtras {
  readonly clock?: Clock;
  readonly create?: CreateApplication;
  /** Trusts the same issuer, and has the same client. */
  readonly replicaOf?: DpopApi;
  /** Of the client's key. */
  readonly alg?: string;
}

/** Everything ends with the test. */
export async function startDpopApi(dpop?: DpopOptions, settings?: DpopApiSettings): Promise<DpopApi> {
  const api = await DpopApi.open(dpop, settings);
  onTestFinished(() => api[Symbol.asyncDispose]());
  return api;
}

/** One API for all tests of a group. */
export function useDpopApi(dpop?: DpopOptions, settings?: DpopApiSettings): () => DpopApi {
  let api: DpopApi | undefined;
  beforeAll(async () => {
    api = await DpopApi.open(dpop, settings);
  });
  afterAll(() => api?.[Symbol.asyncDispose]());
  return () => {
    if (!api) throw new Error('The API is there while tests run');
    return api;
  };
}
