// Real Redis for tests: one server, a small Cluster, a Sentinel with a master and a replica. Each is
// the test's own and ends with it.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { type RedisProcess, runRedis } from './redis-process.ts'
import type { Scope } from './scope.ts'

export type { RedisProcess } from './redis-process.ts'

// What production is told to run, and stricter: a write is on disk before it is answered. By default
// (`everysec`) a busy disk lets a killed server lose writes of the last seconds that it had answered.
export const AOF = ['--appendonly', 'yes', '--appendfsync', 'always']
const DURABLE = ['--save', '', ...AOF, '--maxmemory-policy', 'noeviction']

export interface RedisOptions {
  /** More arguments of redis-server; the last one of a name wins. */
  readonly args?: readonly string[]
}

/** One server with AOF and noeviction, ready when it answers PING. */
export function startRedis(t: Scope, { args = [] }: RedisOptions = {}): Promise<RedisProcess> {
  return runRedis(t, () => [...DURABLE, ...args])
}

/** A server for tests that neither stop nor empty it: that of TEST_REDIS_URL, else an own one. */
export async function openTestRedis(t: Test): Promise<{ url: string }> {
  return process.env.TEST_REDIS_URL ? { url: process.env.TEST_REDIS_URL } : startRedis(t)
}

export interface RedisCluster {
  /** In the form of REDIS_URL, every node named. */
  readonly url: string
  readonly nodes: readonly RedisProcess[]
}

/** Three masters that share the slots evenly; resolves when each of them says the Cluster is up. */
export async function startRedisCluster(
  t: Scope,
  { args = [] }: RedisOptions = {},
): Promise<RedisCluster> {
  const nodes: RedisProcess[] = []
  for (const _ of [1, 2, 3]) nodes.push(await runRedis(t, () => clusterArguments(args)))
  const slotsEach = Math.ceil(16_384 / nodes.length)
  for (const [i, node] of nodes.entries()) {
    const last = Math.min((i + 1) * slotsEach, 16_384) - 1
    await node.cli('CLUSTER', 'ADDSLOTSRANGE', String(i * slotsEach), String(last))
    await node.cli('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))
  }
  const [first, ...others] = nodes
  for (const { port } of others) {
    const bus = await busPortOf(nodes, port)
    await first?.cli('CLUSTER', 'MEET', '127.0.0.1', String(port), String(bus))
  }
  for (const node of nodes) {
    await until(async () => {
      const info = String(await node.cli('CLUSTER', 'INFO'))
      return /cluster_state:ok/.test(info) && /cluster_known_nodes:3\b/.test(info)
    })
  }
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')
  return { url: `redis://${hosts}?mode=cluster`, nodes }
}

async function clusterArguments(args: readonly string[]): Promise<string[]> {
  // By default the bus is at port + 10000, which may be beyond the last port.
  const bus = ['--cluster-port', String(await findFreePort())]
  return [...DURABLE, '--cluster-enabled', 'yes', ...bus, '--cluster-node-timeout', '2000', ...args]
}

async function busPortOf(nodes: readonly RedisProcess[], port: number): Promise<number> {
  const node = nodes.find((candidate) => candidate.port === port)
  const reply = await node?.cli('CONFIG', 'GET', 'cluster-port')
  return Number(Array.isArray(reply) ? reply[1] : undefined)
}

export interface RedisSentinel {
  /** In the form of REDIS_URL. */
  readonly url: string
  readonly master: RedisProcess
  readonly replica: RedisProcess
  readonly sentinel: RedisProcess
}

/** A master, its replica in sync, and one Sentinel that fails over alone after half a second. */
export async function startRedisSentinel(t: Scope): Promise<RedisSentinel> {
  const master = await startRedis(t)
  await master.cli('CONFIG', 'SET', 'repl-diskless-sync-delay', '0')
  const replica = await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(master.port)] })
  await until(async () => /master_link_status:up/.test(String(await replica.cli('INFO'))))
  const sentinel = await runRedis(t, (_, dir) => {
    const file = join(dir, 'sentinel.conf')
    writeFileSync(
      file,
      `sentinel monitor mymaster 127.0.0.1 ${master.port} 1
sentinel down-after-milliseconds mymaster 500
sentinel failover-timeout mymaster 2000
`,
    )
    return [file, '--sentinel']
  })
  await until(async () => {
    const replicas = await sentinel.cli('SENTINEL', 'REPLICAS', 'mymaster')
    return Array.isArray(replicas) && replicas.length === 1
  })
  const url = `redis://127.0.0.1:${sentinel.port}?mode=sentinel&name=mymaster`
  return { url, master, replica, sentinel }
}

/**
 * Resolves when `replica` has all that `master` has answered so far. `WAIT` cannot tell: it counts
 * the writes of its own connection only.
 */
export async function caughtUp(master: RedisProcess, replica: RedisProcess): Promise<void> {
  const offset = Number((await replicationOf(master)).get('master_repl_offset'))
  await until(async () => {
    const state = await replicationOf(replica)
    // While the first copy is under way the offset says nothing.
    return (
      state.get('master_link_status') === 'up' && Number(state.get('slave_repl_offset')) >= offset
    )
  })
}

async function replicationOf(server: RedisProcess): Promise<Map<string, string>> {
  const info = String(await server.cli('INFO', 'replication'))
  return new Map(info.split('\r\n').map((line) => line.split(':', 2) as [string, string]))
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(50)
}
