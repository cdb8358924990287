// Revocations against rotations and logins in parallel, on two instances: after the answer of the
// revocation nothing works (C61).

import type { Test } from 'tap'
import type { CreateOutcome, Family } from '../../src/families/family.ts'
import type { UserRecord } from '../../src/users/user.ts'
import {
  describe,
  ending,
  keeping,
  listAll,
  logIn,
  newLogin,
  newUser,
  nextEpoch,
  type OpenFamilyBench,
  read,
  rotateOn,
  rotation,
  T0,
  together,
} from './family-bench.ts'

const ROUNDS = 25
const STORM_ROUNDS = 3

export async function runRaceCases(t: Test, open: OpenFamilyBench): Promise<void> {
  const { store, another } = await open(t)
  const other = await another()

  /** Rotates on and on, on both instances at once, until they are refused; the last answers. */
  async function useUntilRefused(family: Family): Promise<string[]> {
    for (let current = family, nowMs = T0 + 1; ; nowMs += 1) {
      const request = rotation(current, { nowMs })
      const answers = await together([store, other], 2, (one) => one.rotate(request))
      const last = answers.find((answer) => 'user' in answer)
      // One of the two may have passed before the revocation; the next round then ends it.
      if (!last || !('user' in last)) return answers.map(describe)
      current = last.family
    }
  }

  /** Every token that the family can ever have had, presented after the revocation's answer. */
  async function assertDead(t: Test, family: Family, expected: string): Promise<void> {
    const { family: state } = await store.inspect({
      owner: { userId: family.userId },
      familyId: family.familyId,
    })
    const last = state?.generation ?? 0
    for (const generation of [0, last - 1, last, last + 1]) {
      if (generation < 0) continue
      const answer = await other.rotate(rotation(family, { generation, nowMs: T0 + 9_000 }))
      t.equal(describe(answer), `inactive ${expected}`)
    }
  }

  const revocations: [string, string, (family: Family, user: UserRecord) => Promise<unknown>][] = [
    ['end', 'family_ended', (family) => store.end(ending(family, { atMs: T0 + 50 }))],
    ['logout everywhere', 'user_epoch_passed', (_, user) => store.putUser(nextEpoch(user))],
    ['disable', 'user_inactive', (_, user) => store.putUser(nextEpoch(user, 'user_disabled'))],
  ]
  for (const [what, expected, revoke] of revocations) {
    t.test(`${what} races rotations: nothing works after its answer`, async (t) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const user = newUser()
        const family = await logIn(store, user)
        const use = useUntilRefused(family)
        // Let some rotations through, more of them every round.
        for (let i = 0; i < round % 5; i += 1) await listAll(store, user.userId)
        await revoke(family, user)
        await assertDead(t, family, expected)
        t.strictSame(await use, [`inactive ${expected}`, `inactive ${expected}`])
      }
    })
  }

  for (const [what, expected, revoke] of revocations.slice(1)) {
    t.test(`${what} races logins: none of them survives it`, async (t) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const user = newUser()
        const family = await logIn(store, user)
        const logins = together([store, other], 8, (one) => one.create(newLogin(user)))
        for (let i = 0; i < round % 3; i += 1) await listAll(store, user.userId)
        await revoke(family, user)
        const late = await other.create(newLogin(user))
        t.equal(late.outcome, 'user_moved', 'a login after the answer is refused')
        const answers = await logins
        for (const made of answers.filter(isCreated)) await assertDead(t, made.family, expected)
        const { families } = await listAll(store, user.userId)
        const created = answers.filter(isCreated).length
        t.equal(families.length, 1 + created, 'a refused login leaves nothing')
      }
    })
  }

  t.test('a storm of refreshes does not keep a change of the user waiting', async (t) => {
    for (let round = 0; round < STORM_ROUNDS; round += 1) {
      const user = newUser()
      const families = await together([store, other], 16, (one) => logIn(one, user))
      const storm = families.map((family) => useUntilRefused(family))
      // Into the storm, not before it.
      await listAll(store, user.userId)
      await other.putUser(nextEpoch(user, 'user_disabled'))
      for (const answers of await Promise.all(storm)) {
        t.strictSame(answers, ['inactive user_inactive', 'inactive user_inactive'])
      }
    }
  })

  t.test('all but this races rotations: this one goes on, the others are dead', async (t) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const user = newUser()
      const [kept, lost] = [await logIn(store, user), await logIn(store, user)]
      const rotations = Promise.all([rotateOn(other, kept), useUntilRefused(lost)])
      await store.putUser(keeping(nextEpoch(user), kept))
      await assertDead(t, lost, 'user_epoch_passed')
      const [after, refusal] = await rotations
      t.strictSame(refusal, ['inactive user_epoch_passed', 'inactive user_epoch_passed'])
      t.equal((await rotateOn(other, after)).epoch, 1, 'neither write undid the other')
    }
  })

  t.test('a replay races rotations: when it is answered nothing works', async (t) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const first = await logIn(store)
      const third = await rotateOn(store, await rotateOn(store, first))
      const use = useUntilRefused(third)
      const answer = await store.rotate(rotation(first, { nowMs: T0 + 5_000 }))
      t.equal(answer.outcome, 'replayed')
      await assertDead(t, third, 'family_ended')
      t.strictSame(await use, ['inactive family_ended', 'inactive family_ended'])
    }
  })

  t.test('ended by many at once: one of them did it, and the first in time stays', async (t) => {
    const family = await logIn(store)
    const outcomes = await together([store, other], 16, (one, i) =>
      one.end(ending(family, { atMs: T0 + 100 + i })),
    )
    t.equal(outcomes.filter((outcome) => outcome === 'ended').length, 1)
    t.equal(outcomes.filter((outcome) => outcome === 'already_ended').length, 15)
    const { ended } = (await read(store, family)) ?? {}
    t.match(ended, { reason: 'revoked_by_user', atMs: T0 + 100 }, 'the first in time')
  })
}

function isCreated(answer: CreateOutcome): answer is CreateOutcome & { outcome: 'created' } {
  return answer.outcome === 'created'
}
