// The tables that a run prints.

import type { AllCoresResults } from '../all-cores.ts'
import type { Machine } from '../machine.ts'
import { CONNECTIONS, ROUNDS, SECONDS } from '../options.ts'
import type { ScenarioResult, Spreads } from '../results.ts'
import { SCENARIO_NAMES, SCENARIOS, type ScenarioName } from '../scenarios.ts'
import type { Spread } from '../statistics.ts'

export function printMachine({ cpu, cores, node, redis, postgres, packages }: Machine): void {
  console.log(`${cpu}, ${cores} cores; Node ${node}, Redis ${redis}, PostgreSQL ${postgres}`)
  console.log(`Lineage ${packages.lineage}; ${CONNECTIONS} connections`)
  console.log(`medians of ${ROUNDS} x ${SECONDS} s, with their quartiles\n`)
}

const HEADS = [
  '',
  'requests/s',
  'p50 ms',
  'p99 ms',
  'CPU us',
  'Redis us',
  'RSS MiB',
  'Redis',
  'SQL',
]

export function printScenario(name: ScenarioName, result: ScenarioResult): void {
  console.log(SCENARIOS[name])
  const rows = Object.entries(result.measures).map(([participant, measures]) => {
    const { perSecond, p50Ms, p99Ms, cpuMicros, redisCpuMicros, rssMib } = measures
    const calls = result.calls[participant]
    const numbers = [perSecond, p50Ms, p99Ms, cpuMicros, redisCpuMicros, rssMib].map(toCell)
    return [participant, ...numbers, calls?.redis ?? '', calls?.sql ?? ''].map(String)
  })
  printTable([HEADS, ...rows])
  for (const [other, ratios] of Object.entries(result.ratios)) {
    const parts = Object.entries(ratios).map(([key, ratio]) => `${key} ${toCell(ratio)}`)
    console.log(`  lineage to ${other}: ${parts.join(', ')}`)
  }
  const flood = result.measures.lineage
  if (name === 'flood' && flood) {
    for (const [participant, measures] of Object.entries(result.measures)) {
      const parts = Object.entries(measures).map(([key, spread]) => `${key} ${toCell(spread)}`)
      console.log(`  ${participant}: ${parts.join(', ')}`)
    }
  }
  console.log('')
}

export function printAllCores(results: AllCoresResults): void {
  if (Object.keys(results).length === 0) return
  console.log('workers')
  const rows = SCENARIO_NAMES.flatMap((name) => {
    const found = results[name]
    return found ? [[SCENARIOS[name], ...[found.one, found.all, found.ratio].map(toCell)]] : []
  })
  printTable([['requests/s', 'one process', 'one a core', 'ratio'], ...rows])
  console.log('')
}

export function printStart(start: Readonly<Record<string, Spreads>>): void {
  if (Object.keys(start).length === 0) return
  console.log('start')
  const rows = Object.entries(start).map(([name, { firstTokenMs, idleRssMib, startCpuMs }]) => [
    name,
    ...[firstTokenMs, idleRssMib, startCpuMs].map(toCell),
  ])
  printTable([['', 'first token ms', 'idle RSS MiB', 'CPU ms'], ...rows])
}

export function toCell(spread: Spread | undefined): string {
  if (!spread) return ''
  const { median, low, high } = spread
  return `${toText(median)} (${toText(low)}-${toText(high)})`
}

export function toText(value: number): string {
  if (value >= 100) return String(Math.round(value))
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  for (const row of rows) {
    const cells = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
    )
    console.log(`  ${cells.join('  ')}`.trimEnd())
  }
}
