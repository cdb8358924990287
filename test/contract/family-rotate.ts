// Rotation: what a token's generation means, and that parallel requests agree on it
// (docs/semantics.md §3).

import type { Test } from 'tap'
import type { Family, RotateOutcome } from '../../src/families/family.ts'
import {
  hashFamilySecret,
  mintRefreshToken,
  newFamilySecret,
} from '../../src/families/refresh-token-string.ts'
import { rootSecretsOf } from '../support/root-secrets.ts'
import {
  ABSOLUTE_MS,
  describe,
  GRACE_MS,
  IDLE_MS,
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

export async function runRotateCases(t: Test, open: OpenFamilyBench): Promise<void> {
  const { store, another } = await open(t)
  const stores = [store, await another()]

  t.test('the current token rotates: one generation on, idle expiry moves', async (t) => {
    const user = newUser()
    const family = await logIn(store, user)
    const nowMs = T0 + 5_000
    const after: Family = {
      ...family,
      generation: 1,
      rotatedAtMs: nowMs,
      usedAtMs: nowMs,
      idleExpiresAtMs: nowMs + IDLE_MS,
      ip: '198.51.100.7',
      userAgent: 'curl/8',
    }
    t.strictSame(await store.rotate(rotation(family, { nowMs })), {
      outcome: 'rotated',
      family: after,
      user,
      behind: false,
    })
    t.strictSame(await read(store, family), after)
  })

  t.test('64 rotations of one token on two instances give one successor (C59)', async (t) => {
    const familySecret = newFamilySecret()
    const secretHash = hashFamilySecret(familySecret)
    const family = await logIn(store, newUser(), { secretHash })
    const answers = await together(stores, 64, (one, i) =>
      one.rotate(rotation(family, { nowMs: T0 + 100 + i })),
    )
    t.strictSame(tally(answers), { rotated: 1, retried: 63 })
    const secrets = rootSecretsOf(7)
    const successors = answers.map((answer) => {
      const { userId, familyId, generation } = familyOf(answer)
      return mintRefreshToken({ userId, familyId, familySecret, generation }, secrets)
    })
    t.equal(new Set(successors).size, 1, 'every answer carries the same refresh token')
    const states = answers.map((answer) => JSON.stringify(familyOf(answer)))
    t.equal(new Set(states).size, 1, 'every answer tells the same state of the family')
    t.equal((await read(store, family))?.generation, 1)
  })

  t.test('without grace, of 64 rotations one passes and the family is dead', async (t) => {
    const family = await logIn(store)
    const answers = await together(stores, 64, (one) =>
      one.rotate(rotation(family, { graceMs: 0, nowMs: T0 + 100 })),
    )
    t.strictSame(tally(answers), { rotated: 1, replayed: 1, 'inactive family_ended': 62 })
    t.strictSame((await read(store, family))?.ended, { reason: 'reuse_detected', atMs: T0 + 100 })
  })

  t.test('two behind is a replay even within the grace (C53)', async (t) => {
    const first = await logIn(store)
    const second = await rotateOn(store, first, { nowMs: T0 + 10 })
    const third = await rotateOn(store, second, { nowMs: T0 + 20 })
    const dead = { ...third, ended: { reason: 'reuse_detected', atMs: T0 + 30 } }
    t.strictSame(await store.rotate(rotation(first, { nowMs: T0 + 30 })), {
      outcome: 'replayed',
      family: dead,
    })
    t.strictSame(await read(stores[1] ?? store, first), dead, 'it HAS ended')
    for (const token of [first, second, third]) {
      t.strictSame(await store.rotate(rotation(token, { nowMs: T0 + 40 })), {
        outcome: 'inactive',
        reason: 'family_ended',
      })
    }
  })

  // Given to the first, asked for again by the second.
  const sources: [string, string, boolean][] = [
    ['192.0.2.1', '192.0.2.1', false],
    ['192.0.2.1', '192.0.2.2', true],
    ['192.0.2.1', '2001:db8::1', true],
    ['2001:db8::1', '192.0.2.1', true],
    ['2001:db8::1', '2001:db8::ffff:2', false],
    ['2001:db8:0:1::1', '2001:db8:0:1:a:b:c:d', false],
    ['2001:db8:0:1::1', '2001:db8:0:2::1', true],
    ['2001:db8::', '2001:db8:0:0:1::', false],
    ['::1', '::2', false],
    ['::1', '0:0:0:1::', true],
    ['1:2:3::5:6:7:8', '1:2:3:0:9::', false],
    ['1:2:3:4:5:6:7:8', '1:2:3:4::', false],
    ['1::4:5:6:7:8', '1:0:0:4::', false],
    ['', '', false],
    ['', '192.0.2.1', true],
  ]
  for (const [given, asked, elsewhere] of sources) {
    t.test(
      `a retry from '${asked}' after '${given}' is ${elsewhere ? '' : 'not '}elsewhere`,
      async (t) => {
        const first = await logIn(store)
        const second = await rotateOn(store, first, { ip: given })
        const retry = await store.rotate(rotation(first, { ip: asked, nowMs: T0 + 2_000 }))
        const counted = { ...second, retriedElsewhere: elsewhere ? 1 : 0 }
        t.match(retry, { outcome: 'retried', elsewhere, family: counted })
        t.strictSame(await read(store, first), counted, 'the session goes on, and tells of it')
        t.equal((await rotateOn(store, counted)).retriedElsewhere, counted.retriedElsewhere)
      },
    )
  }

  t.test(
    'a retry with another user agent is elsewhere, each time, refused ones are not',
    async (t) => {
      const first = await logIn(store)
      await rotateOn(store, first)
      const request = { userAgent: 'thief/1', nowMs: T0 + 2_000 }
      for (const times of [1, 2]) {
        const retry = await store.rotate(rotation(first, request))
        t.match(retry, { outcome: 'retried', elsewhere: true, family: { retriedElsewhere: times } })
      }
      await store.rotate(rotation(first, { ...request, requestedScope: ['orders:write'] }))
      t.match(await read(store, first), { retriedElsewhere: 2, ended: undefined })
    },
  )

  t.test('one behind is a retry until the last millisecond of the grace (C60)', async (t) => {
    const user = newUser()
    const first = await logIn(store, user)
    const second = await rotateOn(store, first, { nowMs: T0 + 10 })
    for (const nowMs of [T0 + 10, T0 + 10 + GRACE_MS - 1]) {
      const answer = await store.rotate(rotation(first, { nowMs }))
      t.strictSame(answer, { outcome: 'retried', family: second, user, elsewhere: false })
      t.strictSame(await read(store, first), second, 'a retry changes nothing')
    }
    const late = await store.rotate(rotation(first, { nowMs: T0 + 10 + GRACE_MS }))
    t.equal(late.outcome, 'replayed', 'the grace is half open, and a retry never prolongs it')
    t.strictSame((await read(store, first))?.ended, {
      reason: 'reuse_detected',
      atMs: T0 + 10 + GRACE_MS,
    })
  })

  t.test('after a retry the successor goes on', async (t) => {
    const first = await logIn(store)
    const second = await rotateOn(store, first)
    t.equal((await store.rotate(rotation(first, { nowMs: T0 + 2_000 }))).outcome, 'retried')
    t.equal((await rotateOn(store, second)).generation, 2)
  })

  t.test('a clock that steps back uses the time of the last rotation', async (t) => {
    const first = await logIn(store)
    const second = await rotateOn(store, first, { nowMs: T0 + 60_000 })
    const retry = await store.rotate(rotation(first, { nowMs: T0 + 1 }))
    t.equal(retry.outcome, 'retried')
    const third = await rotateOn(store, second, { nowMs: T0 + 1 })
    t.match(third, { rotatedAtMs: T0 + 60_000, idleExpiresAtMs: T0 + 60_000 + IDLE_MS })
    const noGrace = await store.rotate(rotation(second, { nowMs: T0 + 1, graceMs: 0 }))
    t.equal(noGrace.outcome, 'replayed', 'a grace of 0 never forgives')
    t.strictSame((await read(store, first))?.ended, {
      reason: 'reuse_detected',
      atMs: T0 + 60_000,
    })
  })

  t.test('a token ahead of the store catches up; older ones are then replays', async (t) => {
    const family = await logIn(store)
    const answer = await store.rotate(rotation(family, { generation: 7, nowMs: T0 + 10 }))
    t.match(answer, { outcome: 'rotated', behind: true, family: { generation: 8 } })
    const retry = await store.rotate(rotation(family, { generation: 7, nowMs: T0 + 20 }))
    t.match(retry, { outcome: 'retried', family: { generation: 8 } })
    const old = await store.rotate(rotation(family, { generation: 6, nowMs: T0 + 30 }))
    t.equal(old.outcome, 'replayed')
  })

  t.test('generations stay exact up to the last uint32', async (t) => {
    const family = await logIn(store)
    const generation = 0xffff_fffe
    const answer = await store.rotate(rotation(family, { generation }))
    t.match(answer, { outcome: 'rotated', family: { generation: 0xffff_ffff } })
    t.equal((await read(store, family))?.generation, 0xffff_ffff)
  })

  t.test('a family ended by reuse stays recognised until its absolute expiry', async (t) => {
    const first = await logIn(store)
    const second = await rotateOn(store, first)
    await store.rotate(rotation(first, { nowMs: T0 + GRACE_MS + 10_000 }))
    for (const nowMs of [T0 + IDLE_MS * 2, T0 + ABSOLUTE_MS - 1]) {
      for (const token of [first, second]) {
        const answer = await store.rotate(rotation(token, { nowMs }))
        t.equal(describe(answer), 'inactive family_ended')
      }
    }
  })
}

function familyOf(answer: RotateOutcome): Family {
  if (!('family' in answer)) throw new Error(`no family in ${describe(answer)}`)
  return answer.family
}
