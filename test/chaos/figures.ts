// What a run has measured: how much happened, what honest clients were refused, how soon they were served
// again, and how many of them were logged out by nobody.

import { writeReliability } from '../support/reliability-page.ts'
import { runFacts } from '../support/run-facts.ts'
import type { StoreName } from './chaos-scene.ts'
import type { PlantedRun } from './find-planted.ts'
import { type FaultSpan, type History, isAnswered, type Operation } from './history.ts'

export interface RunFigures {
  readonly store: StoreName
  readonly seconds: number
  readonly operations: number
  readonly faults: readonly FaultSpan[]
  /** Of the calm clients alone, who do nothing that ends a session. */
  readonly calm: CalmFigures
  readonly violations: number
}

interface CalmFigures {
  readonly operations: number
  /** Answered 503, or not at all. */
  readonly unserved: number
  readonly sessions: number
  /** Refused because an answer had been lost for longer than the grace. */
  readonly outlived: number
  /** Refused because Redis had lost them, and the journal did not have them any more. */
  readonly lost: number
}

/** `violations` are those of the rules; what is counted here besides is what docs/semantics.md allows. */
export function measure(store: StoreName, history: History, violations: number): RunFigures {
  const { operations, faults } = history
  const first = operations[0]?.startMs ?? 0
  const last = operations.reduce((latest, { endMs }) => Math.max(latest, endMs), first)
  return {
    store,
    seconds: Math.round((last - first) / 1000),
    operations: operations.length,
    faults,
    calm: measureCalm(history),
    violations,
  }
}

function measureCalm({ calm, operations, faults }: History): CalmFigures {
  const theirs = operations.filter(({ user }) => calm.includes(user))
  const logins = new Map<string, Operation>()
  for (const login of theirs) {
    if (login.name === 'login' && login.got) logins.set(login.got.session, login)
  }
  const refused = new Set(
    theirs.flatMap(({ name, status, session }) =>
      name === 'refresh' && status === 400 && session ? [session] : [],
    ),
  )
  const isLost = (session: string) =>
    faults.some(({ loss }) => (logins.get(session)?.startMs ?? 0) < (loss?.loginsBeforeMs ?? 0))
  const lost = [...refused].filter(isLost).length
  return {
    operations: theirs.length,
    unserved: theirs.filter((operation) => !isAnswered(operation)).length,
    sessions: logins.size,
    outlived: refused.size - lost,
    lost,
  }
}

/** Writes the page's block of a whole run. */
export function writeFigures(
  seed: number,
  runs: readonly RunFigures[],
  planted: readonly PlantedRun[],
): void {
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0)
  const found = planted.map(({ name, rules, operations }) => {
    const by = rules.length > 0 ? rules.map((rule) => `\`${rule}\``).join(', ') : '**not found**'
    return [name, by, operations]
  })
  const parts = [
    `${runFacts()}; ${seconds} seconds in all, seed ${seed}.`,
    runTable(runs),
    faultTable(runs),
    'The same clients and checks against a service with a planted bug:',
    table(['Planted bug', 'Found by', 'Operations'], found),
  ]
  writeReliability('chaos', parts.join('\n\n'))
}

/** A row for each store. */
function runTable(runs: readonly RunFigures[]): string {
  const rows = runs.map(({ store, seconds, operations, faults, calm, violations }) => {
    const { sessions, outlived, lost } = calm
    const served = faults.map(({ servedMs }) => servedMs)
    return [
      store,
      seconds,
      operations,
      faults.length,
      `${percent(calm.unserved, calm.operations)} of ${calm.operations}`,
      `${medianOf(served)} / ${Math.max(0, ...served)}`,
      `${outlived} of ${sessions} (${percent(outlived, sessions)})`,
      `${lost} of ${sessions} (${percent(lost, sessions)})`,
      violations,
    ]
  })
  return table(RUN_HEAD, rows)
}

const RUN_HEAD = [
  'Families in',
  'Seconds',
  'Operations',
  'Faults',
  'Calm clients: 503 or no answer',
  'Everybody served again, ms: median / slowest',
  'Calm sessions refused: answer lost for longer than the grace',
  'Calm sessions refused: lost with Redis and too old for the journal',
  'Rules broken',
]

/** A row for each kind of fault, over all stores. */
function faultTable(runs: readonly RunFigures[]): string {
  const spans = runs.flatMap(({ faults }) => faults)
  const names = [...new Set(spans.map(({ name }) => name))].sort()
  const rows = names.map((name) => {
    const served = spans.filter((span) => span.name === name).map(({ servedMs }) => servedMs)
    return [`\`${name}\``, served.length, medianOf(served), Math.max(...served)]
  })
  return table(['Fault', 'Times', 'Served again, ms: median', 'slowest'], rows)
}

function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`
}

function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0
}
