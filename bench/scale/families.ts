// Does what a family costs depend on how many others there are? In Redis by the CPU time of its
// thread, in PostgreSQL by time, one act after another.

import { startPostgres } from '../../test/support/postgres.ts'
import type { Scope } from '../../test/support/scope.ts'
import { actsOn, type FamilyActs, type Member, populate } from './family-acts.ts'
import { costOf } from './many.ts'
import { multiplyRow, openPostgresCase, type PostgresCase, tableBytes } from './postgres-case.ts'
import { openRedisCase, type RedisCase, redisCpuMicros, usedBytes } from './redis-case.ts'
import type { ScaleMeasure, ScaleQuestion } from './scale-question.ts'

const SIZES = [1_000, 100_000, 1_000_000]
const REDIS_AT_ONCE = 16
const FILL_AT_ONCE = 64
/** How many of them something is done to. */
const MEMBERS = { redis: 400, postgres: 100 }
const ACTS = ['refresh', 'list', 'login', 'revoke'] as const

export const families: ScaleQuestion = {
  name: 'families',
  title: 'the cost of one family among so many, each of another user',
  async prepare(scope, scaled) {
    const fewer = (members: number) => Math.min(members, scaled(members * 100))
    const sizes = SIZES.map((size) => Math.max(fewer(MEMBERS.redis), scaled(size)))
    const redis = await measureRedis(scope, sizes, fewer(MEMBERS.redis))
    const postgres = await measurePostgres(scope, sizes, fewer(MEMBERS.postgres))
    return {
      cases: sizes.map((size) => `${size.toLocaleString('en')} families`),
      measures: [...redis, ...postgres.measures],
      facts: postgres.facts,
    }
  },
}

async function measureRedis(
  scope: Scope,
  sizes: readonly number[],
  kept: number,
): Promise<ScaleMeasure[]> {
  const cases: { server: RedisCase['server']; acts: FamilyActs }[] = []
  const bytes: (() => Promise<number>)[] = []
  for (const size of sizes) {
    const { server, store } = await openRedisCase(scope)
    const empty = await usedBytes(server)
    const members = await populate(store, { count: size, kept, atOnce: FILL_AT_ONCE })
    const used = (await usedBytes(server)) - empty
    bytes.push(async () => used / size)
    cases.push({ server, acts: actsOn(store, members, REDIS_AT_ONCE) })
  }
  const acts: ScaleMeasure[] = ACTS.map((act) => ({
    name: `${act}, Redis`,
    unit: 'server us',
    cases: cases.map(({ server, acts }) => () => {
      return costOf(kept, () => redisCpuMicros(server), acts[act])
    }),
  }))
  return [...acts, { name: 'a user and his family, Redis', unit: 'bytes', cases: bytes }]
}

async function measurePostgres(scope: Scope, sizes: readonly number[], kept: number) {
  const { url } = await startPostgres(scope)
  const cases: FamilyActs[] = []
  let bytes = Number.NaN
  for (const size of sizes) {
    const postgres = await openPostgresCase(scope, url)
    const members = await populate(postgres.store, { count: kept, kept, atOnce: 1 })
    await addStrangers(postgres, members, size - kept)
    bytes =
      ((await tableBytes(postgres, 'families')) + (await tableBytes(postgres, 'family_users'))) /
      size
    cases.push(actsOn(postgres.store, members, 1))
  }
  const measures = ACTS.map(
    (act): ScaleMeasure => ({
      name: `${act}, PostgreSQL`,
      unit: 'ms',
      cases: cases.map((acts) => () => costOf(kept, () => performance.now(), acts[act])),
    }),
  )
  return { measures, facts: { 'bytes a family and user in PostgreSQL, indexes included': bytes } }
}

/** As many more users with one session each as `count` says, as the first member has it. */
async function addStrangers(
  postgres: PostgresCase,
  [first]: readonly Member[],
  count: number,
): Promise<void> {
  const userId = "md5('user ' || n)::uuid"
  await multiplyRow(postgres, 'family_users', {
    where: `user_id = '${first?.user.userId}'`,
    changes: `jsonb_build_object('user_id', ${userId})`,
    count,
  })
  await multiplyRow(postgres, 'families', {
    where: `id = '${first?.family.familyId}'`,
    changes: `jsonb_build_object('id', md5('family ' || n)::uuid, 'user_id', ${userId})`,
    count,
  })
  await postgres.run('VACUUM ANALYZE')
}
