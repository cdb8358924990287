// What `npm run bench -- overload` has measured, as docs/reliability.md shows it.

import { runFacts } from '../../test/support/run-facts.ts'
import type { PopulationResult } from '../load/population.ts'
import { median, quantile } from '../statistics.ts'
import { toTable } from './markdown.ts'

/** Refreshes alone, then beside the others. */
export interface OverloadRound {
  readonly alone: PopulationResult
  readonly refresh: PopulationResult
  readonly services: PopulationResult
  readonly logins: PopulationResult
  /** The p99 of the delay of the service's event loop beside the others, in milliseconds. */
  readonly loopDelayMs: number
}

export interface Overload {
  readonly rounds: readonly OverloadRound[]
  readonly threefold: PopulationResult
  /** In a second, by class. */
  readonly capacity: Readonly<Record<string, number>>
  readonly shares: Readonly<Record<'refresh' | 'client_credentials' | 'login', number>>
  /** Whether the load had priority over the service. */
  readonly hasPriority: boolean
}

export function describeOverload(overload: Overload): string {
  const { rounds, threefold, capacity, shares, hasPriority } = overload
  const of = (name: 'alone' | 'refresh' | 'services' | 'logins') =>
    rounds.map((round) => round[name])
  const goodput = rounds.map(({ alone, refresh }) => perSecond(refresh) / perSecond(alone))
  const delay = rounds.map(({ alone, refresh }) => latency(refresh, 0.99) / latency(alone, 0.99))
  const others = shares.client_credentials + shares.login
  const seconds = rounds[0]?.alone.seconds.toFixed(0)
  return [
    `${runFacts()}; ${rounds.length} rounds of ${seconds} s alone and ${seconds} s beside the others, medians of`,
    `the rounds. The load${hasPriority ? ', which had priority over the service,' : ''} and both stores ran on the same cores.`,
    '',
    toTable(
      ['What is asked for', 'answered 200, a second', 'p50, ms', 'p99, ms', 'refused'],
      [
        row(`refreshes alone, ${shares.refresh} of their capacity`, of('alone')),
        row(`refreshes, with ${others.toFixed(1)} capacities of others`, of('refresh')),
        row(`… client_credentials beside them, ${shares.client_credentials}`, of('services')),
        row(`… logins beside them, ${shares.login}`, of('logins')),
        row('refreshes alone, 3 of their capacity', [threefold]),
      ],
    ),
    '',
    `Capacities, one after another: ${listCapacities(capacity)}. Beside the others refreshes keep`,
    `${(median(goodput) * 100).toFixed(1)} % of their goodput (${spread(goodput, 3)}), and their p99 is`,
    `${median(delay).toFixed(2)} of what it is alone (${spread(delay, 2)}); the delay of the event loop has a p99 of`,
    `${median(rounds.map(({ loopDelayMs }) => loopDelayMs)).toFixed(1)} ms then, of which 10 are how it is measured.`,
  ].join('\n')
}

function row(name: string, results: readonly PopulationResult[]): string[] {
  const middle = (figure: (result: PopulationResult) => number) => median(results.map(figure))
  return [
    name,
    middle(perSecond).toFixed(0),
    middle((result) => latency(result, 0.5)).toFixed(1),
    middle((result) => latency(result, 0.99)).toFixed(1),
    listRefusals(results),
  ]
}

function listRefusals(results: readonly PopulationResult[]): string {
  const refused = new Map<number, number>()
  for (const [status, count] of results.flatMap(({ statuses }) => [...statuses])) {
    if (status !== 200) refused.set(status, (refused.get(status) ?? 0) + count)
  }
  return [...refused].map(([status, count]) => `${status}: ${count}`).join(', ') || '–'
}

function listCapacities(capacity: Readonly<Record<string, number>>): string {
  return Object.entries(capacity)
    .map(([name, rate]) => `${name} ${rate.toFixed(0)}/s`)
    .join(', ')
}

function spread(ratios: readonly number[], digits: number): string {
  return `${Math.min(...ratios).toFixed(digits)} to ${Math.max(...ratios).toFixed(digits)} in the rounds`
}

function perSecond({ goodMs, seconds }: PopulationResult): number {
  return goodMs.length / seconds
}

/** In milliseconds. */
function latency({ goodMs }: PopulationResult, share: number): number {
  return quantile(
    [...goodMs].sort((a, b) => a - b),
    share,
  )
}
