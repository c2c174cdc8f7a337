import {
  Inject,
  Injectable,
  Logger,
  Scope,
  UseGuards,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/internal';
import { ExternalContextCreator, REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  AllowAnonymous,
  AuthContext,
  Authorized,
  AuthorizedGuard,
  AuthModule,
  CurrentToken,
  CurrentUser,
  RequestInvalidError,
  type AuthAnswer,
  type AuthenticatedToken,
  type AuthorizationPolicy,
  type Credentials,
  type ResilientAuthOptions,
} from 'nestjs-resilient-auth';
import type { TestIssuer } from 'nestjs-resilient-auth/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startIssuer } from '../support/apps/start-api.js';

/** A library of queues that calls its handlers through Nest's `ExternalContextCreator`. */
class Job {
  constructor(
    readonly data: unknown,
    readonly headers: Readonly<Record<string, unknown>> = {},
  ) {}
}

class JobRefused extends Error {
  constructor(readonly answer: AuthAnswer) {
    super(`${answer.status} ${answer.error.code}`);
  }
}

/** The example of the guide. */
class QueueContext extends AuthContext {
  readonly type = 'queue';

  override operationOf(context: ExecutionContext): object {
    const job: unknown = context.getArgByIndex(0);
    if (!(job instanceof Job)) throw new RequestInvalidError('The queue calls its handlers with a Job');
    return job;
  }

  override credentialsOf(context: ExecutionContext): Credentials {
    const job = context.getArgByIndex<Job>(0);
    return { authorization: job.headers['authorization'], request: job };
  }

  override toException(answer: AuthAnswer): Error {
    return new JobRefused(answer);
  }
}

@Injectable({ scope: Scope.REQUEST })
class NamesTheUser implements AuthorizationPolicy<{ sub: string }> {
  constructor(@Inject(REQUEST) private readonly job: Job) {}

  authorize({ sub }: { sub: string }, context: ExecutionContext): boolean {
    return context.getArgByIndex(0) === this.job && this.job.data === sub;
  }
}

@Authorized()
@Injectable()
class Worker {
  @Authorized({ scopes: ['jobs:run'] })
  run(@CurrentUser('sub') subject: unknown, @CurrentToken() token?: AuthenticatedToken): unknown {
    return { subject, issuer: token?.issuer };
  }

  @Authorized({ policy: NamesTheUser })
  own(@CurrentUser('sub') subject: unknown): unknown {
    return subject;
  }

  @AllowAnonymous()
  open(@CurrentUser() user: unknown, @CurrentToken() token: unknown): unknown {
    return { user, token };
  }
}

@Injectable()
class Undecorated {
  run(@CurrentUser('sub') subject: unknown): unknown {
    return subject ?? 'open';
  }
}

@UseGuards(AuthorizedGuard)
@Injectable()
class Guarded {
  run(): string {
    return 'open';
  }
}

type Options = Partial<ResilientAuthOptions> & { secureByDefault?: boolean };

async function boot(options: Options = { contexts: [new QueueContext()] }, given?: TestIssuer) {
  const issuer = given ?? (await startIssuer());
  const imports = [AuthModule.forRoot({ ...issuer.options(), ...options })];
  const providers = [Worker, Undecorated, Guarded, NamesTheUser];
  const module = await Test.createTestingModule({ imports, providers }).compile();
  const app = await module.createNestApplication({ logger: false }).init();
  onTestFinished(() => app.close());
  const call = (target: Type, method: string, argument: unknown, type = 'queue'): Promise<unknown> => {
    const instance = app.get<Record<string, (...values: unknown[]) => unknown>>(target);
    const handler = instance[method];
    if (!handler) throw new Error(`No method ${method}`);
    const paramsFactory = { exchangeKeyForValue: () => undefined };
    return app
      .get(ExternalContextCreator, { strict: false })
      .create(
        instance,
        handler,
        method,
        ROUTE_ARGS_METADATA,
        paramsFactory,
        undefined,
        undefined,
        undefined,
        type,
      )(argument);
  };
  const job = async (claims: object = {}, data?: unknown): Promise<Job> =>
    new Job(data, { authorization: `Bearer ${await issuer.sign({ sub: 'alice', ...claims })}` });
  return { issuer, call, job };
}

const codeOf = async (outcome: Promise<unknown>): Promise<string> =>
  outcome.then(
    () => 'accepted',
    (error: unknown) => (error instanceof JobRefused ? error.message : String(error)),
  );

describe('a context of the user’s own', () => {
  it('returns user and token to the handler', async () => {
    const { call, job, issuer } = await boot();
    expect(await call(Worker, 'run', await job({ scope: 'jobs:run' }))).toEqual({
      subject: 'alice',
      issuer: issuer.url,
    });
  });

  it('rejects with its own exception and the answer of HTTP', async () => {
    const { call, job, issuer } = await boot();
    const refusal = await call(Worker, 'run', await job()).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(JobRefused);
    expect(refusal).toMatchObject({
      answer: {
        status: 403,
        challenges: [{ scheme: 'Bearer', parameters: { error: 'insufficient_scope', scope: 'jobs:run' } }],
      },
    });
    expect(await codeOf(call(Worker, 'run', new Job(1)))).toBe('401 AUTH_TOKEN_MISSING');
    issuer.fail({ mode: 'refuse' });
    await issuer.rotateKeys({ keepOld: false });
    const outage = await call(Worker, 'run', await job()).catch((error: unknown) => error);
    expect(outage).toMatchObject({ answer: { status: 503, challenges: [], retryAfter: 1 } });
  });

  it.each([
    ['a number', 7],
    ['an object', { toString: () => 'Bearer x' }],
    ['a list', ['Bearer x']],
    ['two words', 'Bearer x y'],
    ['a megabyte of spaces', `Bearer ${' '.repeat(1_000_000)}`],
    ['a buffer', Buffer.from('Bearer x')],
  ])('rejects %s as its authorization', async (_, authorization) => {
    const { call } = await boot();
    expect(await codeOf(call(Worker, 'run', new Job(1, { authorization })))).toBe('400 AUTH_REQUEST_INVALID');
  });

  it('rejects arguments that its transport does not pass, in its own form', async () => {
    const { call } = await boot();
    const lure = { headers: { authorization: 'Bearer x' }, user: { sub: 'root' } };
    for (const argument of [lure, undefined, null, 'text'])
      expect(await codeOf(call(Worker, 'run', argument))).toBe('400 AUTH_REQUEST_INVALID');
  });

  it('answers an open handler without a user, also with the object of a closed one', async () => {
    const { call, job } = await boot();
    const shared = await job({ scope: 'jobs:run' });
    await call(Worker, 'run', shared);
    expect(await call(Worker, 'open', shared)).toEqual({ user: undefined, token: undefined });
  });

  it('calls policies with the call, and creates request-scoped ones for its operation', async () => {
    const { call, job } = await boot();
    expect(await call(Worker, 'own', await job({}, 'alice'))).toBe('alice');
    expect(await codeOf(call(Worker, 'own', await job({}, 'bob')))).toBe('403 AUTH_POLICY_REFUSED');
  });

  it('authenticates once per operation and again for the next one', async () => {
    const validate = vi.fn<(claims: object) => object>((claims) => claims);
    const { call, job } = await boot({ contexts: [new QueueContext()], secureByDefault: true, validate });
    const one = await job({ scope: 'jobs:run' });
    await call(Worker, 'run', one);
    await call(Worker, 'run', one);
    expect(validate).toHaveBeenCalledTimes(1);
    expect(validate).toHaveBeenCalledWith(
      expect.objectContaining({ sub: 'alice' }),
      expect.objectContaining({ request: one }),
    );
    await call(Worker, 'run', new Job(2, one.headers));
    expect(validate).toHaveBeenCalledTimes(2);
  });

  it('keeps two applications apart that share the class of a handler', async () => {
    const [one, two] = [await boot(), await boot()];
    const claims = { scope: 'jobs:run' };
    const job = await one.job(claims);
    expect(await codeOf(one.call(Worker, 'run', job))).toBe('accepted');
    expect(await codeOf(two.call(Worker, 'run', job))).toBe('401 AUTH_TOKEN_ISSUER_UNKNOWN');
    expect(await two.call(Worker, 'run', await two.job({ ...claims, sub: 'bob' }))).toMatchObject({
      subject: 'bob',
      issuer: two.issuer.url,
    });
    expect(await two.call(Undecorated, 'run', job)).toBe('open');
  });

  it('calls jwtFromRequest for HTTP requests only', async () => {
    const jwtFromRequest = vi.fn<() => string>(() => 'x');
    const { call, job } = await boot({ contexts: [new QueueContext()], jwtFromRequest });
    expect(await codeOf(call(Worker, 'run', await job({ scope: 'jobs:run' })))).toBe('accepted');
    expect(jwtFromRequest).not.toHaveBeenCalled();
  });
});

describe('a call of a type that is not switched on', () => {
  it('rejects the call under secureByDefault, and answers it when the handler is open', async () => {
    const { call, job } = await boot({ secureByDefault: true });
    await expect(call(Undecorated, 'run', await job())).rejects.toThrow(/queue, which is not switched on/);
    expect(await call(Worker, 'open', await job())).toEqual({ user: undefined, token: undefined });
  });

  it('leaves the call to other guards and warns once per type when otherContexts is ignore', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    onTestFinished(() => warn.mockRestore());
    const { call, job } = await boot({ secureByDefault: true, otherContexts: 'ignore' });
    for (const type of ['queue', 'queue', 'bot'])
      expect(await call(Undecorated, 'run', await job(), type)).toBe('open');
    expect(warn.mock.calls.filter(([text]) => String(text).includes('are not protected'))).toHaveLength(2);
  });

  it('rejects the call when otherContexts is ignore and the handler itself is @Authorized', async () => {
    const { call, job } = await boot({ secureByDefault: true, otherContexts: 'ignore' });
    for (const target of [Worker, Guarded])
      await expect(call(target, 'run', await job())).rejects.toThrow(/not switched on/);
  });
});

describe('the option contexts', () => {
  class Http extends QueueContext {
    // oxlint-disable-next-line typescript/no-explicit-any -- what TypeScript would refuse, and JavaScript does not
    override readonly type: any = 'http';
  }

  it.each([
    ['two of one type', [new QueueContext(), new QueueContext()]],
    ['HTTP', [new Http()]],
    ['what is no context', [{ type: 'queue' }]],
    ['no list', new QueueContext()],
  ])('rejects %s at boot', async (_, contexts) => {
    await expect(boot(Object({ contexts }))).rejects.toThrow(/contexts: got .* allowed: a list of contexts/);
  });
});
