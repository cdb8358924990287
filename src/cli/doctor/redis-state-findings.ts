// What `lineage doctor` reads in the INFO of one server of Redis: what it keeps on its disk, how full it
// is and what it has thrown away, and whether its replicas could take over.

import type { Redis } from 'ioredis'
import { replyCode } from '../../redis/redis-failure.ts'
import { type Finding, fail, ok, skip, warn } from './finding.ts'

/** Logins are refused when a server is full, so one is told before. */
const FULL_RATIO = 0.8
/** A replica that has heard nothing for longer would lose as much when it takes over. */
const LAG_MAX_SECONDS = 10

/** `name` is that of the server in the checks. Rejects with the errors of ioredis. */
export async function examineRedisState(redis: Redis, name: string): Promise<Finding[]> {
  const info = await unlessForbidden(() => redis.info())
  if (info === undefined) return [skip(`persistence of ${name}`, 'Redis forbids INFO')]
  const read = (field: string) => new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1]
  const fsync = await unlessForbidden(() => redis.config('GET', 'appendfsync'))
  return [
    judgePersistence(name, read, Array.isArray(fsync) ? String(fsync[1]) : undefined),
    judgeMemory(name, read),
    judgeReplication(name, read),
  ]
}

type ReadField = (field: string) => string | undefined

function judgePersistence(name: string, read: ReadField, fsync: string | undefined): Finding {
  const check = `persistence of ${name}`
  const isOn = read('aof_enabled') === '1'
  const policy = fsync === undefined ? '' : `, appendfsync ${fsync}`
  const rewrite = 'free its disk, and look into its log'
  if (isOn && read('aof_last_write_status') === 'err') {
    return fail(check, 'the last write to the AOF failed', rewrite)
  }
  const failures = ['aof_last_bgrewrite_status', 'rdb_last_bgsave_status'].filter(
    (field) => read(field) === 'err',
  )
  if (failures.length > 0) return warn(check, `failed: ${failures.join(', ')}`, rewrite)
  if (!isOn) return warn(check, 'AOF off: a restart loses sessions', 'set appendonly yes')
  return fsync === 'no'
    ? warn(check, `AOF on${policy}: a crash loses half a minute`, 'set appendfsync everysec')
    : ok(check, `AOF on${policy}`)
}

function judgeMemory(name: string, read: ReadField): Finding {
  const check = `memory of ${name}`
  const [used, max, evicted] = ['used_memory', 'maxmemory', 'evicted_keys'].map((field) =>
    Number(read(field) ?? 0),
  )
  const policy = read('maxmemory_policy') ?? 'unknown'
  const share = max ? Math.round((100 * (used ?? 0)) / max) : undefined
  const full = share === undefined ? 'no maxmemory' : `${share} % of maxmemory`
  const detail = `${full}, ${policy}, ${evicted} keys evicted so far`
  if (evicted) {
    const advice = 'each may have been a session: set maxmemory-policy noeviction, and give it room'
    return policy === 'noeviction' ? ok(check, detail) : fail(check, detail, advice)
  }
  if (policy !== 'noeviction') return warn(check, detail, 'set maxmemory-policy noeviction')
  return share !== undefined && share > FULL_RATIO * 100
    ? warn(check, detail, 'raise maxmemory: a full Redis refuses logins')
    : ok(check, detail)
}

function judgeReplication(name: string, read: ReadField): Finding {
  const check = `replication of ${name}`
  if (read('role') === 'slave') {
    const link = read('master_link_status')
    const lag = Number(read('master_last_io_seconds_ago') ?? -1)
    const detail = `replica, link ${link}, heard its master ${lag} s ago`
    return link === 'up' && lag <= LAG_MAX_SECONDS
      ? ok(check, detail)
      : warn(check, detail, 'mend it: it would take over without the newest sessions')
  }
  const count = Number(read('connected_slaves') ?? 0)
  const lags = Array.from({ length: count }, (_, index) => read(`slave${index}`) ?? '').map(
    (line) => Number(/lag=(\d+)/.exec(line)?.[1] ?? 0),
  )
  const late = lags.filter((lag) => lag > LAG_MAX_SECONDS).length
  const detail = count === 0 ? 'master without a replica' : `master of ${count}, ${late} behind`
  return late > 0
    ? warn(check, detail, 'look into the logs of the replicas and at the network between')
    : ok(check, detail)
}

/** Undefined where the account may not ask. */
async function unlessForbidden<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (replyCode(error) === 'NOPERM') return undefined
    throw error
  }
}
