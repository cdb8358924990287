// Refresh tokens that are answered with themselves: while their rotation is young, and for good where a
// client never rotates what is bound (docs/semantics.md §3).

import type { Test } from 'tap'
import { LIVE_FAMILIES_MAX, type RotateFamily } from '../../src/families/family.ts'
import type { FamilyStore } from '../../src/families/family-store.ts'
import {
  ABSOLUTE_MS,
  describe,
  GRACE_MS,
  IDLE_MS,
  listAll,
  logIn,
  newUser,
  type OpenFamilyBench,
  read,
  rotateOn,
  rotation,
  T0,
  tally,
  together,
} from './family-bench.ts'

const AFTER_MS = 60_000
const YOUNG = { rotateAfterMs: AFTER_MS } as const
const NEVER = { neverRotates: 'all' } as const
/** Where `rotation` says that requests come from. */
const SOURCE = { ip: '198.51.100.7', userAgent: 'curl/8' }
const BOUND = { confirmation: { jkt: 'k'.repeat(43) } }

export async function runKeptCases(t: Test, open: OpenFamilyBench): Promise<void> {
  const { store, another, sizeOf } = await open(t)
  const stores = [store, await another()] as const
  const [, other] = stores

  t.test('a young token is kept and nothing is written, until it is old enough', async (t) => {
    const user = newUser()
    const family = await rotateOn(store, await logIn(store, user), { nowMs: T0 + 10 })
    for (const atMs of [T0 + 10, T0 + 11, T0 + 10 + AFTER_MS - 1]) {
      const request = rotation(family, { ...YOUNG, nowMs: atMs, ip: '203.0.113.9', userAgent: 'x' })
      const kept = { outcome: 'kept', family, user, atMs, behind: false }
      t.strictSame(await store.rotate(request), kept)
      t.strictSame(await read(other, family), family)
    }
    const old = rotation(family, { ...YOUNG, nowMs: T0 + 10 + AFTER_MS })
    t.match(await store.rotate(old), { outcome: 'rotated', family: { generation: 2 } })
  })

  t.test('fifty processes share a generation, and its end', async (t) => {
    const family = await logIn(store, newUser(), {}, T0)
    const young = await together(stores, 50, (one, i) =>
      one.rotate(rotation(family, { ...YOUNG, nowMs: T0 + i })),
    )
    t.strictSame(tally(young), { kept: 50 })
    const old = await together(stores, 50, (one, i) =>
      one.rotate(rotation(family, { ...YOUNG, nowMs: T0 + AFTER_MS + i })),
    )
    t.strictSame(tally(old), { rotated: 1, retried: 49 })
  })

  t.test('what is not current is treated as ever', async (t) => {
    const first = await logIn(store)
    const second = await rotateOn(store, first, { nowMs: T0 + 10 })
    const soon = rotation(first, { ...YOUNG, ...NEVER, nowMs: T0 + 10 + GRACE_MS - 1 })
    t.match(await store.rotate(soon), { outcome: 'retried', family: second })
    const ahead = await store.rotate(rotation(second, { ...YOUNG, generation: 5, nowMs: T0 + 20 }))
    t.match(ahead, { outcome: 'rotated', behind: true, family: { generation: 6 } })
    const late = rotation(second, { ...YOUNG, ...NEVER, nowMs: T0 + 30 })
    t.match(await store.rotate(late), { outcome: 'replayed' })
    t.equal(describe(await store.rotate(rotation(second, NEVER))), 'inactive family_ended')
  })

  t.test('one that never rotates lives by its use, to its absolute expiry', async (t) => {
    const user = newUser()
    const family = await logIn(store, user, SOURCE)
    let nowMs = T0
    for (let i = 1; nowMs < T0 + ABSOLUTE_MS; i += 1) {
      const idleExpiresAtMs = Math.min(nowMs + IDLE_MS, T0 + ABSOLUTE_MS)
      const used = { ...family, usedAtMs: nowMs, idleExpiresAtMs }
      const kept = { outcome: 'kept', family: used, user, atMs: nowMs, behind: false }
      const answer = await (stores[i % 2] ?? store).rotate(rotation(family, { ...NEVER, nowMs }))
      t.strictSame(answer, kept)
      t.strictSame(await read(store, family), used)
      nowMs += IDLE_MS - 1
    }
    const late = await store.rotate(rotation(family, { ...NEVER, nowMs }))
    t.equal(describe(late), 'inactive family_absolute_expired')
    const idle = await logIn(store)
    const unused = rotation(idle, { ...NEVER, nowMs: T0 + IDLE_MS })
    t.equal(describe(await store.rotate(unused)), 'inactive family_idle_expired')
  })

  t.test('50 uses at once of one that never rotates are 50 answers', async (t) => {
    const family = await logIn(store)
    const answers = await together(stores, 50, (one, i) =>
      one.rotate(rotation(family, { ...NEVER, graceMs: 0, nowMs: T0 + 100 + i })),
    )
    t.strictSame(tally(answers), { kept: 50 })
    t.match(await read(store, family), { generation: 0, usedAtMs: T0 + 149 })
  })

  t.test('only what is bound is kept where only that may be', async (t) => {
    const request = { neverRotates: 'bound' } as const
    t.equal((await rotateOn(store, await logIn(store), request)).generation, 1)
    const shown = { ...request, ...BOUND }
    t.equal((await rotateOn(store, await logIn(store), shown)).generation, 1, 'shown is not bound')
    const bound = await logIn(store, newUser(), BOUND)
    t.equal(describe(await store.rotate(rotation(bound, request))), 'kept')
    const bare = rotation(bound, { ...request, confirmation: undefined })
    t.equal(describe(await store.rotate(bare)), 'inactive family_key_mismatch')
  })

  t.test('use keeps no older token in grace, in whatever order a client changes', async (t) => {
    for (const back of [NEVER, {}]) {
      const first = await logIn(store)
      const second = await rotateOn(store, first, { nowMs: T0 + 10 })
      const nowMs = T0 + 10 + GRACE_MS - 1
      t.match(await use(store, second, nowMs), { usedAtMs: nowMs, rotatedAtMs: T0 + 10 })
      const soon = rotation(first, { ...back, nowMs })
      t.match(await store.rotate(soon), { outcome: 'retried' })
      const late = rotation(first, { ...back, nowMs: nowMs + 1 })
      t.match(await store.rotate(late), { outcome: 'replayed' })
    }
  })

  t.test('a client that rotates again goes on where it was', async (t) => {
    const first = await logIn(store, newUser(), { ...BOUND, ...SOURCE })
    const size = await sizeOf(first).catch(() => 0)
    for (let i = 1; i <= 3; i += 1) await use(store, first, T0 + i)
    const second = await rotateOn(other, first, { nowMs: T0 + 50_000 })
    const rotated = { generation: 1, rotatedAtMs: T0 + 50_000, usedAtMs: T0 + 50_000 }
    t.strictSame(second, { ...first, ...rotated, idleExpiresAtMs: T0 + 50_000 + IDLE_MS })
    t.strictSame(await read(store, first), second)
    if (size > 0) t.equal(await sizeOf(first), size)
    const retry = rotation(first, { nowMs: T0 + 50_000 + GRACE_MS - 1 })
    t.match(await store.rotate(retry), { outcome: 'retried' }, 'the grace begins with the rotation')
  })

  t.test('uses leave the size as it is', async (t) => {
    const first = await logIn(store)
    await use(store, first, T0 + 1)
    const size = await sizeOf(first).catch(() => undefined)
    for (let i = 2; i < 500; i += 1) await use(store, first, T0 + i * 1_000)
    t.equal(await sizeOf(first).catch(() => undefined), size)
    await use(store, first, T0 + 500_000, { ip: '203.0.113.9', userAgent: 'other' })
    const last = { ip: '203.0.113.9', userAgent: 'other', usedAtMs: T0 + 500_000, generation: 0 }
    t.match(await read(other, first), last)
  })

  t.test('a store that lost a write takes the generation over, and keeps it', async (t) => {
    const first = await logIn(store)
    const answer = await store.rotate(rotation(first, { ...NEVER, generation: 3, nowMs: T0 + 10 }))
    const moved = { generation: 3, rotatedAtMs: T0 + 10, usedAtMs: T0 + 10 }
    t.match(answer, { outcome: 'kept', behind: true, family: moved })
    const again = await store.rotate(rotation(first, { ...NEVER, generation: 3, nowMs: T0 + 20 }))
    t.match(again, { outcome: 'kept', behind: false, family: { ...moved, usedAtMs: T0 + 20 } })
  })

  t.test('a request that asks for too much is refused and is no use', async (t) => {
    const family = await logIn(store)
    for (const settings of [YOUNG, NEVER]) {
      for (const wide of [{ requestedScope: ['orders:write'] }, { clientAudiences: [] }]) {
        const answer = await store.rotate(rotation(family, { ...settings, ...wide }))
        t.equal(answer.outcome, 'refused')
        t.strictSame(await read(store, family), family)
      }
    }
  })

  t.test('a clock that steps back moves nothing back', async (t) => {
    const family = await logIn(store)
    const used = await use(store, family, T0 + 60_000)
    t.strictSame(await use(store, family, T0 + 5), used)
    const ended = { ...used, ended: { reason: 'revoked_by_user', atMs: T0 + 70_000 } }
    const { userId, familyId } = family
    await store.end({ userId, familyId, reason: 'revoked_by_user', atMs: T0 + 70_000 })
    t.strictSame(await read(other, family), ended, 'when it was used is known after its end')
  })

  t.test('whoever is used is not the least recently used one', async (t) => {
    const user = newUser()
    const made = []
    for (let i = 0; i < LIVE_FAMILIES_MAX; i += 1) made.push(await logIn(store, user, {}, T0 + i))
    const [oldest, second] = made
    if (!oldest || !second) throw new Error('no families')
    await use(store, oldest, T0 + 1_000)
    await logIn(store, user, {}, T0 + 2_000)
    const { families } = await listAll(store, user.userId)
    const ended = families.filter((family) => family.ended)
    t.strictSame(
      ended.map(({ familyId }) => familyId),
      [second.familyId],
    )
  })

  /** One use of a family that never rotates; gives its state after that. */
  async function use(
    at: FamilyStore,
    family: Parameters<typeof rotation>[0],
    nowMs: number,
    overrides: Partial<RotateFamily> = {},
  ) {
    const answer = await at.rotate(rotation(family, { ...NEVER, nowMs, ...overrides }))
    if (answer.outcome !== 'kept') throw new Error(`a use answered ${describe(answer)}`)
    return answer.family
  }
}
