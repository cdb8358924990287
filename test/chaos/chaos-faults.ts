// What goes wrong in a run, one thing at a time.

import type { TestPostgres } from '../support/postgres.ts'
import type { RedisProcess } from '../support/redis.ts'
import { BEYOND_GRACE_MS, type ChaosScene } from './chaos-scene.ts'
import type { MakeFault } from './faults/fault.ts'
import { INSTANCE_FAULTS } from './faults/instance-faults.ts'
import { POSTGRES_FAULTS } from './faults/postgres-faults.ts'
import { REDIS_FAULTS } from './faults/redis-faults.ts'
import { WIRE_FAULTS } from './faults/wire-faults.ts'
import type { Random } from './random.ts'

export const FAULTS = {
  /** The store stops for longer than the grace, and carries on. */
  freeze: async (scene, random) => {
    const store = await storeOf(scene, random)
    // Where it is failed over meanwhile, another one acts.
    const silent = scene.redis?.replicated ? [] : scene.instances.map(({ number }) => number)
    return { silent, holdMs: BEYOND_GRACE_MS, begin: store.pause, end: store.resume }
  },
  restartStore: async (scene, random) => {
    const store = await storeOf(scene, random)
    return { holdMs: random.between(0, 1_000), begin: store.stop, end: store.start }
  },
  ...WIRE_FAULTS,
  ...REDIS_FAULTS,
  ...POSTGRES_FAULTS,
  ...INSTANCE_FAULTS,
} as const satisfies Record<string, MakeFault>

export type FaultName = keyof typeof FAULTS

/** A server that decides about families now. */
async function storeOf(
  { redis, postgres }: ChaosScene,
  random: Random,
): Promise<RedisProcess | TestPostgres> {
  return redis?.single ?? (await redis?.replicated?.findMaster(random)) ?? postgres
}
