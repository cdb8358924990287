// `npm run fuzz`: every parser, or the one that is named, for so many seconds of this process each, led by the
// branches that inputs reach. What is found is kept as a case that the suite replays from then on, what reached a branch as
// the corpus that the next run begins with. A run of all of them writes its figures to docs/reliability.md.

import { parseArgs } from 'node:util'
import { buildTargets } from './build-targets.ts'
import { type Exploration, explore } from './explore.ts'
import { type ExploredTarget, writeFigures } from './figures.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { readInputs, writeInputs } from './inputs.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    parser: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})
const seconds = Number(values.seconds)
const seed = Number(values.seed)
if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error('--seconds and --seed are numbers')

const built = await buildTargets('test/fuzz/targets.ts')
const chosen = built.targets.filter(
  ({ name }) => values.parser.length === 0 || values.parser.includes(name),
)
if (chosen.length === 0) {
  throw new Error(`--parser is one of ${built.targets.map(({ name }) => name).join(', ')}`)
}
console.log(`seed ${seed}, ${seconds} s for each of ${chosen.length} parsers`)

const explored: ExploredTarget[] = []
for (const target of chosen) explored.push({ name: target.name, seconds, ...run(target) })
if (values.parser.length === 0) writeFigures(explored)
process.exitCode = explored.some(({ findings }) => findings.length > 0) ? 1 : 0

function run(target: FuzzTarget): Exploration {
  const { name } = target
  const endSeconds = usedSeconds() + seconds
  const cases = readInputs('cases', name)
  const corpus = [...readInputs('corpus', name), ...cases]
  const result = explore(target, built, { seed, corpus, isOver: () => usedSeconds() > endSeconds })
  const { executions, taken, places, kept, findings } = result
  console.log(
    `${name}: ${executions} inputs, ${taken} taken, ${places.reached} of ${places.all} branches, ` +
      `${kept.length} kept, ${findings.length} findings`,
  )
  for (const { input, what } of findings) {
    console.log(`  ${what}\n    ${JSON.stringify(input.toString('latin1'))}`)
  }
  writeInputs('corpus', name, kept)
  writeInputs('cases', name, [...cases, ...findings.map(({ input }) => input)])
  return result
}

/** Of the processor: beside others that work, a run is as thorough as alone. */
function usedSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000_000
}
