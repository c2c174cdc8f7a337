import { count } from '../../resilience/report/wording.js';
import type { RedisCost } from '../processes/faults.js';
import type { Results } from '../results.js';
import type { SimulationResult } from '../simulation/result.js';
import { bytes } from './figures.js';
import { source } from './versions.js';

/** How to size and run a fleet; the figures come from the run. */
export function operatingGuide({ faults, simulations }: Results): string[] {
  const largest = simulations.at(-1);
  return [
    '## Set it up',
    SET_UP,
    '## Options that matter to a fleet',
    OPTIONS,
    '## Load on Redis',
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
import { AuthModule } from 'nestjs-resilient-auth';
import { RedisMetadataStore } from 'nestjs-resilient-auth/redis';

const { REDIS_URL, AUTH_INTEGRITY_KEY } = process.env;
if (!REDIS_URL || !AUTH_INTEGRITY_KEY) throw new Error('REDIS_URL and AUTH_INTEGRITY_KEY must be set');

const client = new Redis(REDIS_URL);
client.on('error', () => undefined); // the module emits store-failed for it; ioredis would print it as well

AuthModule.forRoot({
  issuer, audience,
  metadata: { store: new RedisMetadataStore({ client, integrityKey: AUTH_INTEGRITY_KEY }) },
});
\`\`\`

One store serves all issuers of an application, and every application that trusts the same issuer may share it. The client stays yours: the store
never closes it. It listens on a duplicate, so that **each replica has two connections**: Redis' \`maxclients\` is 10,000 by default. Leave ioredis'
\`enableOfflineQueue\` on; without it the first load fails because the connection is not up yet. Scripts are sent with \`EVAL\`, and
findings with \`PUBLISH\`: an operator who restricts the user allows
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

const SIZING = `To size it, count for each issuer and check: snapshot × replicas bytes at once, and a handful of commands. Redis need not persist anything, and evicted keys do no harm: they are
read from the issuer again. Commands do not grow with requests: known keys never touch Redis.`;

const INTEGRITY = `\`\`\`sh
node -p "crypto.randomBytes(32).toString('base64')"
\`\`\`

One secret for all replicas that share the store, refused below 16 bytes, kept like a signing secret: an attacker who has it and can write to Redis can make the fleet accept a key. It is checked with every
snapshot that is read. Rotate it in three deployments, each complete before the next:

1. \`integrityKey: [old, new]\`: all accept both, and sign with the old one.
2. \`integrityKey: [new, old]\`: all sign with the new one. Wait for one \`automaticRefreshInterval\`, so that stored snapshots are signed with it.
3. \`integrityKey: new\`.

A replica with the wrong secret emits \`snapshot-refused\` (\`tampered\`), does not use the snapshot, and asks the issuer itself: a rotation that went wrong costs
refreshes, no requests. \`null\` switches the signature off; then Redis is as trusted as the issuer.`;

const AWAY = `- Known keys: nothing changes, Redis is not in the way of any request.
- A new key: the call to the store is given up after one second, or a quarter of \`refreshWait\` where that is shorter, and each replica asks the issuer
  for itself, within its own budget. A store that failed is left alone for \`refreshInterval\` before it is tried again, so this is paid no more often than that.
- The connection that listens: where Redis refuses to let it subscribe, or the client's \`retryStrategy\` has given up, the module emits \`store-failed\`, and subscribes again after a
  second, then less often, every 30 seconds in the end. Until then a replica receives nothing, and reads the store when it needs a key.
- A replica that starts asks the issuer. When that is down as well, it has no keys: \`startup\` says what then.
- It emits \`store-failed\` once, \`store-recovered\` later, and reports \`status().store\` in between; see the faults below for what it costs.
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

const OTHER_STORE_LIMITS = `Stored snapshots are validated like an answer of the issuer; restrict who can write to the store. Without \`acquireLease\` and \`watch\` replicas read
the store before they ask the issuer, so a fleet still needs few refreshes, but several may ask at once, and a replica learns a new key only when a token of it arrives. \`LeasingMetadataStore\` and
\`WatchableMetadataStore\` say what the rest has to do.`;
