import { Child } from '../../support/child.js';
import { remote, type Remote } from '../../support/remote.js';
import { inRounds, type Samples } from '../rounds.js';
import type { Settings } from '../settings.js';
import { graphql, messages, webSockets, type Callers, type Handler } from './callers.js';
import type { ContextService } from './service.js';

/** One context: processor time of the service per operation, in microseconds, per round. */
export interface ContextResult {
  readonly name: string;
  readonly processorTime: Samples;
}

/** Operations under way at once: one per client. */
const CLIENTS = 32;

/** A known token in each context beyond HTTP against the same handler unprotected, in one service. */
export async function runContexts({ contexts }: Settings): Promise<readonly ContextResult[]> {
  console.log('contexts');
  const child = await Child.start(new URL('service.js', import.meta.url));
  try {
    const service = remote<ContextService>(child.process);
    const target = { ...(await service.ports()), token: await service.token(), clients: CLIENTS };
    const results: ContextResult[] = [];
    for (const open of [graphql, webSockets, messages]) {
      const callers = await open(target);
      results.push({ name: callers.name, processorTime: await compare(callers, service, contexts) });
      callers.close();
    }
    return results;
  } finally {
    await child.end();
  }
}

async function compare(
  callers: Callers,
  service: Remote<ContextService>,
  { rounds, operations }: Settings['contexts'],
): Promise<Samples> {
  const handlers = new Map([
    ['open', 'open'],
    ['known', 'known'],
  ] as const);
  for (const handler of handlers.values()) await run(callers, handler, operations);
  return inRounds<Handler>(handlers, rounds, async (handler) => {
    await service.collectGarbage();
    const before = await service.processorTime();
    await run(callers, handler, operations);
    return ((await service.processorTime()) - before) / operations;
  });
}

async function run({ calls }: Callers, handler: Handler, operations: number): Promise<void> {
  const each = operations / calls.length;
  await Promise.all(
    calls.map(async (call) => {
      for (let i = 0; i < each; i++) await call(handler);
    }),
  );
}
