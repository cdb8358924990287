// The Redis of a run: one server, a master and its replica under a Sentinel, or a Cluster of three
// masters with a replica each. A fault asks which server decides now, and when all is settled again.

import {
  type RedisProcess,
  type RedisSentinel,
  startRedis,
  startRedisSentinel,
} from '../support/redis.ts'
import {
  isInSync,
  promote,
  type RedisShard,
  startReplicatedCluster,
} from '../support/redis-replicas.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import type { Random } from './random.ts'

export interface ChaosRedis {
  /** In the form of REDIS_URL. */
  readonly url: string
  /** The only server, where there are no replicas. */
  readonly single: RedisProcess | undefined
  /** Those that may take over from each other. */
  readonly replicated: ReplicatedRedis | undefined
}

export interface ReplicatedRedis {
  /** A server that decides about families now, and has a replica that knows what it knows. */
  findMaster(random: Random): Promise<RedisProcess>
  /** A planned failover. */
  failOver(random: Random): Promise<void>
  /** Resolves when each master has its replica again. */
  settled(): Promise<void>
}

export async function openSingleRedis(scope: Scope): Promise<ChaosRedis> {
  const single = await startRedis(scope)
  return { url: single.url, single, replicated: undefined }
}

export async function openSentinelRedis(scope: Scope): Promise<ChaosRedis> {
  const servers = await startRedisSentinel(scope)
  const findMaster = () => findSentinelMaster(servers)
  return {
    url: servers.url,
    single: undefined,
    replicated: {
      findMaster,
      settled: async () => void (await findMaster()),
      async failOver() {
        await servers.sentinel.cli('SENTINEL', 'FAILOVER', 'mymaster')
      },
    },
  }
}

export async function openClusterRedis(scope: Scope): Promise<ChaosRedis> {
  const { url, shards } = await startReplicatedCluster(scope)
  return {
    url,
    single: undefined,
    replicated: {
      findMaster: async (random) => (await findRoles(random.pick(shards))).master,
      async failOver(random) {
        const { replica } = await findRoles(random.pick(shards))
        await promote(replica)
      },
      async settled() {
        for (const shard of shards) await findRoles(shard)
      },
    },
  }
}

/** The one that has a replica, when there is one and no failover is under way. */
async function findSentinelMaster({
  master,
  replica,
  sentinel,
}: RedisSentinel): Promise<RedisProcess> {
  return await until('a master and its replica', async () => {
    const told = (await sentinel.cli('SENTINEL', 'MASTER', 'mymaster')) as string[]
    if (told[told.indexOf('flags') + 1] !== 'master') return undefined
    const masters: RedisProcess[] = []
    for (const server of [master, replica]) {
      if (await hasReplica(server)) masters.push(server)
    }
    return masters.length === 1 && masters[0]
  })
}

/** Waits until one is the master and the other follows it. */
async function findRoles({
  servers: [one, other],
}: RedisShard): Promise<{ master: RedisProcess; replica: RedisProcess }> {
  return await until('a master and its replica', async () => {
    for (const [master, replica] of [
      [one, other],
      [other, one],
    ] as const) {
      const isWhole = (await hasReplica(master)) && (await isInSync(replica))
      if (isWhole && (await isClusterUp(master))) return { master, replica }
    }
    return undefined
  })
}

async function hasReplica(server: RedisProcess): Promise<boolean> {
  const info = String(await server.cli('INFO', 'replication').catch(() => ''))
  return /^role:master/m.test(info) && /^connected_slaves:[1-9]/m.test(info)
}

async function isClusterUp(node: RedisProcess): Promise<boolean> {
  return /cluster_state:ok/.test(String(await node.cli('CLUSTER', 'INFO').catch(() => '')))
}
