import { count } from '../../resilience/report/wording.js';
import type { RedisCost } from '../processes/faults.js';
import type { Results } from '../results.js';
import type { SimulationResult } from '../simulation/result.js';
import { bytes } from './figures.js';
import { source } from './versions.js';

/** How to size and run a fleet: written by hand, with the figures of the run. */
export function manual({ faults, simulations }: Results): string[] {
  const largest = simulations.at(-1);
  return [
    '## Set it up',
    SET_UP,
    '## Options that matter to a fleet',
    OPTIONS,
    '## What Redis has to bear',
    ...(faults ? [measured(faults.cost)] : []),
    ...(largest ? [simulated(largest)] : []),
    SIZING,
    '## The integrity key',
    INTEGRITY,
    '## When Redis is away',
    AWAY,
    '## Sentinel and Cluster',
    TOPOLOGIES,
    '## Another store',
    OTHER_STORE,
    example(),
    OTHER_STORE_LIMITS,
  ];
}

const SET_UP = `\`\`\`ts
import { Redis } from 'ioredis';
import { RedisMetadataStore } from 'nestjs-resilient-auth/redis';

const { REDIS_URL, AUTH_INTEGRITY_KEY } = process.env;
if (!REDIS_URL || !AUTH_INTEGRITY_KEY) throw new Error('REDIS_URL and AUTH_INTEGRITY_KEY must be set');

const client = new Redis(REDIS_URL);
client.on('error', () => undefined); // told by the module as store-failed; ioredis would print it as well

AuthModule.forRoot({
  issuer, audience,
  metadata: { store: new RedisMetadataStore({ client, integrityKey: AUTH_INTEGRITY_KEY }) },
});
\`\`\`

One store serves all issuers of an application, and every application that trusts the same issuer may share it. The client stays yours: the store
never closes it. It listens on a duplicate, so that **each replica has two connections**: Redis' \`maxclients\` is 10,000 by default. Leave ioredis'
\`enableOfflineQueue\` on; without it the first load fails because the connection is not up yet. Scripts are sent with \`EVAL\`, and
findings with \`PUBLISH\`: whoever restricts the user lets it run
these, \`SUBSCRIBE\`, \`UNSUBSCRIBE\`, \`GET\`, \`SET\`, \`DEL\`, \`PTTL\`, \`TIME\` and, for ioredis itself, \`INFO\`, on keys and channels that begin with \`nestjs-resilient-auth:\`.`;

const OPTIONS = `| option | in a fleet |
|---|---|
| \`automaticRefreshInterval\` | The fleet checks about once per interval, however many replicas it has, and each check is sent to all of them. A longer one saves bytes, and leaves a withdrawn key in use for longer. |
| \`refreshBurst\`, \`refreshInterval\` | Each replica keeps its own bucket; the fleet's holds twice as much and fills twice as fast. So the issuer sees two clients' worth of on-demand refreshes at most. |
| \`timeout\`, \`refreshWait\` | The lease lasts \`timeout\`, or half of \`refreshWait\` where that is shorter, but a second at least. When the replica that asks is killed, tokens of the new key wait for that long. |
| \`lastKnownGoodLifetime\` | Snapshots stay in Redis for that long and one interval: a replica that starts while the issuer is down has keys. |
| \`startup\` | \`'require'\` is safe with a store: a stored snapshot counts. |`;

function measured({ replicas, checks, commands, bytes: total, memory }: RedisCost): string {
  const each = Math.max(1, checks);
  return `Measured on a Redis of its own with ${replicas} processes and one issuer, in ${checks} automatic checks: ${(commands / each).toFixed(1)} commands and
${bytes(total / each)} for each check, most of it the snapshot on its way to every replica. With one RSA key published,
all keys of the issuer take ${count(memory)} bytes of Redis' memory.`;
}

