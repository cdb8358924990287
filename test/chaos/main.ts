// `npm run chaos -- --seconds 600 --seed 7 --store redis`: runs at random until the time is over,
// against every store in turn where none is named, and then against services with a planted bug, each of
// which must be found. What a run drew is repeated by its seed; which request meets which fault is not. A
// history that breaks a rule is kept in a file. A whole run writes its figures into docs/reliability.md.

import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from '../support/repository-text.ts'
import { openScope } from '../support/scope.ts'
import { FAULTS, type FaultName } from './chaos-faults.ts'
import { STORE_NAMES, type StoreName } from './chaos-scene.ts'
import { checkHistory, type Violation } from './check-history.ts'
import { measure, type RunFigures, writeFigures } from './figures.ts'
import { findPlanted, type PlantedRun } from './find-planted.ts'
import { type History, OPERATIONS, toJsonLines } from './history.ts'
import { buildSources, PLANTED_BUGS, type PlantedBugName } from './planted-service.ts'
import { runChaos } from './run-chaos.ts'

const USERS = 6
const SHOWN = 10
const THEFTS = 8

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '160' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    store: { type: 'string' },
    /** One fault only, over and over. */
    fault: { type: 'string' },
    /** One planted bug only. */
    planted: { type: 'string' },
  },
})
const [seconds, seed] = [Number(values.seconds), Number(values.seed)]
const isOnly = (wanted: string | undefined) => (name: string) =>
  wanted === undefined || wanted === name
const stores = STORE_NAMES.filter(isOnly(values.store))
const faults = (Object.keys(FAULTS) as FaultName[]).filter(isOnly(values.fault))
const bugs = (Object.keys(PLANTED_BUGS) as PlantedBugName[]).filter(isOnly(values.planted))
const isWhole = !(values.store ?? values.fault ?? values.planted)
if (!(seconds > 0 && Number.isInteger(seed) && stores.length * faults.length * bugs.length > 0)) {
  const choices = {
    store: STORE_NAMES,
    fault: Object.keys(FAULTS),
    planted: Object.keys(PLANTED_BUGS),
  }
  console.error('--seconds N --seed N, and one of these alone:')
  for (const [name, all] of Object.entries(choices)) console.error(`--${name} ${all.join(', ')}`)
  process.exit(2)
}
process.env.TEST_BUILD ??= await buildSources(ROOT)
const runs: RunFigures[] = []
for (const store of values.planted ? [] : stores) runs.push(await run(store))
const planted: PlantedRun[] = []
for (const name of isWhole || values.planted ? bugs : []) planted.push(await runPlanted(name))
if (isWhole) writeFigures(seed, runs, planted)
const broken = runs.reduce((sum, { violations }) => sum + violations, 0)
const missed = planted.filter(({ rules }) => rules.length === 0).length
console.log(broken === 0 ? 'every rule was kept' : `rules broken: ${broken}`)
if (planted.length > 0) console.log(`planted bugs: ${planted.length}, not found: ${missed}`)
process.exit(broken + missed === 0 ? 0 : 1)

async function run(store: StoreName): Promise<RunFigures> {
  console.log(`families in ${store}, seed ${seed}`)
  const scope = openScope()
  try {
    let overAt: number | undefined
    // Each comes once before any comes again: a run that is long enough has had them all.
    let undrawn: FaultName[] = []
    const history = await runChaos(scope, {
      store,
      seed,
      users: USERS,
      nextFault(random) {
        // Counted from when everybody is served.
        overAt ??= performance.now() + (seconds * 1000) / stores.length
        if (performance.now() >= overAt) return undefined
        if (undrawn.length === 0) undrawn = [...faults]
        const drawn = random.pick(undrawn)
        undrawn = undrawn.filter((name) => name !== drawn)
        return drawn
      },
      tell: (line) => console.log(`  ${line}`),
    })
    const violations = checkHistory(history)
    summarize(history)
    if (violations.length > 0) report(violations, history, store)
    return measure(store, history, violations.length)
  } finally {
    await scope.close()
  }
}

async function runPlanted(name: PlantedBugName): Promise<PlantedRun> {
  const found = await findPlanted(name, { seed, thefts: THEFTS })
  const { rules, operations } = found
  const words = rules.length > 0 ? `found by ${rules.join(', ')}` : 'NOT FOUND'
  console.log(`planted, ${name}: ${words} in ${operations} operations`)
  return found
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
