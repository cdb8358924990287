// `npm run chaos -- --seconds 600 --seed 7 --store redis`: runs at random until the time is over,
// against every store in turn where none is named. What a run drew is repeated by its seed; which
// request meets which fault is not. A history that breaks a rule is kept in a file.

import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from '../support/repository-text.ts'
import { openScope } from '../support/scope.ts'
import { FAULTS, type FaultName } from './chaos-faults.ts'
import { STORE_NAMES, type StoreName } from './chaos-scene.ts'
import { checkHistory, type Violation } from './check-history.ts'
import { type History, OPERATIONS, toJsonLines } from './history.ts'
import { buildSources } from './planted-service.ts'
import { runChaos } from './run-chaos.ts'

const USERS = 6
const SHOWN = 10

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    store: { type: 'string' },
    /** One fault only, over and over. */
    fault: { type: 'string' },
  },
})
const [seconds, seed] = [Number(values.seconds), Number(values.seed)]
const stores = STORE_NAMES.filter((store) => values.store === undefined || values.store === store)
const names = (Object.keys(FAULTS) as FaultName[]).filter(
  (name) => values.fault === undefined || values.fault === name,
)
if (!(seconds > 0) || !Number.isInteger(seed) || stores.length === 0 || names.length === 0) {
  console.error(
    `--seconds N --seed N --store ${STORE_NAMES.join('|')} --fault NAME, all of them optional`,
  )
  console.error(`faults: ${Object.keys(FAULTS).join(', ')}`)
  process.exit(2)
}
process.env.TEST_BUILD ??= await buildSources(ROOT)
let broken = 0
for (const store of stores) broken += await run(store)
console.log(broken === 0 ? 'every rule was kept' : `rules broken: ${broken}`)
process.exit(broken === 0 ? 0 : 1)

async function run(store: StoreName): Promise<number> {
  console.log(`families in ${store}, seed ${seed}`)
  const scope = openScope()
  try {
    let overAt: number | undefined
    const history = await runChaos(scope, {
      store,
      seed,
      users: USERS,
      nextFault(random) {
        // Counted from when everybody is served.
        overAt ??= performance.now() + (seconds * 1000) / stores.length
        return performance.now() < overAt ? random.pick(names) : undefined
      },
      tell: (line) => console.log(`  ${line}`),
    })
    const violations = checkHistory(history)
    summarize(history)
    if (violations.length > 0) report(violations, history, store)
    return violations.length
  } finally {
    await scope.close()
  }
}

function summarize({ operations, alarms }: History): void {
  for (const name of Object.keys(OPERATIONS)) {
    const counts = new Map<number, number>()
    for (const one of operations) {
      if (one.name === name) counts.set(one.status, (counts.get(one.status) ?? 0) + 1)
    }
    const parts = [...counts].sort().map(([status, count]) => `${status || 'no answer'}: ${count}`)
    console.log(`  ${name.padEnd(12)} ${parts.join(', ')}`)
  }
  console.log(`  ${operations.length} operations, ${alarms.length} theft alarms`)
}

function report(violations: readonly Violation[], history: History, store: StoreName): void {
  const file = join(tmpdir(), `lineage-chaos-${store}-${seed}.jsonl`)
  writeFileSync(file, toJsonLines(history))
  for (const { rule, detail, operation } of violations.slice(0, SHOWN)) {
    console.log(`  BROKEN ${rule}: ${detail}${operation ? ` ${JSON.stringify(operation)}` : ''}`)
  }
  console.log(`  the history is in ${file}`)
}
