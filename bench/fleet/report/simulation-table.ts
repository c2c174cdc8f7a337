import { count, duration, table } from '../../resilience/report/wording.js';
import type { SimulatedRollover, SimulationResult } from '../simulation/result.js';
import type { LoadPerSecond } from '../simulation/traffic.js';
import { bytes, mean, median, spreads, usual } from './figures.js';

/** Fleets of several sizes, side by side. */
export function simulationTable(simulations: readonly SimulationResult[]): string {
  const row = (what: string, read: (simulation: SimulationResult) => string): string[] => [
    what,
    ...simulations.map(read),
  ];
  return table(
    ['', ...simulations.map(({ day }) => `${count(day.replicas)} replica${day.replicas > 1 ? 's' : ''}`)],
    [
      row('refreshes when all start', ({ boot }) => count(boot.refreshes)),
      row(
        'refreshes in 6 automatic intervals (HTTP calls)',
        ({ calm }) => `${count(calm.refreshes)} (${count(calm.calls)})`,
      ),
      row('refreshes for one rollover, average (most)', ({ rollovers }) => {
        const refreshes = usual(rollovers).map((one) => one.refreshes);
        return `${mean(refreshes).toFixed(1)} (${Math.max(...refreshes)})`;
      }),
      row('from the first replica that accepts a new key to the last, median', ({ rollovers }) =>
        duration(median(spreads(usual(rollovers)))),
      ),
      row('the same, worst', ({ rollovers }) => duration(Math.max(...spreads(usual(rollovers))))),
      row(
        'refreshes in an outage of 30 min (HTTP calls)',
        ({ outage }) =>
          `${count(outage.refreshes)} (${count(outage.calls)})${outage.minutes < 30 ? ` in ${outage.minutes.toFixed(1)} min` : ''}`,
      ),
      row('rollover when the issuer is back', of('after-outage')),
      row('rollover whose lease holder is killed', of('holder-killed')),
      row(
        'valid requests refused, new keys',
        ({ rollovers, requests }) =>
          `${count(rollovers.reduce((sum, { refused }) => sum + refused, 0))} of ${count(requests)}`,
      ),
      row(
        'valid requests refused, known keys',
        ({ known }) => `${count(known.refused)} of ${count(known.sent)}`,
      ),
      row(
        'Redis: commands a second, all day (busiest second)',
        perSecond(({ day }) => day.commands, commands),
      ),
      row(
        'Redis: commands a second, calm',
        perSecond(({ calm }) => calm.commands, commands),
      ),
      row(
        'Redis: commands a second, rollovers',
        perSecond(({ rollovers }) => rollovers.commands, commands),
      ),
      row(
        'Redis: commands a second, outage',
        perSecond(({ outage }) => outage.commands, commands),
      ),
      row(
        'Redis: bytes a second, all day (busiest second)',
        perSecond(({ day }) => day.bytes, bytes),
      ),
      row(
        'Redis: bytes a second, calm',
        perSecond(({ calm }) => calm.bytes, bytes),
      ),
      row(
        'Redis: bytes a second, rollovers',
        perSecond(({ rollovers }) => rollovers.bytes, bytes),
      ),
      row(
        'Redis: bytes a second, outage',
        perSecond(({ outage }) => outage.bytes, bytes),
      ),
      row('real time', ({ took }) => duration(took * 1000)),
      row('resident memory of the simulation', ({ residentMegabytes }) => bytes(residentMegabytes * 1e6)),
    ],
  );
}

function of(kind: SimulatedRollover['kind']): (simulation: SimulationResult) => string {
  return ({ rollovers, day }) => {
    const rollover = rollovers.find((one) => one.kind === kind);
    if (!rollover) return 'not reached';
    const { refreshes, spread, slowest } = rollover;
    if (day.replicas === 1) return `${count(refreshes)} refresh`;
    const until = duration(spread ?? Number.POSITIVE_INFINITY);
    return `${count(refreshes)} refresh${refreshes === 1 ? '' : 'es'}, all know after ${until}, longest wait ${duration(slowest)}`;
  };
}

/** On average, and in the busiest second. */
function perSecond(
  read: (redis: SimulationResult['redis']) => LoadPerSecond,
  unit: (value: number) => string,
): (simulation: SimulationResult) => string {
  return ({ redis }) => {
    const { average, peak } = read(redis);
    return `${unit(average)} (${unit(peak)})`;
  };
}

function commands(value: number): string {
  return value < 10 && !Number.isInteger(value) ? value.toFixed(3) : count(Math.round(value));
}
