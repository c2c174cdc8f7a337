import type { RowResult } from '../bench.js';
import { wrongStatuses, type CellResult } from '../cell-result.js';
import type { Library } from '../libraries/index.js';
import { compare } from './comparison.js';
import { goals } from './goals.js';
import { machine, versions } from './setting.js';
import { remarks } from './remarks.js';
import { count, duration, table } from './wording.js';

/** The whole report in Markdown; every word about an outcome is computed from the results. */
export function report(results: readonly RowResult[], libraries: readonly Library[], took: number): string {
  return [
    '# Resilience, measured',
    '<!-- Written by `npm run bench:resilience`; do not edit. -->',
    INTRODUCTION,
    '![Share of requests answered wrongly, by fault and library](resilience.svg)',
    '## Ties and losses',
    ...tiesAndLosses(results, libraries),
    '## The figures this library is to reach',
    table(
      ['figure', 'goal', 'measured', ''],
      goals(results).map(({ what, goal, measured, isMet }) => [
        what,
        goal,
        measured,
        isMet ? 'met' : '**missed**',
      ]),
    ),
    '## Row by row',
    LEGEND,
    ...results.flatMap((result) => section(result, libraries)),
    '## How it was measured',
    METHOD,
    `Measured on ${new Date().toISOString().slice(0, 10)} in ${duration(took)}, on ${machine()}:`,
    libraries.map((library) => `- ${versions(library)}`).join('\n'),
    'Again: `npm run bench:resilience`; one minute of it: `npm run bench:resilience -- --quick`; some of it: `-- --rows flood,moved --libraries jose`.',
    '',
  ].join('\n\n');
}

const INTRODUCTION = `What happens to an API's requests while its identity provider rolls keys over, breaks down, or sends invalid answers, and while
an attacker floods it: the same faults against this library and against the ones a Node developer would use instead, each
set up as its own README does it.`;

const LEGEND = `**Refused** are the valid requests, of those sent, that did not get a 200; in brackets those whose key was not available
at that moment, which are not counted. **Wrong status** counts answers that say the wrong thing: a valid token
refused with anything but 503, a bad one with a server error, or no answer within a minute. **Calls** are the HTTP
requests the provider saw. **Recovery** is the time until the last request was answered wrongly, from the fault, or from
its end where the fault is an outage.`;

const METHOD = `- Every library runs in a process of its own, a Nest application on Express; the provider is another process, the flood a
  third, the users the fourth. Everything is on loopback. Each fault starts with new processes, warmed up with a few tokens
  over two minutes.
- Hours pass on a clock that runs at its real pace and is shifted forward between requests, and while a library waits for
  a timer. Latencies in those rows are in that time; waits are shifted in steps of one second, after
  ten seconds in steps of five. A library gets 40 ms of real time for each call to the provider before its clock goes on.
- "Connections reset" accepts and resets: a port cannot be closed and opened again for one library alone.
- \`jose\`, \`aws-jwt-verify\` and \`fast-jwt\` verify and leave the answer to the application: here a guard that turns what
  they throw into a 401. One that looks at the error's class can answer most outages with 503; their READMEs show none.
- \`jwks-rsa\` has an option \`cacheMaxAgeFallback\` that keeps keys through an outage, and the other libraries let one
  choose longer cache times. The READMEs' own set-ups do not use them, and longer times keep withdrawn keys longer.
- Library options are the defaults. This library loads its keys at start, the others with the first request unless
  their README says otherwise.
- Figures in milliseconds depend on the machine and on what else it does; the counts do not, or hardly.`;

function tiesAndLosses(results: readonly RowResult[], libraries: readonly Library[]): string[] {
  const { losses, ties, frugal } = compare(results, libraries);
  return [
    'As good as this library, down to the status codes:',
    list(ties),
    'Better than this library:',
    list(losses),
    'As good, and asked the provider less (this library also reads the keys again on its own every ten minutes, and a missing key twice):',
    list(frugal),
  ];
}

function list(items: readonly string[]): string {
  return items.length > 0 ? items.map((item) => `- ${item}`).join('\n') : '- none';
}

function section({ row, cells }: RowResult, libraries: readonly Library[]): string[] {
  const rows = cells.map((cell, index) => [libraries[index]?.title ?? '', ...columns(cell)]);
  return [
    `### ${row.title}`,
    row.story,
    table(
      ['', 'refused', 'wrong status', 'forged accepted', 'calls', 'slowest valid answer', 'recovery'],
      rows,
    ),
    ...remarks(cells, libraries),
  ];
}

function columns(cell: CellResult | Error): string[] {
  if (cell instanceof Error) return ['not measured', '', '', '', '', ''];
  const { sent, accepted, refused, recovery, calls, slowestValid } = cell;
  return [
    `${count(refused)} of ${count(sent.valid)}${sent.uncheckable > 0 ? ` (+ ${sent.uncheckable})` : ''}`,
    wrongStatuses(cell) === 0 ? '0' : statuses(cell),
    `${count(accepted.forged)} of ${count(sent.forged)}`,
    count(calls),
    accepted.valid > 0 ? duration(slowestValid) : '–',
    recovery === 0 ? 'at once' : duration(recovery),
  ];
}

function statuses({ wrongStatus }: CellResult): string {
  return Object.entries(wrongStatus)
    .map(([status, times]) => `${count(times)} × ${status}`)
    .join(', ');
}
