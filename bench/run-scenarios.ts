// The scenarios measured: in each round every participant of every scenario once, in turns, so that
// a noisy machine is noisy for all of them.

import type { Calls } from './count-calls.ts'
import type { Measure, Participant } from './participant.ts'
import type { ScenarioResult, Spreads } from './results.ts'
import { type Spread, spreadOf } from './statistics.ts'

export interface Contest {
  readonly participants: ReadonlyMap<string, Participant>
  readonly calls: ReadonlyMap<string, Calls>
}

/** The rounds of one scenario, by participant. */
export type Rounds = Map<string, Measure[]>

export const LINEAGE = 'lineage'
/** What is compared, where both have it. */
const COMPARED = ['cpuMicros', 'perSecond', 'p50Ms', 'p99Ms']

/** Adds one round to `rounds`; who begins changes from round to round. */
export async function runRound(
  participants: ReadonlyMap<string, Pick<Participant, 'measure'>>,
  seconds: number,
  round: number,
  rounds: Rounds,
): Promise<void> {
  const names = [...participants.keys()]
  const first = round % names.length
  for (const name of [...names.slice(first), ...names.slice(0, first)]) {
    const measure = await participants.get(name)?.measure(seconds)
    if (!measure) continue
    const measured = rounds.get(name) ?? []
    rounds.set(name, [...measured, measure])
  }
}

export function summarize(rounds: Rounds, calls: ReadonlyMap<string, Calls>): ScenarioResult {
  const lineage = rounds.get(LINEAGE) ?? []
  const others = [...rounds].filter(([name]) => name !== LINEAGE)
  return {
    measures: mapEntries(rounds, spreadsOf),
    calls: Object.fromEntries(calls),
    ratios: mapEntries(new Map(others), (other) => ratiosOf(lineage, other)),
  }
}

export function spreadsOf(measures: readonly Measure[]): Spreads {
  const names = Object.keys(measures[0] ?? {})
  return Object.fromEntries(
    names.map((name) => [name, spreadOf(measures.map((one) => one[name] ?? Number.NaN))]),
  )
}

/** Round by round: both were measured within seconds of each other. */
function ratiosOf(lineage: readonly Measure[], other: readonly Measure[]): Spreads {
  const ratio = (name: string): Spread =>
    spreadOf(lineage.map((one, round) => (one[name] ?? 0) / (other[round]?.[name] ?? 0)))
  const names = COMPARED.filter((name) => lineage[0]?.[name] && other[0]?.[name])
  return Object.fromEntries(names.map((name) => [name, ratio(name)]))
}

function mapEntries<V, W>(map: ReadonlyMap<string, V>, change: (value: V) => W): Record<string, W> {
  return Object.fromEntries([...map].map(([name, value]) => [name, change(value)]))
}
