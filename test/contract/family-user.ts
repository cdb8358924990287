// The store's copy of the user's record: which one wins, what a new epoch ends, and "all but this"
// (docs/semantics.md §3, C56, C58).

import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import type { Family, FamilyId } from '../../src/families/family.ts'
import { findEnd, findInactiveReason } from '../../src/families/family-rules.ts'
import { applyJournalPayload } from '../../src/families/journal.ts'
import type { EpochReason } from '../../src/users/user.ts'
import {
  describe,
  ending,
  keeping,
  listAll,
  logIn,
  MOBILE,
  newUser,
  nextEpoch,
  type OpenFamilyBench,
  read,
  rotateOn,
  rotation,
  T0,
  withRoles,
} from './family-bench.ts'

export async function runUserCases(t: Test, open: OpenFamilyBench): Promise<void> {
  const { store, another, forgetUser } = await open(t)
  const other = await another()

  const reasons: EpochReason[] = ['logged_out_everywhere', 'password_changed', 'user_disabled']
  for (const reason of reasons) {
    t.test(`${reason} ends every family of this user and of nobody else`, async (t) => {
      const user = newUser()
      const mine = [await logIn(store, user), await logIn(store, user, { clientId: MOBILE })]
      const theirs = [await logIn(store), await logIn(store, newUser(), { clientId: MOBILE })]
      await store.putUser(nextEpoch(user, reason))
      const expected = reason === 'user_disabled' ? 'user_inactive' : 'user_epoch_passed'
      for (const family of mine) {
        const { clientId } = family
        const answer = await other.rotate(rotation(family, { clientId }))
        t.equal(describe(answer), `inactive ${expected}`)
        t.strictSame(await read(store, family), family, 'no family is touched by it')
      }
      for (const family of theirs) {
        t.equal((await rotateOn(other, family, { clientId: family.clientId })).generation, 1)
      }
    })
  }

  t.test('the name of a user is in the copy, and follows the version', async (t) => {
    const nameOf = async (family: Family) => {
      const { userId, familyId } = family
      return (await other.inspect({ owner: { userId }, familyId })).user?.username
    }
    const { username, ...unnamed } = newUser()
    const family = await logIn(store, unnamed)
    t.equal(await nameOf(family), undefined, 'a copy from before names were kept')
    t.equal((await rotateOn(store, family)).generation, 1, 'which works')
    await store.putUser({ ...unnamed, version: -1, username: 'older' })
    t.equal(await nameOf(family), undefined)
    await logIn(store, { ...unnamed, username: 'Zoë' })
    t.equal(await nameOf(family), username, 'the next login gives it the name')
    await store.putUser({ ...unnamed, username: 'other' })
    t.equal(await nameOf(family), username, 'an equal version changes nothing else')
    await store.putUser({ ...unnamed, version: 1, username: 'Zoe' })
    t.equal(await nameOf(family), 'Zoe')
    await store.putUser({ ...unnamed, version: 2, status: 'deleted' })
    t.equal(await nameOf(family), undefined, 'a deleted user has none')
  })

  t.test('enabling a user brings no family back, a new login works', async (t) => {
    const user = newUser()
    const family = await logIn(store, user)
    const disabled = nextEpoch(user, 'user_disabled')
    await store.putUser(disabled)
    const enabled = { ...disabled, status: 'active', version: disabled.version + 1 } as const
    await store.putUser(enabled)
    t.equal(describe(await store.rotate(rotation(family))), 'inactive user_epoch_passed')
    t.equal((await rotateOn(store, await logIn(store, enabled))).generation, 1)
  })

  t.test('a deleted user is inactive', async (t) => {
    const user = newUser()
    const family = await logIn(store, user)
    await store.putUser({ ...nextEpoch(user, 'user_disabled'), status: 'deleted', roles: [] })
    t.equal(describe(await store.rotate(rotation(family))), 'inactive user_inactive')
  })

  t.test('the newest record is handed out at once, everywhere', async (t) => {
    const user = newUser()
    const first = await logIn(store, user)
    const promoted = withRoles(user, ['Ops.lead', 'lineage:admin'])
    await store.putUser(promoted)
    t.match(await other.rotate(rotation(first)), { outcome: 'rotated', user: promoted })
    t.match(await other.rotate(rotation(first)), { outcome: 'retried', user: promoted })
    t.strictSame((await listAll(other, user.userId)).user, promoted)
  })

  t.test('an equal or older record never overwrites', async (t) => {
    const user = newUser({ epoch: 3, version: 10 })
    const family = await logIn(store, user)
    const newest = nextEpoch(user, 'password_changed')
    await store.putUser(newest)
    await store.putUser(user)
    await store.putUser({ ...newest, epoch: 3, roles: ['intruder'] })
    await store.putUser({ ...user, version: 9, status: 'disabled' })
    t.strictSame((await listAll(store, user.userId)).user, newest)
    t.equal(describe(await store.rotate(rotation(family))), 'inactive user_epoch_passed')
  })

  t.test('versions are compared as numbers', async (t) => {
    const user = newUser({ version: 9 })
    await store.putUser(user)
    await store.putUser({ ...user, version: 10, roles: ['ten'] })
    await store.putUser({ ...user, version: 9, roles: ['nine'] })
    t.match((await listAll(store, user.userId)).user, { version: 10, roles: ['ten'] })
  })

  t.test('all but this keeps exactly this one, also when applied twice', async (t) => {
    const user = newUser()
    const kept = await rotateOn(store, await logIn(store, user))
    const lost = [await logIn(store, user), await logIn(store, user, { clientId: MOBILE })]
    const record = nextEpoch(user)
    for (const times of ['once', 'twice']) {
      await store.putUser(keeping(record, kept))
      t.strictSame(await read(store, kept), { ...kept, epoch: 1 }, `${times}: only the epoch moved`)
    }
    for (const family of lost) {
      const answer = await store.rotate(rotation(family, { clientId: family.clientId }))
      t.equal(describe(answer), 'inactive user_epoch_passed')
    }
    t.equal((await rotateOn(store, kept)).generation, 2)
  })

  t.test('all but this works when a newer copy was there already', async (t) => {
    const user = newUser()
    const kept = await logIn(store, user)
    const lost = await logIn(store, user)
    const record = keeping(nextEpoch(user), kept)
    await store.putUser(withRoles(record, ['promoted']))
    await store.putUser(record)
    t.match(await store.rotate(rotation(kept)), {
      outcome: 'rotated',
      user: { roles: ['promoted'] },
    })
    t.equal(describe(await store.rotate(rotation(lost))), 'inactive user_epoch_passed')
  })

  t.test(
    'a family outlives every epoch that keeps it, in whatever order they arrive',
    async (t) => {
      const user = newUser()
      const [kept, lost] = [await logIn(store, user), await logIn(store, user)]
      const first = keeping(nextEpoch(user), kept)
      const second = keeping(nextEpoch(first), kept)
      const promoted = withRoles(second, ['promoted'])
      const third = keeping(nextEpoch(promoted, 'password_changed'), kept)
      for (const record of [second, first, third, promoted, second]) {
        await other.putUser(record)
        const { family, user: copy } = await store.inspect({
          owner: { userId: user.userId },
          familyId: kept.familyId,
        })
        if (!family || !copy) throw new Error('neither is forgotten')
        t.equal(findInactiveReason(family, copy, T0, 0), undefined, 'an online check passes')
        t.equal(findEnd(family, copy, T0, 0), undefined)
      }
      t.match(await rotateOn(store, kept), { epoch: 3, generation: 1 })
      t.equal(describe(await store.rotate(rotation(lost))), 'inactive user_epoch_passed')
    },
  )

  t.test('a login that brings the record brings what the record keeps', async (t) => {
    const user = newUser()
    const [kept, lost] = [await logIn(store, user), await logIn(store, user)]
    await logIn(other, keeping(nextEpoch(user), kept))
    t.equal((await rotateOn(store, kept)).epoch, 1)
    t.equal(describe(await store.rotate(rotation(lost))), 'inactive user_epoch_passed')
  })

  t.test('an epoch that keeps another, or nobody, ends the family for good', async (t) => {
    const user = newUser()
    const [one, another] = [await logIn(store, user), await logIn(store, user)]
    const first = keeping(nextEpoch(user), another)
    await store.putUser(keeping(nextEpoch(first), one))
    for (const family of [one, another]) {
      t.equal(describe(await store.rotate(rotation(family))), 'inactive user_epoch_passed')
    }
    const end = ending(one, { atMs: T0 + 5_000 })
    t.equal(await store.end(end), 'already_ended', 'the epoch came first')
  })

  t.test('a kept family outlives the log that kept it', async (t) => {
    let record = newUser()
    const kept = await logIn(store, record)
    for (let epoch = 1; epoch <= 70; epoch += 1) {
      record = keeping(nextEpoch(record), kept)
      record = { ...record, epochLog: record.epochLog.slice(-32) }
      // Half of the records are lost on their way; the log reaches back over those.
      if (epoch % 2 === 0) await store.putUser(record)
    }
    t.match(await rotateOn(store, kept), { epoch: 70 })
  })

  t.test('what the log has forgotten was kept by nobody', async (t) => {
    let record = newUser()
    const kept = await logIn(store, record)
    for (let epoch = 1; epoch <= 33; epoch += 1) record = keeping(nextEpoch(record), kept)
    await store.putUser({ ...record, epochLog: record.epochLog.slice(-32) })
    t.equal(describe(await store.rotate(rotation(kept))), 'inactive user_epoch_passed')
  })

  t.test(
    'a journal row of an earlier version names the kept family beside the record',
    async (t) => {
      const user = newUser()
      const [kept, lost] = [await logIn(store, user), await logIn(store, user)]
      const row = { kind: 'user', record: nextEpoch(user), keepFamilyId: kept.familyId } as const
      await store.putUser(row.record)
      const target = { ...store, restore: async () => {} }
      for (const _ of ['once', 'twice']) await applyJournalPayload(row, target, T0)
      t.equal((await rotateOn(store, kept)).epoch, 1)
      t.equal(describe(await store.rotate(rotation(lost))), 'inactive user_epoch_passed')
    },
  )

  t.test('the journal applied again revives nothing that a later epoch ended', async (t) => {
    const user = newUser()
    const [kept, ended] = [await logIn(store, user), await logIn(store, user)]
    const first = nextEpoch(user)
    await store.end(ending(ended))
    const second = nextEpoch(first)
    for (const _ of [1, 2]) {
      await store.putUser(keeping(first, kept))
      await store.putUser(keeping(first, ended))
      await store.putUser(second)
    }
    t.equal(describe(await store.rotate(rotation(kept))), 'inactive user_epoch_passed')
    t.equal(describe(await store.rotate(rotation(ended))), 'inactive family_ended')
    const older = await logIn(store, user).catch((error: Error) => error.message)
    t.equal(older, 'login answered user_moved')
  })

  t.test('all but this twice over keeps the family through both epochs', async (t) => {
    const user = newUser()
    const kept = await logIn(store, user)
    const first = nextEpoch(user)
    const second = nextEpoch(first, 'password_changed')
    for (const record of [first, second, first, second]) await store.putUser(keeping(record, kept))
    t.equal((await rotateOn(store, kept)).epoch, 2)
  })

  t.test('only a family of the epoch before is kept, and only of this user', async (t) => {
    const user = newUser({ epoch: 4, version: 4 })
    const old = await logIn(store, user)
    const foreign = await logIn(store, newUser({ epoch: 5, version: 5 }))
    const second = nextEpoch(nextEpoch(user))
    await store.putUser(keeping(second, old))
    t.equal(describe(await store.rotate(rotation(old))), 'inactive user_epoch_passed')
    await store.putUser(keeping(nextEpoch(second), foreign))
    await store.putUser(
      keeping(nextEpoch(nextEpoch(second)), { familyId: randomUUID() as FamilyId }),
    )
    t.strictSame(await read(store, foreign), foreign)
    t.equal((await listAll(store, user.userId)).families.length, 1)
  })

  t.test('without a copy of the record the answer is user_stale, until it is put', async (t) => {
    const user = newUser()
    const first = await logIn(store, user)
    await forgetUser(user.userId)
    t.strictSame(await store.rotate(rotation(first)), { outcome: 'user_stale' })
    t.strictSame(await read(store, first), first)
    t.equal((await listAll(store, user.userId)).user, undefined)
    const secretHash = 'A'.repeat(43)
    const wrong = await store.rotate(rotation(first, { secretHash }))
    t.equal(describe(wrong), 'inactive family_secret_wrong', 'asks for no record in vain')
    await store.putUser(user)
    t.match(await store.rotate(rotation(first)), { outcome: 'rotated', user })
  })

  t.test('a copy behind the family is user_stale, until a newer one is put', async (t) => {
    const user = newUser()
    const family = await logIn(store, user)
    // A failover kept the family's new epoch and lost the record that made it.
    const record = nextEpoch(user)
    await store.putUser(keeping(record, family))
    await forgetUser(user.userId)
    await store.putUser(user)
    t.strictSame(await store.rotate(rotation(family)), { outcome: 'user_stale' })
    await store.putUser(record)
    t.match(await store.rotate(rotation(family)), { outcome: 'rotated', user: record })
  })
}
