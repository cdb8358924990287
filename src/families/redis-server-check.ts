// What a Redis server says about itself: its role, and whether it may forget families.

import type { Redis } from 'ioredis'

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
  return { version: field('redis_version'), isReplica: field('role') === 'slave', warnings }
}