function simulated({ day, redis }: SimulationResult): string {
  const { commands, bytes: traffic } = redis.day;
  return `Simulated with ${count(day.replicas)} replicas: ${commands.average.toFixed(1)} commands a second on average and ${count(commands.peak)} in the busiest one, ${bytes(traffic.average)} a second on average and
${bytes(traffic.peak)} in the busiest; ${count(redis.rollovers.commands.peak)} and ${bytes(redis.rollovers.bytes.peak)} in the busiest of the usual rollovers. In a rollover every replica that gets a token of the new key before
it has the key asks the store, and then the snapshot goes out: ${count(redis.snapshotSize)} bytes for two RSA keys, to each replica.`;
}

const SIZING = `To size it, count for each issuer and check: snapshot × replicas bytes at once, and a handful of commands. Nothing has to be kept on disk, and nothing breaks when keys are evicted: what is lost is
asked for again. Commands do not grow with requests: known keys never touch Redis.`;

const INTEGRITY = `\`\`\`sh
node -p "crypto.randomBytes(32).toString('base64')"
\`\`\`

One secret for all replicas that share the store, refused below 16 bytes, kept like a signing secret: whoever has it and can write to Redis can make the fleet accept a key. It is checked with every
snapshot that is read. Rotate it in three deployments, each complete before the next:

1. \`integrityKey: [old, new]\`: all accept both, and seal with the old one.
2. \`integrityKey: [new, old]\`: all seal with the new one. Wait for one \`automaticRefreshInterval\`, so that what is in store is sealed with it.
3. \`integrityKey: new\`.

A replica with the wrong secret tells \`snapshot-refused\` (\`tampered\`), uses nothing of it, and asks the issuer in its turn: a botched rotation costs
refreshes, no requests. \`null\` does without the seal; then Redis is as trusted as the issuer.`;

const AWAY = `- Known keys: nothing changes, Redis is not in the way of any request.
- A new key: the call to the store is given up after one second, or a quarter of \`refreshWait\` where that is shorter, and each replica asks the issuer
  for itself, within its own budget. A store that failed is left alone for \`refreshInterval\` before it is tried again, so this is paid no more often than that.
- The connection that listens: where Redis refuses to let it subscribe, or the client's \`retryStrategy\` has given up, that is told, and it is tried again after a
  second, then less often, every 30 seconds in the end. Until then a replica hears of nothing, and looks into the store when it needs to.
- A replica that starts asks the issuer. When that is down as well, it has no keys: \`startup\` says what then.
- It tells \`store-failed\` once, \`store-recovered\` later, and \`status().store\` in between; see the faults below for what it costs.
- A Redis that lost its memory goes on in the right order: places in it are never below what any replica has seen. A number that is none, or
  lies more than a day ahead of Redis' clock, counts as lost.`;

const TOPOLOGIES = `\`client\` may be any of ioredis': \`new Redis(url)\`, \`new Redis({ sentinels, name })\` or \`new Cluster(nodes)\`. All keys of one issuer share a hash tag,
so each script runs in one slot, and several issuers spread over the cluster. After a failover that lost the last writes, a lease may be granted twice: the issuer
then sees one refresh more, and the later finding wins in every replica. A Redis that is only a cache is enough; one for each region is fine too, each then being one client of the issuer.`;

const OTHER_STORE = `A store only has to load and save. On any key-value client (this file is compiled with the bench):`;

function example(): string {
  const text = source('key-value-store.ts').replaceAll(/^\/\*\*.*\*\/\n/gm, '');
  return `\`\`\`ts\n${text}\`\`\``;
}

const OTHER_STORE_LIMITS = `What comes out of it is judged like an answer of the issuer; that nobody else can write to it is yours to see to. Without \`acquireLease\` and \`watch\` replicas look into
the store before they ask, so a fleet still makes do with few refreshes, but several may ask at once, and nobody is told of a new key before a token with it comes. \`LeasingMetadataStore\` and
\`WatchableMetadataStore\` say what the rest has to do.`;
