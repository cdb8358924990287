// The figures of a run for docs/reliability.md.

import { writeReliability } from '../support/reliability-page.ts'
import { runFacts } from '../support/run-facts.ts'
import { ACTS, type ActName } from './acts.ts'
import { INVARIANTS, PROMISES } from './invariants.ts'
import type { ActReport } from './run-rounds.ts'

/** Writes the block `crash`: a row for each act, and what held. */
export function writeCrashPage(
  reports: ReadonlyMap<ActName, ActReport>,
  { seed, seconds }: { readonly seed: number; readonly seconds: number },
): void {
  const all = [...reports.values()]
  const total = all.reduce((sum, { rounds }) => sum + rounds, 0)
  const inTime = all.reduce((sum, report) => sum + report.inTime, 0)
  const broken = all.reduce((sum, report) => sum + report.broken.length, 0)
  const rows = [...reports].map(([name, report]) => {
    const killed = [...report.killed].map(([what, count]) => `${what} ${count}`).join(', ')
    const extent = [...report.extents]
      .map(([way, { ms, steps }]) => `${way} ${ms} ms${steps > 0 ? `, ${steps} steps` : ''}`)
      .join('; ')
    const cells = [name, ACTS[name].what, extent, killed, report.inTime, report.broken.length]
    return `| ${cells.join(' | ')} |`
  })
  writeReliability(
    'crash',
    `
${runFacts()}, seed ${seed}:
${total} kills in ${seconds} s, of which ${inTime} came while the act was under way. After each of them the
service was started again or the act repeated, every client asked for what it had been answered, and both stores
walked: ${Object.keys(INVARIANTS).length + Object.keys(PROMISES).length} invariants, broken in ${broken} rounds.

| Act | What was under way | Measured whole | Killed | In time | Broken |
|---|---|---|---|---|---|
${rows.join('\n')}

A step is what is sent to a store at once. A moment is drawn from the time of the act or from its steps: before a
step reaches the store, when it was passed on, or when its answer is on the way.
`,
  )
}
