// The figures of a run of all parsers, as docs/reliability.md shows them.

import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { writeReliability } from '../support/reliability-page.ts'
import type { Exploration } from './explore.ts'

export interface ExploredTarget extends Exploration {
  readonly name: string
  readonly seconds: number
}

export function writeFigures(explored: readonly ExploredTarget[]): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const date = new Date().toISOString().slice(0, 10)
  const rows = explored.map(({ name, seconds, executions, taken, places, kept, findings }) =>
    [
      ...[`\`${name}\``, executions, taken, `${places.reached} of ${places.all}`, kept.length],
      ...[findings.length, seconds],
    ].join(' | '),
  )
  writeReliability(
    'fuzz',
    [
      `${date}, commit ${commit}, Node ${process.version}, ${availableParallelism()} cores.`,
      '',
      '| Parser | Inputs | Taken | Branches reached | Kept | Findings | Seconds |',
      '|---|--:|--:|--:|--:|--:|--:|',
      ...rows.map((row) => `| ${row} |`),
    ].join('\n'),
  )
}
