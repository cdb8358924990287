// In a line whoever came first is first, until it is so long that the newest have the better chance.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'tap'
import {
  BURST_WAIT_MS,
  LINE_MAX,
  openWaitingLine,
  STANDING_WAIT_MS,
} from '../../src/admission/waiting-line.ts'

function fill(count: number, everyMs = 1, fromMs = 0) {
  const line = openWaitingLine<number>()
  for (let entry = 0; entry < count; entry += 1) line.add(entry, fromMs + entry * everyMs)
  return line
}

test('first come, first served, while nobody waits for long', async (t) => {
  const line = fill(5)
  const taken = [1, 2, 3, 4, 5, 6].map(() => line.take(5))
  t.strictSame(taken, [0, 1, 2, 3, 4, undefined])
  t.equal(line.size(), 0)
})

test('when the oldest has waited, the newest is served first', async (t) => {
  const line = fill(5)
  t.equal(line.take(51), 4)
  t.equal(line.take(50), 0, 'and the oldest again when nobody waits for long')
  t.strictSame([line.take(52), line.take(52), line.take(52)], [3, 2, 1])
  t.equal(line.take(52), undefined)
})

test('a burst is given its time, and no more', async (t) => {
  const line = fill(3, 10)
  t.strictSame(line.expire(BURST_WAIT_MS), [])
  t.strictSame(line.expire(BURST_WAIT_MS + 1), [0, 1, 2], 'from then on it is no burst')
  t.equal(line.size(), 0)
})

test('in a line that is never empty nobody waits for as long as in a burst', async (t) => {
  const line = fill(1)
  for (let nowMs = 10; nowMs <= 700; nowMs += 10) {
    line.add(nowMs, nowMs)
    line.take(nowMs)
  }
  line.add(701, 701)
  t.strictSame(line.expire(701 + STANDING_WAIT_MS).length, 1, 'the one that never came to its turn')
  t.strictSame(line.expire(702 + STANDING_WAIT_MS), [701])
  line.add(900, 900)
  t.strictSame(line.expire(900 + STANDING_WAIT_MS + 1), [], 'and once empty it is a burst again')
})

test('a full line takes nobody, and has room again when somebody has left', async (t) => {
  const line = fill(LINE_MAX, 0)
  t.notOk(line.add(-1, 1))
  t.equal(line.take(1), 0)
  t.ok(line.add(-1, 1))
  for (let entry = 1; entry < LINE_MAX; entry += 1) t.equal(line.take(2), entry)
  t.equal(line.take(2), -1)
  t.equal(line.take(2), undefined)
})

test('a line that is empty holds nobody of those that were in it', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const line = openWaitingLine<object>()
  const entries = Array.from({ length: 4 }, () => {
    const entry = {}
    line.add(entry, 0)
    return new WeakRef(entry)
  })
  line.take(1)
  line.take(1)
  // The newest first, from the other end.
  line.take(51)
  line.take(51)
  t.equal(line.size(), 0)
  // What a WeakRef has given is held until the end of the turn.
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  t.strictSame(
    entries.map((entry) => entry.deref()),
    [undefined, undefined, undefined, undefined],
  )
  t.equal(line.size(), 0, 'and the line itself is still there')
})
