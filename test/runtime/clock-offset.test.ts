// What is known of another clock: from one answer, and from two of them.

import fc from 'fast-check'
import { test } from 'tap'
import { deadlineBy } from '../../src/families/redis/redis-store-clock.ts'
import { narrowOffset, readOffset } from '../../src/runtime/clock-offset.ts'

test('a reading holds the true offset, wherever in the round trip it was taken', async () => {
  const ms = fc.double({ min: 0, max: 5_000, noNaN: true })
  fc.assert(
    fc.property(fc.integer({ min: -1e12, max: 2e12 }), ms, ms, ms, (offset, at, there, back) => {
      const server = Math.max(0, at + there + offset)
      const { lowMs, highMs } = readOffset(Math.floor(server), at, at + there + back)
      const truth = server - (at + there)
      return (
        lowMs <= truth + 0.001 && truth <= highMs + 0.001 && highMs - lowMs <= there + back + 1.1
      )
    }),
  )
})

test('a deadline is never later than the moment at which the sender gives up', async (t) => {
  // Sent at 1,000, answered at 1,400: the server said 50,000 somewhere between.
  const offset = readOffset(50_000, 1_000, 1_400)
  t.equal(deadlineBy(offset, 2_400), 51_000)
  // An answer to a command takes as long as that of TIME did: a link that is slow both ways is fine.
  t.ok(deadlineBy(offset, 2_400) > 50_000 + 400)
})

test('a shorter round trip narrows what is known, a longer one takes nothing away', async (t) => {
  const wide = readOffset(50_000, 1_000, 1_400)
  const short = readOffset(50_300, 1_500, 1_502)
  const narrow = narrowOffset(wide, short)
  t.strictSame([narrow.lowMs, narrow.highMs], [short.lowMs, short.highMs])
  const later = narrowOffset(narrow, readOffset(52_100, 3_000, 3_400))
  t.ok(later.lowMs >= narrow.lowMs - 2 && later.highMs <= narrow.highMs + 2)
})

test('a clock that was set is believed at once', async (t) => {
  const before = readOffset(5_000_000, 1_000, 1_010)
  for (const stepMs of [3_600_000, -3_600_000, 100, -100]) {
    const after = readOffset(5_002_000 + stepMs, 3_000, 3_010)
    t.strictSame(narrowOffset(before, after), after)
  }
})

test('what drifts apart within the bounds stays contained', async () => {
  fc.assert(
    fc.property(
      fc.double({ min: -0.0009, max: 0.0009, noNaN: true }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 })), {
        minLength: 2,
        maxLength: 50,
      }),
      (rate, trips) => {
        const serverAt = (ms: number) => 1e6 + ms * (1 + rate)
        const read = ([there, back]: readonly [number, number], index: number) => {
          const sent = index * 2_000
          return readOffset(Math.floor(serverAt(sent + there)), sent, sent + there + back)
        }
        const [first, ...others] = trips.map(read)
        if (!first) return true
        const known = others.reduce(narrowOffset, first)
        const truth = serverAt(known.atMs) - known.atMs
        return known.lowMs <= truth + 0.01 && truth <= known.highMs + 0.01
      },
    ),
  )
})
