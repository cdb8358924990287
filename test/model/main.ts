// npm run model: searches the whole spaces and plants the bugs, and writes what came of it into
// docs/reliability.md.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { writeReliability } from '../support/reliability-page.ts'
import { openMachine } from './machine.ts'
import { PLANTED_BUGS } from './planted-bugs.ts'
import { type BugRow, reportMarkdown, type SpaceRow } from './report.ts'
import { search } from './search.ts'
import { PAIR_SPACES, type Space, WHOLE_SPACES } from './spaces.ts'

/** Each in a process of its own, as many at a time as there are cores; the rows come in the order of the spaces. */
async function searchAll(spaces: readonly Space[]): Promise<SpaceRow[]> {
  const rows: SpaceRow[] = []
  const left = [...spaces.entries()]
  async function work(): Promise<void> {
    for (let next = left.shift(); next; next = left.shift()) {
      const [index, space] = next
      rows[index] = await searchSpace(space)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return rows
}

async function searchSpace(space: Space): Promise<SpaceRow> {
  const searching = fork(new URL('./search-process.ts', import.meta.url), [JSON.stringify(space)], {
    execArgv: ['--import=tsx'],
  })
  const [row] = (await once(searching, 'message')) as [SpaceRow]
  console.log(
    `${row.name}: ${row.states} states, ${row.transitions} transitions, depth ${row.depth}, ` +
      `${row.seconds.toFixed(1)} s, ${row.megabytes.toFixed(0)} MB`,
  )
  if (row.found) console.log(`  BROKEN: ${row.found.broken}\n${numbered(row.found.steps)}`)
  return row
}

function findBug({ name, variant, bounds, breaks }: (typeof PLANTED_BUGS)[number]): BugRow {
  const { states, found } = search(openMachine(bounds, variant))
  const isFound = found?.broken === breaks
  console.log(`${isFound ? 'found' : 'NOT FOUND'}: ${name}`)
  if (found) console.log(`  breaks: ${found.broken}\n${numbered(found.steps)}`)
  return { name, states, found, isFound }
}

function numbered(steps: readonly string[]): string {
  return steps.map((step, index) => `  ${index + 1}. ${step}`).join('\n')
}

const begun = performance.now()
console.log('\nTwo clients, three generations, one failover, one restart, and:')
const whole = await searchAll(WHOLE_SPACES)
const wholeSeconds = (performance.now() - begun) / 1_000
console.log('\nOne client, three generations, one failover, one restart, and:')
const pairs = await searchAll(PAIR_SPACES)
console.log(`\nThe whole spaces took ${wholeSeconds.toFixed(0)} s together.`)
console.log('\nPlanted bugs:')
const bugs = PLANTED_BUGS.map(findBug)

const isGood = [...whole, ...pairs].every(({ found }) => !found) && bugs.every((bug) => bug.isFound)
const report = { whole, pairs, bugs, wholeSeconds }
if (isGood) writeReliability('model', reportMarkdown(report))
else process.exitCode = 1
