// A worker that ends is replaced at once, one that cannot run ever more rarely.

import { test } from 'tap'
import { openRestartPauses } from '../../src/workers/restart-pauses.ts'

test('the pause doubles while workers of a number end young, up to half a minute', async (t) => {
  let nowMs = 1_000_000
  const pauses = openRestartPauses(() => nowMs)
  const afterLiving = (ms: number, number = 1) => {
    const startedAtMs = nowMs
    nowMs += ms
    return pauses.next(number, startedAtMs)
  }
  t.equal(afterLiving(3_600_000), 0, 'at once')
  t.strictSame(
    Array.from({ length: 9 }, () => afterLiving(100)),
    [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000],
  )
  t.equal(afterLiving(100, 2), 500, 'each number has its own')
  t.equal(afterLiving(30_000), 0, 'one that ran ends the row')
  t.equal(afterLiving(100), 500)
})
