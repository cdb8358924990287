// What a Redis server says about itself: its role, whether it may forget families, and whether it
// would write any now.

import type { Redis } from 'ioredis'
import { replyCode } from './redis-failure.ts'

export interface ServerCheck {
  /** As it calls itself; undefined when it does not tell. */
  readonly version: string | undefined
  readonly isReplica: boolean
  /** Sentences for the operator. */
  readonly warnings: readonly string[]
}

/** Rejects when the server does not answer; being forbidden to ask is a warning. */
export async function checkServer(redis: Redis): Promise<ServerCheck> {
  const info = await redis.info().catch((error: Error) => {
    if (error.message.startsWith('NOPERM')) return undefined
    throw error
  })
  if (info === undefined) {
    return {
      version: undefined,
      isReplica: false,
      warnings: ['Redis forbids INFO: maxmemory-policy and appendonly could not be checked'],
    }
  }
  const field = (name: string) => new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1]
  const policy = field('maxmemory_policy')
  const warnings: string[] = []
  if (policy !== 'noeviction') {
    warnings.push(`Redis may evict families: maxmemory-policy is ${policy}, not noeviction`)
  }
  if (field('aof_enabled') !== '1') {
    warnings.push('Redis may lose families in a restart: appendonly is off')
  }
  const isReplica = field('role') === 'slave'
  const refusal = isReplica ? undefined : await findRefusal(redis)
  if (refusal !== undefined) warnings.push(refusal)
  return { version: field('redis_version'), isReplica, warnings }
}

/** Keyed by the first word of the error that the server answers. */
const REFUSALS: Readonly<Record<string, string>> = {
  OOM: 'Redis is full (OOM): maxmemory is reached, and nobody can log in',
  NOREPLICAS: 'Redis has too few replicas (NOREPLICAS): it refuses every write',
  MISCONF: 'Redis cannot write to its disk (MISCONF): it refuses every write',
}

/**
 * Why the server would refuse a login now. It is asked to run a script that is allowed to write but
 * does not: the server refuses such a script before its first line. Reading the settings that
 * decide it may be forbidden to us.
 */
async function findRefusal(redis: Redis): Promise<string | undefined> {
  try {
    await redis.eval('#!lua\nreturn 1', 0)
    return undefined
  } catch (error) {
    const code = replyCode(error)
    if (code === undefined) throw error
    return REFUSALS[code]
  }
}
