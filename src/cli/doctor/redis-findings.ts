// What `lineage doctor` looks at in Redis: the way there, and on each server that has families its
// role, its version and whether it may forget them.

import type { Redis } from 'ioredis'
import { openRedis } from '../../redis/redis-connection.ts'
import { describeRedisFailure } from '../../redis/redis-failure.ts'
import { checkServer } from '../../redis/redis-server-check.ts'
import type { RedisTarget } from '../../redis/redis-target.ts'
import type { Clock } from '../../runtime/clock.ts'
import { checkClock } from './clock-finding.ts'
import { type Finding, fail, ok, skip, warn } from './finding.ts'
import { measureLatency } from './latency-finding.ts'
import { openReplicas, waitForMasters } from './redis-servers.ts'
import { examineRedisState } from './redis-state-findings.ts'

const CHECK = 'redis'
/** The oldest version that the tests run on. */
const VERSION_MIN = 7

export async function examineRedis(
  target: RedisTarget | undefined,
  clock: Clock,
): Promise<Finding[]> {
  if (!target) return [ok(CHECK, 'not used: families live in PostgreSQL')]
  let lastError = 'no answer'
  let replicas: readonly Redis[] = []
  const client = openRedis(target, (detail) => {
    lastError = detail
  })
  try {
    const masters = await waitForMasters(client)
    if (masters.length === 0) return [fail(CHECK, lastError, adviseOn(lastError, target))]
    replicas = target.mode === 'single' ? [] : await openReplicas(target, client)
    const findings = await Promise.all([
      ...masters.map((server) => examineServer(server, clock)),
      ...replicas.map(examineReplica),
    ])
    return findings.flat()
  } finally {
    client.disconnect()
    for (const replica of replicas) replica.disconnect()
  }
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
      await measureLatency(`latency of redis ${host}:${port}`, () => redis.ping()),
      ...(await examineRedisState(redis, `redis ${host}:${port}`)),
    ]
  } catch (error) {
    return [fail(check, describeRedisFailure(error), 'look into the log of that server')]
  }
}

/** One that may become the master at any moment, and has to be set up as one. */
async function examineReplica(redis: Redis): Promise<Finding[]> {
  const { host, port } = redis.options
  const name = `redis ${host}:${port}`
  if (redis.status !== 'ready') {
    const advice = 'start it, or check the network: it could not take over'
    return [warn(`replication of ${name}`, 'a replica that is not reached from here', advice)]
  }
  try {
    return await examineRedisState(redis, name)
  } catch (error) {
    return [skip(`replication of ${name}`, describeRedisFailure(error))]
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
