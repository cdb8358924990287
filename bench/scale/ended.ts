// Does what a user's session costs depend on how many of his have ended?

import type { FamilyStore } from '../../src/families/family-store.ts'
import { ending, logIn, newUser, T0 } from '../../test/contract/family-bench.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import type { Scope } from '../../test/support/scope.ts'
import { USER_AGENT } from '../load/http-connection.ts'
import { actsOn, type FamilyActs, logInSurely, type Member } from './family-acts.ts'
import { costOf, forEachOf, upTo } from './many.ts'
import { multiplyRow, openPostgresCase } from './postgres-case.ts'
import { openRedisCase, type RedisCase, redisCpuMicros } from './redis-case.ts'
import type { ScaleMeasure, ScaleQuestion } from './scale-question.ts'

// A list shows the newest 200, so it grows up to there and no further.
const ENDED = [1, 200, 100_000]
/** How often each act is done to the one user; fewer than may live at once. */
const TIMES = 50
const FILL_AT_ONCE = 32
const ACTS = ['refresh', 'list', 'login', 'revoke'] as const
const ABOUT = { userAgent: USER_AGENT }

export const ended: ScaleQuestion = {
  name: 'ended',
  title: 'the cost of one session of a user with so many that have ended',
  async prepare(scope, scaled) {
    const times = Math.min(TIMES, scaled(TIMES * 100))
    const counts = ENDED.map((count) => (count <= 200 ? count : scaled(count)))
    return {
      cases: counts.map((count) => `${count.toLocaleString('en')} ended`),
      measures: [
        ...(await measureRedis(scope, counts, times)),
        ...(await measurePostgres(scope, counts, times)),
      ],
    }
  },
}

/** One live session, and another that has ended. */
async function openMember(store: FamilyStore): Promise<Member & { endedId: string }> {
  const user = newUser()
  const gone = await logIn(store, user, ABOUT)
  await store.end(ending(gone))
  return { user, family: await logIn(store, user, ABOUT, T0 + 1), endedId: gone.familyId }
}

/** The same member as often as each act is to be done; what a login makes is ended at once. */
function repeatActs(store: FamilyStore, member: Member, times: number): FamilyActs {
  return actsOn(store, Array<Member>(times).fill(member), 1)
}

async function measureRedis(
  scope: Scope,
  counts: readonly number[],
  times: number,
): Promise<ScaleMeasure[]> {
  const cases: { server: RedisCase['server']; acts: FamilyActs }[] = []
  for (const count of counts) {
    const { server, store } = await openRedisCase(scope)
    const member = await openMember(store)
    const logInAndOut = async () => {
      await store.end(ending(await logInSurely(store, member.user)))
    }
    await forEachOf(upTo(count - 1), logInAndOut, FILL_AT_ONCE)
    cases.push({ server, acts: repeatActs(store, member, times) })
  }
  return ACTS.map((act) => ({
    name: `${act}, Redis`,
    unit: 'server us',
    cases: cases.map(({ server, acts }) => () => {
      return costOf(times, () => redisCpuMicros(server), acts[act])
    }),
  }))
}

async function measurePostgres(
  scope: Scope,
  counts: readonly number[],
  times: number,
): Promise<ScaleMeasure[]> {
  const { url } = await startPostgres(scope)
  const cases: FamilyActs[] = []
  for (const count of counts) {
    const postgres = await openPostgresCase(scope, url)
    const member = await openMember(postgres.store)
    await multiplyRow(postgres, 'families', {
      where: `id = '${member.endedId}'`,
      changes: "jsonb_build_object('id', md5('family ' || n)::uuid)",
      count: count - 1,
    })
    await postgres.run('VACUUM ANALYZE')
    cases.push(repeatActs(postgres.store, member, times))
  }
  return ACTS.map((act) => ({
    name: `${act}, PostgreSQL`,
    unit: 'ms',
    cases: cases.map((acts) => () => costOf(times, () => performance.now(), acts[act])),
  }))
}
