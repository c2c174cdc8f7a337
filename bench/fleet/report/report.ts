import { machine } from '../../resilience/report/setting.js';
import { count, duration, table } from '../../resilience/report/wording.js';
import type { RunResult } from '../processes/run.js';
import type { FaultResults } from '../processes/faults.js';
import type { Results } from '../results.js';
import type { SimulationResult } from '../simulation/result.js';
import { bytes, mean, median, spreads } from './figures.js';
import { goals } from './goals.js';
import { operatingGuide } from './operating-guide.js';
import { simulationTable } from './simulation-table.js';
import { versions } from './versions.js';

/** The whole page in Markdown; the figures are computed, the text is fixed. */
export function report(results: Results, took: number): string {
  const { shared, alone, faults, simulations } = results;
  return [
    '# Fleets',
    '<!-- Written by `npm run bench:fleet`; do not edit: the words are in bench/fleet/report. -->',
    introduction(shared, simulations),
    '![What the issuer saw of a fleet, and how long a new key took to reach all of it](fleet.svg)',
    '## The figures to reach',
    table(
      ['figure', 'goal', 'measured', ''],
      goals(results).map(({ what, goal, measured, isMet }) => [
        what,
        goal,
        measured,
        isMet ? 'met' : '**missed**',
      ]),
    ),
    ...operatingGuide(results),
    `## ${shared.settings.replicas} processes, with a store and without`,
    processes(shared, alone),
    '## Faults in the middle of a rollover',
    ...faultSection(faults),
    '## Fleets in virtual time',
    simulationTable(simulations),
    '## How it was measured',
    method(shared, simulations),
    `Measured on ${new Date().toISOString().slice(0, 10)} in ${duration(took)}, on ${machine()}; ${versions(faults?.redisVersion)}.`,
    'Again: `npm run bench:fleet`; two to three minutes of it, with fewer replicas and rollovers: `npm run bench:fleet -- --quick`.',
    '',
  ].join('\n\n');
}

function introduction({ settings }: RunResult, simulations: readonly SimulationResult[]): string {
  const largest = simulations.at(-1)?.day.replicas ?? 0;
  return `Replicas that share a store are one client of the issuer: one of them asks, all of them know. Measured with ${settings.replicas} real
processes on one Redis, beside ${settings.replicas} that have none, and with ${count(largest)} replicas in virtual time.`;
}

function processes(shared: RunResult, alone: RunResult): string {
  const row = (what: string, read: (run: RunResult) => string): string[] => [what, read(shared), read(alone)];
  return table(
    ['', 'with a store', 'without'],
    [
      row('refreshes while all start', ({ boot }) => count(boot.refreshes)),
      row(
        `refreshes in ${shared.calm.intervals} automatic intervals (HTTP calls)`,
        ({ calm }) => `${calm.refreshes} (${calm.calls})`,
      ),
      row(
        'refreshes for one rollover, average (most)',
        ({ rollovers: r }) =>
          `${mean(r.map((one) => one.refreshes)).toFixed(1)} (${Math.max(...r.map((one) => one.refreshes))})`,
      ),
      row('HTTP calls for one rollover, average', ({ rollovers: r }) =>
        mean(r.map((one) => one.calls)).toFixed(1),
      ),
      row('from the first replica that accepts a new key to the last, median', ({ rollovers: r }) =>
        duration(median(spreads(r))),
      ),
      row('the same, worst', ({ rollovers: r }) => duration(Math.max(...spreads(r)))),
      row(
        `refreshes in an outage of ${shared.outage.seconds} s (HTTP calls)`,
        ({ outage }) => `${outage.refreshes} (${outage.calls})`,
      ),
      row(
        'refreshes for the rollover when the issuer is back',
        ({ comeback }) => `${comeback.refreshes} (${comeback.calls})`,
      ),
      row('longest wait for an answer, rollovers', ({ rollovers: r }) =>
        duration(Math.max(...r.map((one) => one.slowest))),
      ),
      row('longest wait for an answer, issuer just back', ({ comeback }) => duration(comeback.slowest)),
      row('valid requests refused', ({ all }) => `${count(all.refused)} of ${count(all.sent)}`),
      row(
        'latency of known keys, p50 / p99',
        ({ known }) => `${known.p50.toFixed(1)} / ${known.p99.toFixed(1)} ms`,
      ),
    ],
  );
}

function faultSection(faults: FaultResults | undefined): string[] {
  if (!faults) return ['Not measured: there was no redis-server to break on the PATH.'];
  return [
    table(
      ['', 'refused', 'refreshes', 'until all accept', 'longest wait', 'refreshes of the next rollover'],
      faults.rows.map(({ title, rollover, after }) => [
        title,
        `${count(rollover.refused + after.refused)} of ${count(rollover.sent + after.sent)}`,
        count(rollover.refreshes),
        duration(rollover.spread),
        duration(rollover.slowest),
        count(after.refreshes),
      ]),
    ),
    faults.rows.map(({ title, story }) => `- ${title}: ${story}`).join('\n'),
    'Without Redis each replica asks for itself, so that a fault costs refreshes and time, not requests. Requests cut off by the killed process itself are not counted.',
  ];
}

function method({ settings }: RunResult, simulations: readonly SimulationResult[]): string {
  const largest = simulations.at(-1);
  if (!largest) throw new Error('Nothing was simulated');
  const { day, memoryPerReplica } = largest;
  return `- **Processes**: each replica is a Nest application on Fastify with the module, in a process of its own, and the issuer is another;
  everything is on loopback. Both fleets run side by side, each with its own issuer and out of step, so that noise falls on both.
  \`automaticRefreshInterval\` is ten seconds in place of ten minutes, the verified-token cache is off, all else is default. Each
  replica gets ${settings.perSecond} valid requests a second, half of them with the latest key and half with the one before; keys roll over every ${settings.gap / 1000} s.
- A new key is published beside the one in use and used at once; the one before is withdrawn at the same time, which every
  refresh confirms with a second reading. That is why a refresh is up to three HTTP calls.
- "Until all accept" is counted from the first 200 for a token of the new key until the last replica has the key. Without a store
  a replica learns of a key when a token with it comes, so that there the figure depends on the load.
- A key counts as known from when all replicas have it. Noise is what the quarters of the run without a store differ by.
- Jitter makes the earliest replica of a fleet refresh about a tenth early: 1.11 refreshes per interval are one per check.
- **Virtual time**: the library's \`MetadataProvider\`, called as the authenticator calls it, on a clock with a heap of timers. Issuer and
  Redis are simulated with latency (issuer 15 ms and more each way, Redis 0.15 ms and more, one packet in a hundred up to 10 ms late), Redis with the semantics of
  the store's scripts, one thing at a time, 20 µs for a script and 7.5 µs for each subscriber of a message, and the bytes that its protocol would be. All of it is seeded (${day.seed}).
- The virtual day has ${duration(day.end)}: all replicas start within ${duration(day.boot)}, an hour is calm, keys roll over every seven minutes; then 30 minutes of refused
  connections, with a new key when they end; then a rollover in which the replica that asks is killed. At each replica the
  first token of a new key comes after ${day.firstToken / 1000} s on average, and one of the known key every ${day.tokenInterval / 1000} s.
- A simulated replica takes ${bytes(memoryPerReplica)} of heap, keys and timers included.`;
}
