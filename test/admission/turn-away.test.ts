// When those who are turned away are told so.

import { test } from 'tap'
import { openTurnAway } from '../../src/admission/turn-away.ts'

test('those who came together are told each at a moment of its own', async (t) => {
  const drawn = [0.9, 0.1, 0.5]
  const turnAway = openTurnAway(
    () => {},
    () => 0,
    () => drawn.shift() ?? 0,
  )
  const told: string[] = []
  const refuse = (name: string) =>
    turnAway.refuse('login').catch(({ reason }) => told.push(`${name}: ${reason}`))
  await Promise.all(['first', 'second', 'third'].map(refuse))
  t.strictSame(told, ['second: overloaded', 'third: overloaded', 'first: overloaded'])
})
