// The order of the checks (docs/semantics.md §3). Each request below has everything wrong that a
// later check could find, so only the order decides which answer it gets.

import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import type { Family, FamilyId, RotateFamily } from '../../src/families/family.ts'
import type { UserId } from '../../src/users/user.ts'
import {
  ABSOLUTE_MS,
  describe,
  ending,
  GRACE_MS,
  IDLE_MS,
  logIn,
  MOBILE,
  newUser,
  nextEpoch,
  type OpenFamilyBench,
  read,
  rotateOn,
  rotation,
  T0,
} from './family-bench.ts'

export async function runOrderCases(t: Test, open: OpenFamilyBench): Promise<void> {
  const { store } = await open(t)

  /** Each step removes the fault found last; nothing may change on the way. */
  async function walk(
    t: Test,
    family: Family,
    request: Partial<RotateFamily>,
    steps: readonly [string, Partial<RotateFamily>][],
  ): Promise<void> {
    const before = await read(store, family)
    let faults = { ...request }
    for (const [answer, correction] of steps) {
      t.equal(describe(await store.rotate(rotation(family, faults))), answer)
      t.strictSame(await read(store, family), before, `${answer} changes nothing`)
      faults = { ...faults, ...correction }
    }
  }

  const everythingWrong: Partial<RotateFamily> = {
    secretHash: 'A'.repeat(43),
    clientId: MOBILE,
    nowMs: T0 + 2 * ABSOLUTE_MS,
    clientSessionsValidFromMs: T0 + 1,
    requestedScope: ['orders:write'],
    requestedAudience: ['https://x.example'],
  }

  t.test('unknown, secret, client, ended come first, in this order', async (t) => {
    const user = newUser()
    const first = await logIn(store, user)
    const second = await rotateOn(store, first)
    await rotateOn(store, second)
    await store.end(ending(first, { atMs: T0 + 5_000 }))
    await store.putUser(nextEpoch(user, 'user_disabled'))
    await walk(t, first, { ...everythingWrong, familyId: randomUUID() as FamilyId }, [
      ['inactive family_unknown', { familyId: first.familyId, userId: randomUUID() as UserId }],
      ['inactive family_unknown', { userId: first.userId }],
      ['inactive family_secret_wrong', { secretHash: first.secretHash }],
      ['inactive family_of_other_client', { clientId: first.clientId }],
      ['inactive family_ended', { nowMs: T0 + 6_000 }],
      ['inactive family_ended', { clientSessionsValidFromMs: 0 }],
    ])
  })

  t.test('then absolute, idle, status, epoch', async (t) => {
    const user = newUser()
    const first = await logIn(store, user)
    const second = await rotateOn(store, first)
    await rotateOn(store, second)
    const disabled = nextEpoch(user, 'user_disabled')
    await store.putUser(disabled)
    const { secretHash, clientId } = first
    await walk(t, first, { ...everythingWrong, secretHash, clientId }, [
      ['inactive family_absolute_expired', { nowMs: T0 + 2 * IDLE_MS }],
      ['inactive family_idle_expired', { nowMs: T0 + GRACE_MS * 2 }],
      ['inactive user_inactive', {}],
    ])
    await store.putUser({ ...disabled, status: 'active', version: disabled.version + 1 })
    const request = { ...everythingWrong, secretHash, clientId, nowMs: T0 + GRACE_MS * 2 }
    await walk(t, first, request, [['inactive user_epoch_passed', {}]])
  })

  t.test('then sessionsValidFrom, and the generation before scope and audience', async (t) => {
    const first = await logIn(store)
    const second = await rotateOn(store, first)
    await rotateOn(store, second)
    const { secretHash, clientId } = first
    const request = { ...everythingWrong, secretHash, clientId, nowMs: T0 + GRACE_MS * 2 }
    await walk(t, first, request, [['inactive client_sessions_ended', {}]])
    const stale = rotation(first, { ...request, clientSessionsValidFromMs: 0 })
    t.equal((await store.rotate(stale)).outcome, 'replayed')
  })

  t.test('then scope, then audience, at a current token and at a retry', async (t) => {
    const first = await logIn(store)
    const second = await rotateOn(store, first)
    const { requestedScope, requestedAudience } = everythingWrong
    for (const token of [first, second]) {
      await walk(t, second, { generation: token.generation, requestedScope, requestedAudience }, [
        ['refused invalid_scope', { requestedScope: undefined }],
        ['refused invalid_target', { requestedAudience: undefined }],
      ])
    }
    t.equal((await store.rotate(rotation(first, { nowMs: T0 + 2_000 }))).outcome, 'retried')
  })

  t.test("a foreign client's replay changes nothing (C49)", async (t) => {
    const first = await logIn(store)
    const second = await rotateOn(store, first)
    const third = await rotateOn(store, second)
    for (const token of [first, second, third]) {
      const answer = await store.rotate(rotation(token, { clientId: MOBILE }))
      t.equal(describe(answer), 'inactive family_of_other_client')
    }
    t.strictSame(await read(store, first), third)
    t.equal((await rotateOn(store, third)).generation, 3)
  })

  t.test('a wrong family secret changes nothing, whatever the generation', async (t) => {
    const first = await logIn(store)
    const second = await rotateOn(store, first)
    const third = await rotateOn(store, second)
    for (const generation of [0, 1, 2, 3, 900]) {
      const wrong = rotation(third, { generation, secretHash: 'A'.repeat(43) })
      t.equal(describe(await store.rotate(wrong)), 'inactive family_secret_wrong')
    }
    t.strictSame(await read(store, first), third)
  })
}
