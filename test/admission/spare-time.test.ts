// For how much of the time the event loop may work before others than refreshes have to wait.

import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { openSpareTime, workedMs } from '../../src/admission/spare-time.ts'
import { monotonicClock } from '../../src/runtime/clock.ts'

function openScene() {
  const time = { nowMs: 0, workedMs: 0 }
  const hasTime = openSpareTime({ clock: () => time.nowMs, worked: () => time.workedMs })
  /** Whether there is time when it has worked for so much of the last so many milliseconds. */
  const after = (ms: number, workedMs: number) => {
    time.nowMs += ms
    time.workedMs += workedMs
    return hasTime()
  }
  return { after }
}

test('an event loop that works for 70 % of the time has time for others, one that works for more has none', async (t) => {
  const { after } = openScene()
  for (let count = 0; count < 1_000; count += 1) t.ok(after(10, 6.9))
  const more = Array.from({ length: 100 }, () => after(10, 7.1))
  t.notOk(more.at(-1))
})

test('what was left unused is there for a burst, but not for a long one', async (t) => {
  const { after } = openScene()
  t.ok(after(60_000, 0))
  t.ok(after(10, 10))
  t.notOk(after(10, 10))
})

test('however long it was too much, some rest makes up for it', async (t) => {
  const { after } = openScene()
  t.notOk(after(60_000, 60_000))
  t.notOk(after(20, 0))
  t.ok(after(20, 0))
})

test('the event loop of this process has no time left while it works, and some when it has rested', async (t) => {
  const hasTime = openSpareTime({ worked: workedMs, clock: monotonicClock })
  while (hasTime()) {
    const endMs = monotonicClock() + 10
    while (monotonicClock() < endMs);
    await new Promise((resolve) => setImmediate(resolve))
  }
  while (!hasTime()) await delay(10)
  t.pass('either came')
})
