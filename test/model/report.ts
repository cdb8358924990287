// What a run of the model has found, as a page shows it.

import { runFacts } from '../support/run-facts.ts'
import type { Searched } from './search.ts'

export interface SpaceRow extends Searched {
  readonly name: string
  readonly seconds: number
  readonly megabytes: number
}

export interface BugRow extends Pick<Searched, 'states' | 'found'> {
  readonly name: string
  readonly isFound: boolean
}

export interface ModelReport {
  readonly whole: readonly SpaceRow[]
  readonly pairs: readonly SpaceRow[]
  readonly bugs: readonly BugRow[]
  /** How long the whole spaces took together, one on each core at a time. */
  readonly wholeSeconds: number
}

export function reportMarkdown(report: ModelReport): string {
  const { whole, pairs, bugs, wholeSeconds } = report
  return [
    `${runFacts()}, each with a search of its own.`,
    '',
    'Every state was searched, and none breaks an invariant, of two clients with three generations each, one',
    `failover and one restart, in ${count(wholeSeconds)} seconds, and beside them:`,
    '',
    spaceTable(whole),
    '',
    'And of one client, with three generations, one failover and one restart, and two things that end sessions:',
    '',
    spaceTable(pairs),
    '',
    `All ${bugs.length} planted bugs were found, each by a way that no shorter one leads to:`,
    '',
    '| Bug | States until then | Breaks | Steps |',
    '|---|--:|---|---|',
    ...bugs.map(bugLine),
  ].join('\n')
}

function spaceTable(rows: readonly SpaceRow[]): string {
  const sum = (of: (row: SpaceRow) => number) => rows.reduce((all, row) => all + of(row), 0)
  return [
    '| | States | Transitions | Depth | Seconds | Memory |',
    '|---|--:|--:|--:|--:|--:|',
    ...rows.map(
      ({ name, states, transitions, depth, seconds, megabytes }) =>
        `| ${name} | ${count(states)} | ${count(transitions)} | ${depth} | ${seconds.toFixed(1)} | ${count(megabytes)} MB |`,
    ),
    `| together | ${count(sum((row) => row.states))} | ${count(sum((row) => row.transitions))} | | ${sum((row) => row.seconds).toFixed(1)} | |`,
  ].join('\n')
}

function bugLine({ name, states, found }: BugRow): string {
  return `| ${name} | ${count(states)} | ${found?.broken} | ${found?.steps.join('; ')} |`
}

function count(number: number): string {
  return Math.round(number).toLocaleString('en-US')
}
