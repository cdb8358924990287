// What goes wrong with Redis, and only with it.

import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { asAdmin } from '../../support/admin-connection.ts'
import type { RedisProcess } from '../../support/redis.ts'
import type { ChaosScene } from '../chaos-scene.ts'
import type { Random } from '../random.ts'
import type { MakeFault } from './fault.ts'

export const REDIS_FAULTS = {
  /** Killed and started from its append-only file, or replaced meanwhile by its replica. */
  killRedis: async ({ redis }, random) => {
    if (!redis) return undefined
    const server = redis.single ?? (await redis.replicated?.findMaster(random))
    if (!server) return undefined
    // Long enough for a replica to take over, or not.
    const holdMs = random.between(0, redis.single ? 2_000 : 5_000)
    return { holdMs, begin: server.kill, end: server.start }
  },
  /** A planned one, in which the old master goes on for a while. */
  failOver: ({ redis }, random) => {
    const replicated = redis?.replicated
    if (!replicated) return undefined
    return {
      holdMs: random.between(1_000, 4_000),
      begin: () => replicated.failOver(random),
      end() {},
    }
  },
  fillRedis: ({ redis }, random) =>
    redis?.single && {
      holdMs: random.between(200, 1_500),
      begin: () => setMaxMemory(redis.single, 1),
      end: () => setMaxMemory(redis.single, 0),
    },
  /** Killed, and started without its data. */
  emptyRedis: ({ redis }, random) =>
    redis?.single && {
      holdMs: random.between(0, 1_000),
      begin: redis.single.kill,
      end: () => startWithout(redis.single),
      lost: () => ({}),
    },
  /** `FLUSHALL` while everybody is at work. */
  flushRedis: ({ redis }, random) =>
    redis?.single && {
      holdMs: random.between(0, 1_000),
      begin() {},
      end: async () => void (await redis.single?.cli('FLUSHALL')),
      lost: () => ({}),
    },
  /** Killed, and started from a copy that was made a while ago. */
  restoreRedis: ({ redis }, random) =>
    redis?.single && {
      holdMs: random.between(500, 4_000),
      begin: () => copyData(redis.single),
      end: () => startFromCopy(redis.single),
      lost: () => ({}),
    },
  /** Emptied when the journal does not have the logins any more, as after a quarter of an hour. */
  emptyRedisLate: (scene, random) => emptyWithoutLogins(scene, random),
} as const satisfies Record<string, MakeFault>

async function setMaxMemory(redis: RedisProcess | undefined, bytes: number): Promise<void> {
  await redis?.cli('CONFIG', 'SET', 'maxmemory', String(bytes))
}

const copyOf = ({ dataDir }: RedisProcess) => `${dataDir}.copy`

async function clear(dir: string): Promise<void> {
  for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true })
}

async function startWithout(redis: RedisProcess | undefined): Promise<void> {
  if (!redis) return
  await clear(redis.dataDir)
  await redis.start()
}

/** As docs/operations.md has it: while no rewrite runs, which a server with so little never begins. */
async function copyData(redis: RedisProcess | undefined): Promise<void> {
  if (!redis) return
  await rm(copyOf(redis), { recursive: true, force: true })
  await cp(redis.dataDir, copyOf(redis), { recursive: true })
}

async function startFromCopy(redis: RedisProcess | undefined): Promise<void> {
  if (!redis) return
  await redis.kill()
  await clear(redis.dataDir)
  await cp(copyOf(redis), redis.dataDir, { recursive: true })
  await redis.start()
}

function emptyWithoutLogins({ redis, postgres }: ChaosScene, random: Random) {
  const single = redis?.single
  if (!single) return undefined
  let forgottenMs = 0
  return {
    holdMs: random.between(0, 1_000),
    async begin() {
      await single.kill()
      await asAdmin(postgres.url, (client) =>
        client.query(`DELETE FROM journal WHERE payload->>'kind' = 'created'`),
      )
      forgottenMs = performance.now()
    },
    end: () => startWithout(single),
    lost: () => ({ loginsBeforeMs: forgottenMs }),
  }
}
