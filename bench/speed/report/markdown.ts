import { tokensOf } from '../in-process/contenders.js';
import type { GrowthCell } from '../growth/process.js';
import type { InProcessResult } from '../in-process/process.js';
import type { NestResult } from '../nest/layer.js';
import { BEARER } from '../proofs/variants.js';
import { ENTRIES, OPEN } from '../nest/variants.js';
import { CONNECTIONS } from '../settings.js';
import { ratio, summarize } from '../statistics.js';
import { of, ofLimit, throughput } from './comparisons.js';
import { goals } from './goals.js';
import type { Results } from './results.js';
import {
  fineMilliseconds,
  kilobytes,
  megabytes,
  microseconds,
  milliseconds,
  table,
  times,
} from './wording.js';

/** The whole page. */
export function markdown(results: Results): string {
  return `${[
    introduction(results),
    goalSection(results),
    nestSection(results),
    injectedSection(results),
    contextSection(results),
    proofSection(results),
    inProcessSection(results),
    eventLoopSection(results),
    growthSection(results),
    footprintSection(results),
    machineSection(results),
  ].join('\n\n')}\n`;
}

function introduction({ machine, minutes }: Results): string {
  return `# Benchmarks

Written by \`npm run bench\` on ${machine.date} in ${minutes.toFixed(1)} minutes; do not edit. What was measured with is at the end.

Every figure compares within one run: every contender runs once in each round, in an order drawn anew, and a ratio is taken
round by round. Given are the median of the rounds and, in brackets, the quartiles. A figure whose quartiles lie more than
10 % of it apart is marked \\*: take it as a hint.

- **Known** token: it has come before, and is in the cache of those who have one. **New**: so many tokens take turns
  that a cache has forgotten each one before it comes again.
- Every contender checks signature, \`alg\`, \`iss\`, \`aud\` and \`exp\`, and is made to refuse a token with each of them wrong
  before the clock starts.
- Each call gets a string of its own, as a request brings it.

\`npm run bench\` runs it again (ten to twenty-five minutes), \`npm run bench -- --quick\` in a few and without touching this page,
\`npm run bench -- --report\` writes this page from the last full run. Let the machine do nothing else meanwhile.`;
}

function goalSection(results: Results): string {
  const rows = goals(results).map(({ figure, reach, measured, isReached }) => [
    figure,
    reach,
    measured,
    isReached ? 'reached' : '**not reached**',
  ]);
  return `## Figures to reach

${table(['figure', 'reach', 'measured', ''], rows)}`;
}

function nestSection({ nest, settings }: Results): string {
  return `## Through Nest

![Throughput of a protected Nest route relative to the unprotected one](benchmarks-nest.svg)

One route that answers a small object. Service, load (\`${nest[0]?.generator ?? ''}\`, ${CONNECTIONS} connections) and issuer are processes of their own,
and every variant is a service of its own. The unprotected route gets the same requests, tokens included. The number is
the throughput as a share of the unprotected route's; beside it the processor time per request in the service, all threads together,
for the case that it is the load that sets the pace.

${(['fastify', 'express'] as const)
  .map((platform) => {
    const results = nest.filter((result) => result.platform === platform);
    return `### ${platform === 'fastify' ? 'Fastify' : 'Express'}\n\n${nestTable(results)}`;
  })
  .join('\n\n')}

Caches hold ${settings.cacheMax.toLocaleString('en')} tokens; \`new\` has ${settings.newTokens.toLocaleString('en')} in rotation, \`known\` ${settings.knownTokens.toLocaleString('en')}. \`aws-jwt-verify\` fetches by https only and was
handed the key set; all others fetched it themselves.`;
}

function nestTable(results: readonly NestResult[]): string {
  const [first] = results;
  const names = ENTRIES.map(({ name }) => name).filter((name) => first && name in first.perSecond);
  const head = ['', ...results.flatMap(({ alg }) => [`${alg}, of unprotected`, `${alg}, processor time`])];
  const rows = names.map((name) => [
    name,
    ...results.flatMap((result) => [
      times(throughput(result, name)),
      microseconds(summarize(of(result.processorTime, name))),
    ]),
  ]);
  return table(head, rows);
}

function injectedSection({ injected }: Results): string {
  const open = of(injected, OPEN);
  return `## Without a network

What differs by a few microseconds, measured in one process: requests through all of Nest on Fastify, by \`app.inject\`,
in turns of 40. The cost of a round is the median of its turns.

${table(
  ['', 'per request', `of ${OPEN}`],
  Object.entries(injected).map(([name, cost]) => [
    name,
    microseconds(summarize(cost)),
    times(ratio(cost, open)),
  ]),
)}`;
}

function contextSection({ contexts }: Results): string {
  return `## Other contexts

One service with an open and a protected handler in each context; 32 clients send both the same operations with the same
known token. Processor time of the service per operation, all threads together.

${table(
  ['', 'unprotected', 'known token', 'of the unprotected'],
  contexts.map(({ name, processorTime }) => {
    const [open, known] = [of(processorTime, 'open'), of(processorTime, 'known')];
    return [name, microseconds(summarize(open)), microseconds(summarize(known)), times(ratio(known, open))];
  }),
)}`;
}

