// Replicas in a Redis Cluster: one that joins a master, and a Cluster of three of each.

import { findFreePort } from '../../src/embedded/free-port.ts'
import { AOF, type RedisCluster, startRedisCluster } from './redis.ts'
import { type RedisProcess, runRedis } from './redis-process.ts'
import type { Scope } from './scope.ts'
import { until } from './until.ts'

export interface RedisShard {
  /** Either of the two is the master; the first one at the start. */
  readonly servers: readonly [RedisProcess, RedisProcess]
}

export interface ReplicatedCluster {
  /** In the form of REDIS_URL, every node named. */
  readonly url: string
  readonly shards: readonly RedisShard[]
}

/** Three masters with a replica each, all of them in sync and known to all. */
export async function startReplicatedCluster(t: Scope): Promise<ReplicatedCluster> {
  const cluster = await startRedisCluster(t)
  const shards: RedisShard[] = []
  for (const master of cluster.nodes) {
    shards.push({ servers: [master, await startReplica(t, cluster, master)] })
  }
  const hosts = shards.flatMap(({ servers }) => servers.map(({ port }) => `127.0.0.1:${port}`))
  return { url: `redis://${hosts.join(',')}?mode=cluster`, shards }
}

/** Resolves when the replica of `master` is in sync and may be voted for. */
export async function startReplica(
  t: Scope,
  { nodes }: RedisCluster,
  master: RedisProcess,
): Promise<RedisProcess> {
  const bus = String(await findFreePort())
  const replica = await runRedis(t, () =>
    [...AOF, '--cluster-enabled', 'yes', '--cluster-port', bus].concat([
      '--cluster-node-timeout',
      '2000',
    ]),
  )
  await master.cli('CONFIG', 'SET', 'repl-diskless-sync-delay', '0')
  const [, masterBus] = (await master.cli('CONFIG', 'GET', 'cluster-port')) as string[]
  await replica.cli('CLUSTER', 'MEET', '127.0.0.1', String(master.port), String(masterBus))
  const id = String(await master.cli('CLUSTER', 'MYID'))
  await until('the replica that knows its master', async () =>
    String(await replica.cli('CLUSTER', 'NODES')).includes(`${id} 127.0.0.1`),
  )
  await until('the replica that follows', async () => {
    const reply = await replica.cli('CLUSTER', 'REPLICATE', id).catch(() => '')
    return String(reply) === 'OK'
  })
  await until('the replica in sync', () => isInSync(replica))
  const replicaId = String(await replica.cli('CLUSTER', 'MYID'))
  for (const node of nodes) {
    // Who has not heard of the replica does not vote for it.
    const line = new RegExp(`^${replicaId} \\S+ slave ${id}`, 'm')
    await until('a node that knows the replica', async () =>
      line.test(String(await node.cli('CLUSTER', 'NODES'))),
    )
  }
  return replica
}

/** Whether the server is a replica that has all that its master had when it was asked. */
export async function isInSync(replica: RedisProcess): Promise<boolean> {
  const info = await replica.cli('INFO', 'replication').catch(() => '')
  return /master_link_status:up/.test(String(info))
}

/** Makes a replica that is in sync the master of its shard, without loss. */
export async function promote(replica: RedisProcess): Promise<void> {
  await until('a replica in sync', () => isInSync(replica))
  const isMaster = async () =>
    String(await replica.cli('ROLE').catch(() => '')).startsWith('master')
  let round = 0
  await until('the promotion', async () => {
    // A request that comes too soon after the last failover is forgotten.
    if (round++ % 40 === 0) await replica.cli('CLUSTER', 'FAILOVER').catch(() => {})
    return await isMaster()
  })
}
