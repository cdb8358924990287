// How long the scope of a piece of database work is in force.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'tap'
import { guardDatabase } from '../../src/database/database.ts'
import { currentScope, remainingMs } from '../../src/database/database-scope.ts'

/** A promise that is settled from outside. */
function makeGate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

test('work that nobody waits for any more is still within its deadline', async (t) => {
  const gate = makeGate()
  const left = makeGate()
  let remaining = Number.NaN
  const work = async () => {
    await gate.opened
    remaining = remainingMs()
    left.open()
  }
  await t.rejects(guardDatabase(work, 1), { message: /./ })
  // Other work comes and goes meanwhile.
  await guardDatabase(async () => {})
  gate.open()
  await left.opened
  t.ok(remaining <= 0, 'its deadline has passed')
})

test('two pieces of work at a time keep their own scopes, also after one has ended', async (t) => {
  const gate = makeGate()
  const slow = guardDatabase(async () => {
    const before = currentScope()
    await gate.opened
    return [before, currentScope()]
  })
  const quick = await guardDatabase(async () => currentScope())
  gate.open()
  const [before, after] = await slow
  t.ok(before)
  t.equal(after, before)
  t.ok(quick)
  t.not(quick, before)
})

test('within work, other work has the earlier of both deadlines', async (t) => {
  await guardDatabase(async () => {
    const outer = remainingMs()
    await guardDatabase(async () => t.ok(remainingMs() <= outer), 60_000)
    t.ok(currentScope())
  }, 1_000)
  await nextTurn()
  t.equal(currentScope(), undefined, 'outside of any work there is no scope')
})
