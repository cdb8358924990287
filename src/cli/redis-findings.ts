// What `lineage doctor` looks at in Redis: the way there, and on each server that has families its
// role, its version and whether it may forget them.

import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { openRedis, type RedisClient } from '../redis/redis-connection.ts'
import { describeRedisFailure } from '../redis/redis-failure.ts'
import { checkServer } from '../redis/redis-server-check.ts'
import type { RedisTarget } from '../redis/redis-target.ts'
import type { Clock } from '../runtime/clock.ts'
import { checkClock } from './clock-finding.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const CHECK = 'redis'
const PATIENCE_MS = 4_000
const POLL_MS = 50
/** The oldest version that the tests run on. */
const VERSION_MIN = 7

export async function examineRedis(
  target: RedisTarget | undefined,
  clock: Clock,
): Promise<Finding[]> {
  if (!target) return [ok(CHECK, 'not used: families live in PostgreSQL')]
  let lastError = 'no answer'
  const client = openRedis(target, (detail) => {
    lastError = detail
  })
  try {
    const servers = await waitForServers(client)
    if (servers.length === 0) return [fail(CHECK, lastError, adviseOn(lastError, target))]
    return (await Promise.all(servers.map((server) => examineServer(server, clock)))).flat()
  } finally {
    client.disconnect()
  }
}

/**
 * The servers that must be up to serve every user; empty when they could not be reached in time.
 */
async function waitForServers(client: RedisClient): Promise<readonly Redis[]> {
  const giveUpAt = performance.now() + PATIENCE_MS
  while (performance.now() < giveUpAt) {
    const servers = 'nodes' in client ? client.nodes('master') : [client]
    for (const server of servers) {
      if (server.status === 'wait') server.connect().catch(() => {})
    }
    if (servers.length > 0 && servers.every(({ status }) => status === 'ready')) return servers
    await delay(POLL_MS)
  }
  return []
}

async function examineServer(redis: Redis, clock: Clock): Promise<Finding[]> {
  const { host, port } = redis.options
  const check = `${CHECK} ${host}:${port}`
  try {
    const { version = 'unknown', isReplica, warnings } = await checkServer(redis)
    const role = isReplica ? 'replica' : 'master'
    const detail = `version ${version}, ${role}`
    if (isReplica) return [fail(check, detail, 'point REDIS_URL at the master, or use Sentinel')]
    const isOld = Number.parseInt(version, 10) < VERSION_MIN
    return [
      isOld
        ? warn(check, detail, `use Redis ${VERSION_MIN} or later: older ones are not tested`)
        : ok(check, detail),
      ...warnings.map((warning) => warn(check, warning, adviseOnSetting(warning))),
      await examineClock(redis, clock),
    ]
  } catch (error) {
    return [fail(check, describeRedisFailure(error), 'look into the log of that server')]
  }
}

/** Compares the nodes with each other too: a promoted replica expires keys by its own clock. */
async function examineClock(redis: Redis, clock: Clock): Promise<Finding> {
  const { host, port } = redis.options
  const fromMs = clock()
  const [seconds, microseconds] = await redis.time()
  const theirMs = Number(seconds) * 1000 + Number(microseconds) / 1000
  return checkClock(`clock of redis ${host}:${port}`, 'Redis', [fromMs, theirMs, clock()])
}

function adviseOnSetting(warning: string): string {
  if (warning.includes('maxmemory-policy is')) return 'set maxmemory-policy noeviction'
  if (warning.includes('appendonly is')) return 'set appendonly yes'
  if (warning.includes('(OOM)')) return 'raise maxmemory: sessions that go on need it'
  if (warning.includes('(NOREPLICAS)')) return 'mend the replicas, or lower min-replicas-to-write'
  if (warning.includes('(MISCONF)')) return 'free its disk, and look into the log of that server'
  return 'allow INFO to the user of REDIS_URL, or check the two by hand'
}

function adviseOn(detail: string, { mode }: RedisTarget): string {
  if (/NOAUTH|WRONGPASS/.test(detail)) return 'check the user and the password in REDIS_URL'
  if (/ENOTFOUND|EAI_/.test(detail)) return 'check the hosts in REDIS_URL'
  const which = { single: 'Redis', cluster: 'the Cluster', sentinel: 'the Sentinels' }[mode]
  return `start ${which}, or check REDIS_URL and the network between`
}
