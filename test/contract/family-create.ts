// Logins: what a new family is, when one is refused, and the limit of live ones (docs/semantics.md
// §3).

import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import {
  BY_ASSERTION,
  BY_PASSWORD,
  BY_PASSWORD_AND_CODE,
  type CreateFamily,
  type Family,
  LIVE_FAMILIES_MAX,
} from '../../src/families/family.ts'
import type { FamilyStore } from '../../src/families/family-store.ts'
import type { UserRecord } from '../../src/users/user.ts'
import {
  describe,
  ending,
  IDLE_MS,
  listAll,
  logIn,
  MOBILE,
  newLogin,
  newUser,
  nextEpoch,
  type OpenFamilyBench,
  rotateOn,
  rotation,
  T0,
  together,
  withRoles,
} from './family-bench.ts'

export async function runCreateCases(t: Test, open: OpenFamilyBench): Promise<void> {
  const { store, another, dump } = await open(t)

  t.test('a login starts at generation 0 in the epoch of the user', async (t) => {
    const user = newUser({
      epoch: 6,
      version: 9,
      epochLog: [{ epoch: 6, reason: 'password_changed', atMs: T0 - 5 }],
    })
    const login = newLogin(user)
    const family: Family = {
      ...login.family,
      userId: user.userId,
      generation: 0,
      epoch: 6,
      rotatedAtMs: T0,
      usedAtMs: T0,
      ended: undefined,
      retriedElsewhere: 0,
    }
    const created = { outcome: 'created', family, user, displaced: 0 } as const
    t.strictSame(await store.create(login), created)
    t.strictSame(await listAll(store, user.userId), { user, families: [family] })
  })

  t.test('how a login was made stays, whatever becomes of its family (RFC 8176)', async (t) => {
    for (const amr of [BY_PASSWORD, BY_PASSWORD_AND_CODE, BY_ASSERTION]) {
      const first = await logIn(store, newUser(), { amr })
      const second = await rotateOn(store, first)
      t.strictSame([first.amr, second.amr], [amr, amr])
      const { userId, familyId } = first
      const read = async () => (await store.inspect({ owner: { userId }, familyId })).family
      t.strictSame((await read())?.amr, amr)
      await store.end(ending(second))
      t.match(await read(), { amr, ended: { reason: 'revoked_by_user' } })
    }
  })

  t.test('the record of a login reaches the store, a newer one stays', async (t) => {
    const user = newUser()
    await logIn(store, user)
    const promoted = withRoles(user, ['promoted'])
    await logIn(store, promoted)
    t.strictSame((await listAll(store, user.userId)).user, promoted)
    const answer = await store.create(newLogin(user))
    t.match(answer, { outcome: 'created', user: promoted }, 'roles alone move nobody')
    t.strictSame((await listAll(store, user.userId)).user, promoted)
  })

  const moves: [string, (user: UserRecord) => UserRecord][] = [
    ['logged out', (user) => nextEpoch(user)],
    ['given a new password', (user) => nextEpoch(user, 'password_changed')],
    ['disabled', (user) => nextEpoch(user, 'user_disabled')],
    ['deleted', (user) => ({ ...nextEpoch(user, 'user_disabled'), status: 'deleted' })],
    ['disabled in the same epoch', (user) => ({ ...user, version: 9, status: 'disabled' })],
  ]
  for (const [what, move] of moves) {
    t.test(`a user ${what} since the record was read has moved; nothing is left`, async (t) => {
      const user = newUser()
      const before = await logIn(store, user)
      const moved = move(user)
      await store.putUser(moved)
      const login = newLogin(user)
      t.strictSame(await store.create(login), { outcome: 'user_moved' })
      t.strictSame(await listAll(store, user.userId), { user: moved, families: [before] })
      t.notMatch(await dump(), login.family.familyId)
    })
  }

  t.test('a record that is not active makes no family', async (t) => {
    const user = newUser({ status: 'disabled' })
    t.strictSame(await store.create(newLogin(user)), { outcome: 'user_moved' })
    t.strictSame((await listAll(store, user.userId)).families, [])
  })

  t.test('the 101st family ends the least recently used one', async (t) => {
    const user = newUser()
    const families = await fill(store, user, LIVE_FAMILIES_MAX)
    const [oldest, second, third] = families
    if (!oldest || !second || !third) throw new Error('no families')
    await rotateOn(store, oldest, { nowMs: T0 + 1_000 })
    await rotateOn(store, third, { nowMs: T0 + 1_001 })
    await logIn(store, user, {}, T0 + 2_000)
    const ended = (await listAll(store, user.userId)).families.filter((family) => family.ended)
    t.strictSame(ended, [{ ...second, ended: { reason: 'session_limit', atMs: T0 + 2_000 } }])
    const answer = await store.rotate(rotation(second))
    t.equal(describe(answer), 'inactive family_ended')
  })

  t.test('families of another client or another user make no room and need none', async (t) => {
    const user = newUser()
    const mobile = await logIn(store, user, { clientId: MOBILE }, T0 - 5)
    const stranger = await logIn(store, newUser(), {}, T0 - 5)
    await fill(store, user, LIVE_FAMILIES_MAX)
    t.equal(await countEnded(store, user), 0)
    await logIn(store, user, { clientId: MOBILE }, T0 + 500)
    t.equal(await countEnded(store, user), 0)
    await logIn(store, user, {}, T0 + 501)
    t.equal(await countEnded(store, user), 1)
    t.equal((await rotateOn(store, mobile, { clientId: MOBILE })).generation, 1)
    t.equal((await rotateOn(store, stranger)).generation, 1)
  })

  t.test('an ended family does not count', async (t) => {
    const user = newUser()
    const [first] = await fill(store, user, LIVE_FAMILIES_MAX)
    if (first) await store.end(ending(first, { atMs: T0 + 900 }))
    await logIn(store, user, {}, T0 + 1_000)
    t.equal(await countEnded(store, user), 1, 'only the one that was ended by hand')
  })

  const dead: [string, number, Partial<CreateFamily>, (user: UserRecord) => UserRecord][] = [
    ['idle-expired', T0 + IDLE_MS + 500, {}, (user) => user],
    ['epoch-passed', T0 + 1_000, {}, (user) => nextEpoch(user)],
    ['client-ended', T0 + 1_000, { clientSessionsValidFromMs: T0 + 900 }, (user) => user],
  ]
  for (const [what, nowMs, overrides, move] of dead) {
    t.test(`${what} families do not count and are left as they are`, async (t) => {
      const user = newUser()
      await fill(store, user, LIVE_FAMILIES_MAX)
      const login = { ...newLogin(move(user), {}, nowMs), ...overrides }
      t.equal((await store.create(login)).outcome, 'created')
      t.equal(await countEnded(store, user), 0)
    })
  }

  t.test('parallel logins on two instances never pass the limit', async (t) => {
    const user = newUser()
    await fill(store, user, LIVE_FAMILIES_MAX - 5)
    await together([store, await another()], 20, (one, i) => logIn(one, user, {}, T0 + 1_000 + i))
    const { families } = await listAll(store, user.userId)
    t.equal(families.length, LIVE_FAMILIES_MAX + 15)
    t.equal(families.filter((family) => !family.ended).length, LIVE_FAMILIES_MAX)
  })

  t.test('the same family id under two users is two families', async (t) => {
    const familyId = randomUUID() as Family['familyId']
    const first = await logIn(store, newUser(), { familyId })
    // Ids are random; what matters is that a chosen one reaches nobody else's family.
    const answer = await store.create(newLogin(newUser(), { familyId })).catch(() => undefined)
    if (answer?.outcome === 'created') t.not(answer.family.userId, first.userId)
    t.equal((await rotateOn(store, first)).generation, 1)
  })
}

/** `count` logins, each a millisecond after the one before. */
async function fill(store: FamilyStore, user: UserRecord, count: number): Promise<Family[]> {
  const families: Family[] = []
  for (let i = 0; i < count; i += 1) families.push(await logIn(store, user, {}, T0 + i))
  return families
}

async function countEnded(store: FamilyStore, user: UserRecord): Promise<number> {
  const { families } = await listAll(store, user.userId)
  return families.filter((family) => family.ended).length
}
