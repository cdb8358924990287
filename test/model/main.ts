// npm run model: searches the whole spaces and plants the bugs, and writes what came of it into
// docs/reliability.md.

import { writeReliability } from '../support/reliability-page.ts'
import { openMachine } from './machine.ts'
import { PLANTED_BUGS } from './planted-bugs.ts'
import { type BugRow, reportMarkdown, type SpaceRow } from './report.ts'
import { search } from './search.ts'
import { PAIR_SPACES, type Space, WHOLE_SPACES } from './spaces.ts'
import { AS_BUILT } from './variant.ts'

function searchSpace({ name, bounds }: Space): SpaceRow {
  const begun = performance.now()
  const searched = search(openMachine(bounds, AS_BUILT))
  const row = {
    name,
    ...searched,
    seconds: (performance.now() - begun) / 1_000,
    megabytes: process.memoryUsage().rss / 1_000_000,
  }
  console.log(
    `${name}: ${row.states} states, ${row.transitions} transitions, depth ${row.depth}, ` +
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

console.log('\nTwo clients, three generations, one failover, one restart, and:')
const whole = WHOLE_SPACES.map(searchSpace)
console.log('\nOne client, three generations, one failover, one restart, and:')
const pairs = PAIR_SPACES.map(searchSpace)
console.log('\nPlanted bugs:')
const bugs = PLANTED_BUGS.map(findBug)

const isGood = [...whole, ...pairs].every(({ found }) => !found) && bugs.every((bug) => bug.isFound)
if (isGood) writeReliability('model', reportMarkdown(whole, pairs, bugs))
else process.exitCode = 1
