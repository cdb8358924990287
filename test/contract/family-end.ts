// Ending one family: every outcome, and what it leaves alone (RFC 7009, docs/semantics.md §3).

import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import type { EndFamily, FamilyEndReason, FamilyId } from '../../src/families/family.ts'
import type { UserId } from '../../src/users/user.ts'
import {
  ABSOLUTE_MS,
  describe,
  ending,
  IDLE_MS,
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
} from './family-bench.ts'

export async function runEndCases(t: Test, open: OpenFamilyBench): Promise<void> {
  const { store, another, forgetUser } = await open(t)
  const other = await another()

  const reasons: FamilyEndReason[] = ['revoked_by_client', 'revoked_by_user', 'revoked_by_admin']
  for (const reason of reasons) {
    t.test(`${reason}: ended, and no generation works any more (C61, C86)`, async (t) => {
      const first = await logIn(store)
      const second = await rotateOn(store, first)
      const { secretHash, clientId } = first
      const request = ending(second, { reason, secretHash, clientId, atMs: T0 + 5_000 })
      t.equal(await store.end(request), 'ended')
      t.strictSame(await read(store, first), { ...second, ended: { reason, atMs: T0 + 5_000 } })
      for (const generation of [0, 1, 2]) {
        const answer = await other.rotate(rotation(first, { generation }))
        t.equal(describe(answer), 'inactive family_ended')
      }
    })
  }

  t.test('ended again: already_ended, and the first reason stays', async (t) => {
    const family = await logIn(store)
    t.equal(await store.end(ending(family, { reason: 'revoked_by_client' })), 'ended')
    const dead = await read(store, family)
    for (const atMs of [T0 + 1_000, T0 + 9_000, T0 + 2 * ABSOLUTE_MS]) {
      t.equal(
        await store.end(ending(family, { reason: 'revoked_by_admin', atMs })),
        'already_ended',
      )
      t.strictSame(await read(store, family), dead)
    }
  })

  t.test('an end that came first but arrives late takes its place', async (t) => {
    // A failover lost it, a later one was written, then the journal is applied again.
    const family = await logIn(store)
    await store.end(ending(family, { reason: 'revoked_by_admin', atMs: T0 + 9_000 }))
    const first = ending(family, { reason: 'revoked_by_client', atMs: T0 + 5_000 })
    t.equal(await store.end(first), 'already_ended')
    const dead = { ...family, ended: { reason: 'revoked_by_client', atMs: T0 + 5_000 } }
    t.strictSame(await read(store, family), dead)
  })

  t.test('a family of an earlier epoch is already_ended since that epoch', async (t) => {
    const user = newUser()
    const family = await logIn(store, user)
    await store.putUser(nextEpoch(user, 'password_changed', T0 + 5_000))
    t.equal(await store.end(ending(family, { atMs: T0 + 5_000 })), 'already_ended')
    t.strictSame(await read(store, family), family, 'the epoch is the reason')
    t.equal(await store.end(ending(family, { atMs: T0 + 4_999 })), 'ended')
    t.match(await read(store, family), { ended: { atMs: T0 + 4_999 } })
  })

  t.test('a family ended by reuse is already_ended', async (t) => {
    const first = await logIn(store)
    await rotateOn(store, first)
    await store.rotate(rotation(first, { graceMs: 0 }))
    t.equal(await store.end(ending(first, { atMs: T0 + 9_000 })), 'already_ended')
    t.match(await read(store, first), { ended: { reason: 'reuse_detected' } })
  })

  t.test('an expired family is already_ended from the millisecond of its expiry', async (t) => {
    for (const expiry of [IDLE_MS, ABSOLUTE_MS]) {
      const idleExpiresAtMs = T0 + expiry
      const [late, last] = [
        await logIn(store, newUser(), { idleExpiresAtMs }),
        await logIn(store, newUser(), { idleExpiresAtMs }),
      ]
      t.equal(await store.end(ending(late, { atMs: T0 + expiry })), 'already_ended')
      t.strictSame(await read(store, late), late, 'its expiry is the reason')
      t.equal(await store.end(ending(last, { atMs: T0 + expiry - 1 })), 'ended')
    }
  })

  const misses: [string, Partial<EndFamily>, string][] = [
    ['an unknown family', { familyId: randomUUID() as FamilyId }, 'unknown'],
    ["another user's name for it", { userId: randomUUID() as UserId }, 'unknown'],
    ['another client', { clientId: MOBILE }, 'other_client'],
    ['a wrong family secret', { secretHash: 'A'.repeat(43) }, 'secret_wrong'],
    ['both wrong', { clientId: MOBILE, secretHash: 'A'.repeat(43) }, 'secret_wrong'],
  ]
  for (const [what, request, outcome] of misses) {
    t.test(`${what}: ${outcome}, and nothing changes (C83)`, async (t) => {
      const family = await logIn(store)
      const { secretHash, clientId } = family
      const full = ending(family, { secretHash, clientId, ...request })
      t.equal(await store.end(full), outcome)
      t.strictSame(await read(store, family), family)
      t.equal((await rotateOn(store, family)).generation, 1)
      t.strictSame(
        (await listAll(store, full.userId)).families.length,
        full.userId === family.userId ? 1 : 0,
      )
    })
  }

  t.test('other families of the user, at the same and another client, live on', async (t) => {
    const user = newUser()
    const [family, same, mobile] = [
      await logIn(store, user),
      await logIn(store, user),
      await logIn(store, user, { clientId: MOBILE }),
    ]
    await store.end(ending(family))
    t.equal((await rotateOn(store, same)).generation, 1)
    t.equal((await rotateOn(store, mobile, { clientId: MOBILE })).generation, 1)
  })

  t.test('needs no copy of the user', async (t) => {
    const family = await logIn(store)
    await forgetUser(family.userId)
    t.equal(await store.end(ending(family)), 'ended')
    t.match(await read(store, family), { ended: { reason: 'revoked_by_user' } })
  })
}
