// A short run with the faults by which sessions were lost or revived before; `npm run chaos` is the
// long one.

import { test } from 'tap'
import type { FaultName } from './chaos-faults.ts'
import { checkHistory } from './check-history.ts'
import { isAnswered, OPERATIONS } from './history.ts'
import { type ChaosOptions, runChaos } from './run-chaos.ts'

/** A test of its own file each, because every one has servers of its own. */
export function testShortRun(store: ChaosOptions['store'], names: readonly FaultName[]): void {
  test(`families in ${store}: no history breaks a rule`, { timeout: 170_000 }, async (t) => {
    const faults = names[Symbol.iterator]()
    const history = await runChaos(t, {
      store,
      seed: 8,
      users: 2,
      nextFault: () => faults.next().value,
      tell: (line) => t.comment(line),
    })
    t.strictSame(checkHistory(history), [])
    t.equal(history.faults.length, names.length)
    for (const name of Object.keys(OPERATIONS)) {
      const answered = history.operations.filter((one) => one.name === name && isAnswered(one))
      t.not(answered.length, 0, `${name} was answered`)
    }
    t.ok(
      history.operations.some(({ status }) => status === 503),
      'the faults were met',
    )
  })
}
