// What a drill says: the facts that it has read, what would be refused from when until when and what goes on,
// and, once it has been done, what was.

import { formatRecord, formatTable } from '../command-output.ts'

export type Verdict = 'refused' | 'goes on'

const UNITS = [
  [86_400, 'days'],
  [3_600, 'h'],
  [60, 'min'],
] as const

/** What becomes of one kind of thing. Its `id` is the same in the plan and in what was seen. */
export interface Expectation {
  readonly id: string
  readonly what: string
  /** What is forgotten was remembered against somebody: its loss refuses nobody. */
  readonly verdict: Verdict | 'forgotten'
  /** An ISO time, or words. */
  readonly from: string
  readonly until: string
}

export interface DrillPlan {
  readonly drill: string
  readonly issuer: string
  readonly at: string
  readonly facts: Readonly<Record<string, unknown>>
  readonly expectations: readonly Expectation[]
  /** What would be done, command by command. */
  readonly doing: readonly string[]
  readonly notes: readonly string[]
}

export interface Observation {
  /** That of the expectation. */
  readonly id: string
  readonly expected: Verdict
  readonly seen: Verdict | 'neither'
  /** How long after the deed it was so. */
  readonly afterSeconds: number
  readonly detail: string
}

export interface DrillReport extends DrillPlan {
  readonly executed: boolean
  /** Empty in a plan. */
  readonly observations: readonly Observation[]
  /** Whether all that was seen was expected. */
  readonly ok: boolean
}

export function toReport(plan: DrillPlan, observations?: readonly Observation[]): DrillReport {
  const seen = observations ?? []
  const ok = seen.every((one) => one.seen === one.expected)
  return { ...plan, executed: observations !== undefined, observations: seen, ok }
}

/** For people. */
export function formatReport(report: DrillReport): string {
  const { drill, issuer, at, facts, expectations, doing, notes, observations, executed } = report
  const seen = observations.map(({ id, expected, seen, afterSeconds, detail }) => ({
    ...{ what: id, expected, seen },
    after: `${afterSeconds.toFixed(1)} s`,
    detail,
  }))
  return [
    `${drill}: ${executed ? 'done' : 'a plan; nothing is changed'}`,
    formatRecord({ issuer, at, ...facts }),
    formatTable(expectations, ['id', 'verdict', 'from', 'until', 'what']),
    ...(executed ? [formatTable(seen, ['what', 'expected', 'seen', 'after', 'detail'])] : []),
    ...(executed ? [] : [['What would do it:', ...doing.map((line) => `  ${line}`)].join('\n')]),
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join('\n')]),
  ].join('\n\n')
}

/** An ISO time in whole seconds. */
export function isoOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

/** A length of time in the largest unit that says it without a fraction. */
export function lengthOf(seconds: number): string {
  const [size, name] = UNITS.find(([unit]) => seconds % unit === 0) ?? [1, 's']
  return `${seconds / size} ${name}`
}
