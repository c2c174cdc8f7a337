import { Cluster, Redis } from 'ioredis';
import { RedisMetadataStore } from 'nestjs-resilient-auth/redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Fleet } from '../support/redis/fleet.js';
import { redisToStart } from '../support/redis/find-redis.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { until } from '../support/clock/until.js';

describe.skipIf(!redisToStart())('a Redis Cluster', () => {
  it('[38] serves a fleet over any node, with one retrieval at start-up and per rollover', async () => {
    const nodes = await startCluster(3);
    const fleet = await Fleet.gather(nodes[0]?.url);
    // Connected before the replicas start: within a second, a replica would go on without its store.
    const clustered = async (): Promise<RedisMetadataStore> => {
      const client = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
      client.on('error', () => undefined);
      onTestFinished(() => client.disconnect());
      await client.ping();
      return new RedisMetadataStore({ client, prefix: fleet.prefix, integrityKey: fleet.integrityKey });
    };
    const stores = await Promise.all([clustered(), clustered(), clustered()]);
    const [first, second, third] = await Promise.all(
      stores.map((store) => fleet.join({ intercept: () => store })),
    );
    if (!first || !second || !third) throw new Error('There are three');
    await until(async () => (await listenersOf(nodes, fleet.prefix)) === 3);
    expect(fleet.attempts()).toBe(1);
    await fleet.issuer.rotateKeys({ keepOld: true });
    const { kid } = await fleet.issuer.signingKey();
    expect(await first.verdict(await fleet.issuer.sign())).toBe('accepted');
    await until(() => [second, third].every(({ keyIds }) => keyIds.includes(kid)));
    expect(fleet.attempts()).toBe(2);
    expect(fleet.replicas.map(({ storeState }) => storeState)).toEqual(['ok', 'ok', 'ok']);
  });
});

/** Each node knows of its own. */
async function listenersOf(nodes: readonly RedisServer[], prefix: string): Promise<number> {
  let total = 0;
  for (const { url } of nodes) {
    const client = new Redis(url);
    const channels = await client.pubsub('CHANNELS', `${prefix}*`);
    const counts = await client.pubsub('NUMSUB', ...channels.map(String));
    for (const count of counts) if (typeof count === 'number') total += count;
    client.disconnect();
  }
  return total;
}

/** Nodes that share the slots, once all of them know of each other. */
async function startCluster(size: number): Promise<readonly RedisServer[]> {
  const mode = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'];
  const nodes = await Promise.all(Array.from({ length: size }, () => RedisServer.start(...mode)));
  const clients = nodes.map(({ url }) => new Redis(url));
  onTestFinished(async () => {
    for (const client of clients) client.disconnect();
    await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
  });
  const share = Math.ceil(16_384 / size);
  for (const [index, client] of clients.entries()) {
    const last = Math.min(16_383, (index + 1) * share - 1);
    await client.call('CLUSTER', 'ADDSLOTSRANGE', index * share, last);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  // Only now: a node that has met another takes no epoch.
  for (const client of clients)
    for (const { port } of nodes) await client.call('CLUSTER', 'MEET', '127.0.0.1', port);
  await until(async () => {
    const states = await Promise.all(clients.map((client) => client.call('CLUSTER', 'INFO')));
    return states.every((state) => {
      const text = String(state);
      return text.includes('cluster_state:ok') && text.includes(`cluster_size:${size}`);
    });
  });
  return nodes;
}