function proofSection({ proofs, settings }: Results): string {
  const tables = proofs.map(({ platform, perSecond, processorTime }) => {
    const bearer = of(perSecond, BEARER);
    const rows = Object.keys(perSecond).map((name) => [
      name,
      times(ratio(of(perSecond, name), bearer)),
      microseconds(summarize(of(processorTime, name))),
    ]);
    const head = ['', 'requests per second, of our Bearer', 'processor time'];
    return `### DPoP on ${platform === 'fastify' ? 'Fastify' : 'Express'}\n\n${table(head, rows)}`;
  });
  return `## Proofs of possession

Each request carries a DPoP proof of its own (RFC 9449, ES256), made before the clock starts; ${settings.proofs.requests.toLocaleString('en')} a round, from autocannon.
The token is known, so that the proof's signature is the one that is checked, and ours records each proof in a \`MemoryReplayStore\`.

${tables.join('\n\n')}`;
}

function inProcessSection({ inProcess }: Results): string {
  return `## In process

![Speed of validating a new token relative to crypto.verify](benchmarks-cold.svg)

Validation alone, all in one process, with one token at a time and with 64 under way. One new token at a time comes in a turn
of the event loop of its own, as requests do; known ones follow each other. The limit is the bare signature check
of \`node:crypto\` on bytes laid out beforehand: synchronous for one at a time, with a callback (the thread pool) for 64. "Of
the limit" is speed: 1.00 is as fast as the limit.

${inProcess.map(inProcessTable).join('\n\n')}`;
}

function inProcessTable(result: InProcessResult): string {
  const { alg, one, many, tokenLength } = result;
  const rows = Object.keys(one).map((name) => [
    tokensOf(name) === 'known' ? `*${name}*` : name,
    microseconds(summarize(of(one, name))),
    times(ofLimit(result, name, 'one')),
    microseconds(summarize(of(many, name))),
    times(ofLimit(result, name, 'many')),
  ]);
  return `### ${alg === 'EdDSA' ? 'Ed25519 (`EdDSA`)' : alg}, tokens of ${tokenLength} characters

${table(['', 'one at a time', 'of the limit', '64 under way', 'of the limit'], rows)}`;
}

function eventLoopSection({ eventLoop: { forged, holds } }: Results): string {
  return `## The event loop under attack

A service of Nest on Fastify. Known tokens arrive every 2 ms; beside them, from another process, 5,000 forged signatures a
second under the \`kid\` of a known key. The time of a known token counts from the moment it was due, to its answer.

${table(
  ['', 'p99 of known tokens without', 'p99 with', 'ratio'],
  forged.map(({ alg, calm, flooded }) => [
    alg,
    fineMilliseconds(summarize(calm)),
    fineMilliseconds(summarize(flooded)),
    times(ratio(flooded, calm)),
  ]),
)}

The longest that the event loop was held, by \`monitorEventLoopDelay\` with a resolution of 1 ms, which is part of it:

${table(
  ['ES256', 'longest'],
  holds.map(({ input, longest }) => [input, fineMilliseconds(summarize(longest))]),
)}`;
}

function growthSection({ growth, settings }: Results): string {
  const [first] = growth.tokens;
  const most = settings.growth.mostTokens;
  const rows = growth.tokens.map(({ size, known, memory }) => [
    size.toLocaleString('en'),
    microseconds(summarize(known)),
    first ? times(ratio(known, first.known)) : '',
    megabytes(memory),
  ]);
  return `## Growth

ES256, in process. Memory is what the application holds after a full collection, inside and outside the JavaScript heap.

### Distinct tokens in rotation

The default cache of 10,000 tokens, 64 requests under way; each of the ${most.toLocaleString('en')} was sent once.

${table(['tokens', 'per request', 'against one token', 'memory'], rows)}

### Keys in the set, one issuer

${compareTable('keys', growth.keys)}

### Issuers, one key each

${compareTable('issuers', growth.issuers)}

### Memory of the cache

10,000 tokens of ${growth.cachedTokens.tokenLength} characters: ${megabytes(growth.cachedTokens.memory)}.`;
}

function compareTable(what: string, cells: readonly GrowthCell[]): string {
  const [first] = cells;
  const rows = cells.map(({ size, known, fresh, memory }) => [
    size.toLocaleString('en'),
    microseconds(summarize(known)),
    first ? times(ratio(known, first.known)) : '',
    microseconds(summarize(fresh)),
    first ? times(ratio(fresh, first.fresh)) : '',
    megabytes(memory),
  ]);
  return table(
    [what, 'known token', 'against one', 'new token', 'against one', 'memory, nothing cached'],
    rows,
  );
}

function footprintSection({ footprint }: Results): string {
  const { importTime, startTime, packed, unpacked, packages } = footprint;
  return `## Footprint

${table(
  ['', ''],
  [
    ['import, on top of Nest and passport', milliseconds(summarize(importTime))],
    ['start of an application with the module alone', milliseconds(summarize(startTime))],
    ['packed', kilobytes(packed)],
    ['unpacked', kilobytes(unpacked)],
    ['packages installed with it, peers not counted', String(packages)],
  ],
)}`;
}

function machineSection({ machine }: Results): string {
  const { processor, processors, memory, loadBefore, versions } = machine;
  return `## Measured with

${processors} × ${processor}, ${memory}; load average before the run: ${loadBefore.toFixed(2)}.

${table(
  ['', 'version'],
  Object.entries(versions).map(([name, version]) => [name, version]),
)}`;
}
