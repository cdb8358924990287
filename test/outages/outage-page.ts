// The matrix of outages as a page, and the promises with a time in them (docs/semantics.md §12).

import { runFacts } from '../support/run-facts.ts'
import type { Cell, OutageJudged } from './judge-outage.ts'
import type { FaultName } from './outage-faults.ts'

const ANSWER_MAX_MS = 2_000
const BACK_MAX_MS = 5_000
/** Side by side, what a page has room for. */
const TABLES = [
  /^Redis (?!full|without|read)/,
  /^Redis (full|without|read)/,
  /^PostgreSQL/,
  /^both/,
]

/** One line for each promise that was broken. */
export function findBreaches(
  fault: FaultName,
  { cells, backMs, otherFailures }: OutageJudged,
): string[] {
  const inCells = [...cells].flatMap(([row, { wrong, slowestMs }]) => [
    ...wrong.map((one) => `${fault}, ${row}: ${one}`),
    ...(slowestMs < ANSWER_MAX_MS ? [] : [`${fault}, ${row}: took ${Math.round(slowestMs)} ms`]),
  ])
  const others = otherFailures.map((failure) => `${fault}: logged ${failure}`)
  const late = backMs < BACK_MAX_MS ? [] : [`${fault}: back after ${Math.round(backMs)} ms`]
  return [...inCells, ...others, ...late]
}

export function toPage(judged: ReadonlyMap<FaultName, OutageJudged>): string {
  const all = [...judged.values()]
  const breaches = [...judged].flatMap(([name, one]) => findBreaches(name, one))
  const slowest = Math.max(
    ...all.flatMap(({ cells }) => [...cells.values()].map(({ slowestMs }) => slowestMs)),
  )
  const back = Math.max(...all.map(({ backMs }) => backMs))
  return [
    `${runFacts()}. Two instances, ${all.length} faults, each held for 4 s at least while every kind of`,
    `request follows itself at both: the slowest of all answers took ${seconds(slowest)}, and all of it was`,
    `served again ${seconds(back)} after the part was back at the latest.`,
    breaches.length === 0
      ? 'Every cell is as [semantics.md](semantics.md) §12 says.'
      : `**Promises broken: ${breaches.length}**; the cells in bold.`,
    'A cell has the statuses while the fault was there, and the slowest answer from its beginning to the end',
    'of the way back.',
    '',
    ...TABLES.flatMap((table) => toTable([...judged].filter(([name]) => table.test(name)))),
  ].join('\n')
}

function toTable(columns: readonly (readonly [FaultName, OutageJudged])[]): string[] {
  const rows = [...(columns[0]?.[1].cells.keys() ?? [])]
  const line = (first: string, cells: readonly string[]) => `| ${[first, ...cells].join(' | ')} |`
  const all = columns.map(([, one]) => one)
  return [
    line(
      '',
      columns.map(([name]) => name),
    ),
    line(
      '---',
      columns.map(() => '---'),
    ),
    ...rows.map((row) =>
      line(
        row,
        all.map(({ cells }) => toText(cells.get(row))),
      ),
    ),
    line(
      '*`/readyz` says*',
      all.map(({ readiness }) => readiness),
    ),
    line(
      '*event loops stood still for*',
      all.map(({ standstillMs }) => standstillMs.map(seconds).join(', ')),
    ),
    line(
      '*back after*',
      all.map(({ backMs }) => seconds(backMs)),
    ),
    '',
  ]
}

function toText(cell: Cell | undefined): string {
  if (!cell) return ''
  const text = `${cell.statuses.join(', ')} · ${seconds(cell.slowestMs)}`
  return cell.wrong.length === 0 && cell.slowestMs < ANSWER_MAX_MS ? text : `**${text}**`
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
