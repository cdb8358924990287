// What every kind of request is answered while a store is killed or frozen (docs/semantics.md §12), and that
// all of it comes back. `npm run outages` has every other fault, and the times.

import { test } from 'tap'
import { judgeOutage } from './judge-outage.ts'
import { FAULTS, type FaultName } from './outage-faults.ts'
import { openOutageScene } from './outage-scene.ts'
import { runOutage } from './run-outage.ts'

const SAMPLE: readonly FaultName[] = [
  'Redis killed',
  'Redis frozen',
  'PostgreSQL killed',
  'PostgreSQL frozen',
]

test('while a store is away, each request is answered as promised', async (t) => {
  const scene = await openOutageScene(t, 'direct')
  for (const name of SAMPLE) {
    const run = await runOutage(scene, FAULTS[name], 0)
    const { cells, otherFailures } = judgeOutage(FAULTS[name], run, 'in the end')
    const wrong = [...cells].flatMap(([row, cell]) => cell.wrong.map((one) => `${row}, ${one}`))
    t.strictSame(wrong, [], name)
    t.strictSame(otherFailures, [], `${name}: what is logged`)
    t.not(run.failures.length, 0, `${name}: was met`)
  }
})
