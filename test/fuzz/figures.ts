// The figures of a run of all parsers, as docs/reliability.md shows them.

import { writeReliability } from '../support/reliability-page.ts'
import { runFacts } from '../support/run-facts.ts'
import type { Exploration } from './explore.ts'

export interface ExploredTarget extends Exploration {
  readonly name: string
  readonly seconds: number
}

export function writeFigures(explored: readonly ExploredTarget[]): void {
  const rows = explored.map(({ name, seconds, executions, taken, places, kept, findings }) =>
    [
      ...[`\`${name}\``, executions, taken, `${places.reached} of ${places.all}`, kept.length],
      ...[findings.length, seconds],
    ].join(' | '),
  )
  writeReliability(
    'fuzz',
    [
      `${runFacts()}.`,
      '',
      '| Parser | Inputs | Taken | Branches reached | Kept | Findings | Seconds |',
      '|---|--:|--:|--:|--:|--:|--:|',
      ...rows.map((row) => `| ${row} |`),
    ].join('\n'),
  )
}
