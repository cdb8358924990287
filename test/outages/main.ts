// `npm run outages`: every kind of request at two instances, while every fault is there, and the table of
// it in docs/reliability.md. Ends with 1 where an answer, its time or the way back breaks the promise.

import { parseArgs } from 'node:util'
import { writeReliability } from '../support/reliability-page.ts'
import { openScope } from '../support/scope.ts'
import { judgeOutage, type OutageJudged } from './judge-outage.ts'
import { FAULTS, type FaultName } from './outage-faults.ts'
import { findBreaches, toPage } from './outage-page.ts'
import { openOutageScene } from './outage-scene.ts'
import { runOutage } from './run-outage.ts'

const HOLD_MS = 4_000

const { values } = parseArgs({
  options: {
    /** Those whose names have the word, and no page is written. */
    fault: { type: 'string' },
  },
})
const names = (Object.keys(FAULTS) as FaultName[]).filter((name) =>
  name.includes(values.fault ?? ''),
)
const scope = openScope()
const judged = new Map<FaultName, OutageJudged>()
try {
  const scene = await openOutageScene(scope, 'wired')
  for (const name of names) {
    const one = judgeOutage(
      FAULTS[name],
      await runOutage(scene, FAULTS[name], HOLD_MS),
      'to the letter',
    )
    judged.set(name, one)
    const slowest = Math.max(...[...one.cells.values()].map(({ slowestMs }) => slowestMs))
    console.log(
      `${name}: slowest answer ${Math.round(slowest)} ms, back after ${Math.round(one.backMs)} ms, ${one.readiness}`,
    )
    for (const breach of findBreaches(name, one)) console.log(`  BROKEN ${breach}`)
  }
} finally {
  await scope.close()
}
if (values.fault === undefined) writeReliability('outages', toPage(judged))
else console.log(toPage(judged))
const breaches = [...judged].flatMap(([name, one]) => findBreaches(name, one))
console.log(
  breaches.length === 0 ? 'every promise was kept' : `promises broken: ${breaches.length}`,
)
process.exit(breaches.length === 0 ? 0 : 1)
