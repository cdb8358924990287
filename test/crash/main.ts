// `npm run crash -- --rounds 30 --seconds 600 --seed 7 --during rotations`: kills what is under way, over and over, and
// walks both stores afterwards. A run repeats its moments by its seed; what a client was just doing then it
// does not.

import { parseArgs } from 'node:util'
import { ACTS, type ActName } from './acts.ts'
import { writeCrashPage } from './crash-page.ts'
import { type ActReport, runRounds } from './run-rounds.ts'

const DEFAULT_ROUNDS = 300

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    /** Ends every act sooner, so that all have their share of so many seconds. */
    seconds: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    during: { type: 'string' },
    /** Writes the figures into docs/reliability.md. */
    write: { type: 'boolean', default: false },
  },
})
const names = (Object.keys(ACTS) as ActName[]).filter(
  (name) => values.during === undefined || values.during.split(',').includes(name),
)
const rounds = Number(values.rounds ?? DEFAULT_ROUNDS)
const seed = Number(values.seed)
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed) || names.length === 0) {
  console.error(
    '--rounds N --seconds N --seed N --during NAME[,NAME] --write, all of them optional',
  )
  for (const name of Object.keys(ACTS) as ActName[]) console.error(`  ${name}: ${ACTS[name].what}`)
  process.exit(2)
}
const secondsMax = Number(values.seconds ?? Number.POSITIVE_INFINITY)
const shares = names.reduce((sum, name) => sum + ACTS[name].share, 0)
const reports = new Map<ActName, ActReport>()
const beganAtMs = performance.now()
for (const name of names) {
  const own = Math.max(1, Math.round((rounds * ACTS[name].share) / shares))
  const tell = (line: string) => console.log(`  ${line}`)
  const report = await runRounds(ACTS[name], {
    ...{ name, rounds: own, seed, tell },
    secondsMax: (secondsMax * ACTS[name].share) / shares,
  })
  reports.set(name, report)
  if (values.write) writeCrashPage(reports, { seed, seconds: secondsSince(beganAtMs) })
  const { inTime, seconds, broken } = report
  console.log(
    `${name}: ${report.rounds} rounds, ${inTime} in time, ${seconds} s, ` +
      (broken.length === 0 ? 'whole' : 'BROKEN'),
  )
  for (const { round, moment, damages } of broken) {
    console.log(`  round ${round}, ${JSON.stringify(moment)}`)
    for (const { invariant, detail } of damages.slice(0, 10)) {
      console.log(`  BROKEN ${invariant}: ${detail}`)
    }
  }
}
const seconds = secondsSince(beganAtMs)
const isWhole = [...reports.values()].every(({ broken }) => broken.length === 0)
console.log(isWhole ? `every invariant was whole, ${seconds} s` : 'invariants were broken')
process.exit(isWhole ? 0 : 1)

function secondsSince(atMs: number): number {
  return Math.round((performance.now() - atMs) / 1000)
}
