// Who waits for a connection: in order of arrival, bounded in number and time, and turned away with a
// reason that blames nobody.

import { test } from 'tap'
import { openConnectionQueue } from '../../src/database/connection-queue.ts'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'

const WAITING_MAX = 1_000

function isTurnedAway(error: unknown, words: RegExp): boolean {
  return (
    error instanceof DependencyUnavailable && error.because === 'queue' && words.test(error.message)
  )
}

test('connections are handed on in order of arrival, and nobody slips in between', async (t) => {
  const queue = openConnectionQueue(2)
  const entered: string[] = []
  const enter = (name: string) => queue.enter().then(() => void entered.push(name))
  await Promise.all([enter('a'), enter('b')])
  const [c, d] = [enter('c'), enter('d')]
  for (let turns = 0; turns < 10; turns += 1) await null
  t.strictSame(entered, ['a', 'b'], 'two have them, two wait')
  queue.leave()
  const e = enter('e')
  await c
  queue.leave()
  await d
  queue.leave()
  await e
  t.strictSame(entered, ['a', 'b', 'c', 'd', 'e'])
  for (const _ of entered.slice(0, 2)) queue.leave()
  await Promise.all([enter('f'), enter('g')])
  t.equal(entered.length, 7, 'all that were handed back can be taken again')
})

test('whoever has waited too long is turned away, and no connection is lost by it', async (t) => {
  const queue = openConnectionQueue(1)
  await queue.enter()
  const late = await queue.enter().catch((error: unknown) => error)
  t.ok(isTurnedAway(late, /waited too long for a connection/))
  queue.leave()
  await t.resolves(queue.enter(), 'it was not handed to one who had left')
})

test('one more than may wait is turned away at once, and those who wait are served', async (t) => {
  const queue = openConnectionQueue(1)
  await queue.enter()
  const waiting = Array.from({ length: WAITING_MAX }, () => queue.enter())
  const settled = Promise.allSettled(waiting)
  const refused = await queue.enter().catch((error: unknown) => error)
  t.ok(isTurnedAway(refused, /too many wait for a connection/))
  for (const _ of waiting) queue.leave()
  const outcomes = new Set((await settled).map(({ status }) => status))
  t.strictSame([...outcomes], ['fulfilled'])
})
