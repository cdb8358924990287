// Expiry: idle, absolute, and the client's sessionsValidFrom, each to the millisecond (C55).

import type { Test } from 'tap'
import {
  ABSOLUTE_MS,
  describe,
  IDLE_MS,
  logIn,
  type OpenFamilyBench,
  read,
  rotateOn,
  rotation,
  T0,
} from './family-bench.ts'

export async function runExpiryCases(t: Test, open: OpenFamilyBench): Promise<void> {
  const { store } = await open(t)

  t.test('idle expiry: the last living millisecond and the next', async (t) => {
    const first = await logIn(store)
    const second = await rotateOn(store, first, { nowMs: T0 + IDLE_MS - 1 })
    t.equal(second.idleExpiresAtMs, T0 + 2 * IDLE_MS - 1)
    const late = await store.rotate(rotation(second, { nowMs: second.idleExpiresAtMs }))
    t.equal(describe(late), 'inactive family_idle_expired')
    t.strictSame(await read(store, first), second, 'an expiry is found, never written')
    const replay = await store.rotate(rotation(first, { nowMs: second.idleExpiresAtMs }))
    t.equal(describe(replay), 'inactive family_idle_expired')
    t.strictSame(await read(store, first), second)
  })

  t.test('absolute expiry: the last living millisecond and the next', async (t) => {
    const absolute = T0 + ABSOLUTE_MS
    const first = await logIn(store, undefined, { idleExpiresAtMs: absolute })
    const second = await rotateOn(store, first, { nowMs: absolute - 1 })
    t.equal(second.idleExpiresAtMs, absolute, 'idle never passes absolute')
    t.equal(second.absoluteExpiresAtMs, absolute, 'rotation never prolongs absolute')
    const late = await store.rotate(rotation(second, { nowMs: absolute }))
    t.equal(describe(late), 'inactive family_absolute_expired', 'the tie goes to absolute')
    t.strictSame(await read(store, first), second)
  })

  t.test('the idle expiry follows the TTL of the day, shorter or longer', async (t) => {
    const first = await logIn(store)
    const second = await rotateOn(store, first, { nowMs: T0 + 10, idleTtlMs: 1_000 })
    t.equal(second.idleExpiresAtMs, T0 + 1_010)
    const third = await rotateOn(store, second, { nowMs: T0 + 20, idleTtlMs: 10 * ABSOLUTE_MS })
    t.equal(third.idleExpiresAtMs, T0 + ABSOLUTE_MS)
    const fourth = await rotateOn(store, third, { nowMs: T0 + 30, idleTtlMs: 1 })
    t.equal(fourth.idleExpiresAtMs, T0 + 31)
    const late = await store.rotate(rotation(fourth, { nowMs: T0 + 31 }))
    t.equal(describe(late), 'inactive family_idle_expired')
  })

  t.test('a retry neither moves the idle expiry nor outlives it', async (t) => {
    const first = await logIn(store)
    const second = await rotateOn(store, first, { nowMs: T0 + 10, idleTtlMs: 1_000 })
    t.equal((await store.rotate(rotation(first, { nowMs: T0 + 1_009 }))).outcome, 'retried')
    const late = await store.rotate(rotation(first, { nowMs: T0 + 1_010 }))
    t.equal(describe(late), 'inactive family_idle_expired')
    t.strictSame(await read(store, first), second)
  })

  t.test(
    'families from before sessionsValidFrom are dead, from that moment on alive',
    async (t) => {
      const family = await logIn(store)
      const dead = await store.rotate(rotation(family, { clientSessionsValidFromMs: T0 + 1 }))
      t.equal(describe(dead), 'inactive client_sessions_ended')
      t.strictSame(await read(store, family), family)
      const alive = await store.rotate(rotation(family, { clientSessionsValidFromMs: T0 }))
      t.equal(alive.outcome, 'rotated')
    },
  )
}
