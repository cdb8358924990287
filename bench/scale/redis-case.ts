// One Redis of a question of scale: its store of families, filled through the store itself, and the
// CPU time that its commands cost.

import { parseRedisUrl } from '../../src/config/redis-url.ts'
import type { Family } from '../../src/families/family.ts'
import type { FamilyStore } from '../../src/families/family-store.ts'
import { openRedisFamilyStore } from '../../src/families/redis/redis-family-store.ts'
import { keysOf } from '../../src/families/redis/redis-keys.ts'
import { NO_JOURNAL } from '../../test/support/journal.ts'
import { type RedisProcess, startRedis } from '../../test/support/redis.ts'
import type { Scope } from '../../test/support/scope.ts'

const READY_MS = 10_000

export interface RedisCase {
  readonly server: RedisProcess
  readonly store: FamilyStore
}

export async function openRedisCase(scope: Scope): Promise<RedisCase> {
  const server = await startRedis(scope, { args: ['--appendonly', 'no'] })
  const store = openRedisFamilyStore({
    target: parseRedisUrl(server.url),
    journal: NO_JOURNAL,
    clock: Date.now,
    onConnectionError() {},
    onReplayFailure() {},
  })
  scope.teardown(() => store.close())
  await store.ready(READY_MS)
  return { server, store }
}

/** Of the thread that runs commands, since the server began. */
export async function redisCpuMicros(server: RedisProcess): Promise<number> {
  const info = String(await server.cli('INFO', 'cpu'))
  const seconds = [...info.matchAll(/^used_cpu_(?:user|sys)_main_thread:(.*)\r$/gm)]
  return seconds.reduce((sum, [, value]) => sum + Number(value) * 1e6, 0)
}

/** All that it has allocated, keys and their table included. */
export async function usedBytes(server: RedisProcess): Promise<number> {
  const info = String(await server.cli('INFO', 'memory'))
  return Number(/^used_memory:(\d+)\r$/m.exec(info)?.[1])
}

/** What the family alone takes, with its key but without its entries in indexes. */
export async function familyBytes(
  server: RedisProcess,
  { userId, familyId }: Pick<Family, 'userId' | 'familyId'>,
): Promise<number> {
  const key = keysOf({ userId }).family(familyId)
  const bytes = await server.cli('MEMORY', 'USAGE', key, 'SAMPLES', '0')
  if (bytes === null) throw new Error(`no key ${key}`)
  return Number(bytes)
}
