// What is listed stays bounded, whatever ends a family: those that live, at most 100 at a client,
// and the newest 200 of the others. Every other one is still known by its id (docs/semantics.md
// §3).

import { type Test, test } from 'tap'
import { type Family, LIVE_FAMILIES_MAX } from '../../src/families/family.ts'
import { ENDED_LISTED_MAX } from '../../src/families/family-index.ts'
import type { FamilyStore } from '../../src/families/family-store.ts'
import type { UserRecord } from '../../src/users/user.ts'
import {
  describe,
  ending,
  IDLE_MS,
  listAll,
  logIn,
  newUser,
  nextEpoch,
  type OpenFamilyBench,
  rotateOn,
  rotation,
  T0,
} from './family-bench.ts'

/** One more than are listed, so that one is left out. */
const ENDED = ENDED_LISTED_MAX + 1
const ROUNDS = 2
/** More would wait too long for a connection to PostgreSQL on a busy machine. */
const AT_ONCE = 8

/**
 * Many logins, some at once; the age of each is its own, so that the order of the list is known.
 */
async function logInMany(
  store: FamilyStore,
  user: UserRecord,
  count: number,
  fromMs: number,
): Promise<Family[]> {
  const made: Family[] = []
  for (let from = 0; from < count; from += AT_ONCE) {
    const ages = Array.from(
      { length: Math.min(AT_ONCE, count - from) },
      (_, i) => fromMs + from + i,
    )
    made.push(...(await Promise.all(ages.map((nowMs) => logIn(store, user, {}, nowMs)))))
  }
  return made
}

/**
 * Runs the cases against the stores that `open` makes; they take long, so they have their own file.
 */
export function runFamilyBounds(name: string, open: OpenFamilyBench): void {
  test(`${name}: bounds`, { timeout: 120_000 }, (t) => runBoundsCases(t, open))
}

async function runBoundsCases(t: Test, open: OpenFamilyBench): Promise<void> {
  const { store, another } = await open(t)
  const other = await another()

  async function endByReuse(family: Family): Promise<unknown> {
    const second = await rotateOn(store, family)
    return await other.rotate(rotation(family, { graceMs: 0, nowMs: second.rotatedAtMs }))
  }

  t.test(`of the ended families the newest ${ENDED_LISTED_MAX} are listed`, async (t) => {
    const user = newUser()
    const kept = await logIn(store, user)
    const made: Family[] = []
    for (let from = 1; from <= ENDED; from += AT_ONCE) {
      const families = await logInMany(store, user, AT_ONCE, T0 + from)
      const [first, ...others] = families
      if (first) await endByReuse(first)
      await Promise.all(others.map((family) => store.end(ending(family))))
      made.push(...families)
    }
    const { live, ended } = await other.index(user.userId)
    t.strictSame(live, [kept])
    t.strictSame(
      ended,
      made.slice(-ENDED_LISTED_MAX).map(({ familyId, createdAtMs }) => ({
        familyId,
        createdAtMs,
      })),
    )
    const [left] = made
    if (!left) throw new Error('none was made')
    const unlisted = await store.rotate(rotation(left, { nowMs: T0 + 100_000 }))
    t.equal(describe(unlisted), 'inactive family_ended', 'one that is not listed is remembered')
    t.equal(await store.end(ending(left, { atMs: T0 + 100_000 })), 'already_ended')
    t.match(await store.read(user.userId, [left.familyId]), [{ familyId: left.familyId }])
  })

  const deaths: Record<string, (user: UserRecord, nowMs: number) => [UserRecord, number]> = {
    'whose epoch passes': (user, nowMs) => [nextEpoch(user, 'password_changed', nowMs), nowMs + 1],
    'that nobody uses any more': (user, nowMs) => [user, nowMs + IDLE_MS],
    'that make room': (user, nowMs) => [user, nowMs + 1_000],
  }
  for (const [how, step] of Object.entries(deaths)) {
    t.test(`families ${how} leave the index of the live ones`, async (t) => {
      let [user, nowMs] = [newUser(), T0]
      for (let round = 0; round < ROUNDS; round += 1) {
        await logInMany(store, user, LIVE_FAMILIES_MAX + 4, nowMs)
        ;[user, nowMs] = step(user, nowMs + LIVE_FAMILIES_MAX + 4)
        await store.putUser(user)
      }
      const last = await logIn(store, user, {}, nowMs)
      const { live, ended } = await other.index(user.userId)
      t.ok(live.length <= LIVE_FAMILIES_MAX, `${live.length} may live`)
      t.ok(ended.length <= ENDED_LISTED_MAX, `${ended.length} have ended`)
      t.ok(live.some(({ familyId }) => familyId === last.familyId))
      t.ok(live.length + ended.length >= LIVE_FAMILIES_MAX + 4, 'the newest are all there')
    })
  }

  t.test('whoever is listed twice, or no more, is read once', async (t) => {
    const user = newUser()
    const [one, two] = [await logIn(store, user), await logIn(store, user, {}, T0 + 1)]
    const foreign = await logIn(store)
    const ids = [two.familyId, foreign.familyId, one.familyId]
    const found = await store.read(user.userId, ids)
    t.strictSame(
      found.map(({ familyId }) => familyId).toSorted(),
      [one.familyId, two.familyId].toSorted(),
      "another user's is not there",
    )
    t.strictSame(await store.read(user.userId, []), [])
    t.strictSame((await listAll(other, user.userId)).families, [one, two])
  })
}
