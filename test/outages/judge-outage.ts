// What an outage was like, cell by cell, and what of it breaks a promise (docs/semantics.md §12).

import type { Fault } from './outage-faults.ts'
import type { Row, RowAnswer, RowName } from './outage-rows.ts'
import { isPromised, type Observation, type OutageRun, type Watched } from './run-outage.ts'

export interface Cell {
  /** While the fault was there, at both instances; 0 is a broken connection. */
  readonly statuses: readonly number[]
  readonly slowestMs: number
  /** Of all answers, from the first that met the fault to the last of the run; the same is told once. */
  readonly wrong: readonly string[]
}

export interface OutageJudged {
  readonly cells: ReadonlyMap<RowName, Cell>
  /** Until both instances serve everything, from when the part was back. */
  readonly backMs: number
  /** What `/readyz` said of the parts that are down. */
  readonly readiness: string
  /** What was logged as the failure of a request and is not that of the part that was down. */
  readonly otherFailures: readonly string[]
  /** The longest that the event loop of each instance stood still. */
  readonly standstillMs: readonly number[]
}

/**
 * `in the end` where the machine may be busy: what should be served may be 503 now and then, since a server
 * that nobody hears of for a second is as good as away. Nothing else is forgiven.
 */
export type Severity = 'to the letter' | 'in the end'

export function judgeOutage(fault: Fault, run: OutageRun, severity: Severity): OutageJudged {
  const names = [...new Set(run.watched.map(({ row }) => row.name))]
  const of = (name: RowName) => run.watched.filter(({ row }) => row.name === name)
  return {
    cells: new Map(names.map((name) => [name, judgeCell(fault, run, of(name), severity)])),
    backMs: Math.max(...run.watched.map((one) => backAfter(run, one))),
    readiness: readinessOf(run, of('/readyz')),
    otherFailures: findOtherFailures(fault, run, severity),
    standstillMs: of('/metrics').map((one) => standstillOf(run, one)),
  }
}

function judgeCell(
  fault: Fault,
  run: OutageRun,
  watched: readonly Watched[],
  severity: Severity,
): Cell {
  const statuses = new Set<number>()
  const wrong = new Set<string>()
  let slowestMs = 0
  for (const { instance, row, observations } of watched) {
    for (const observation of observations) {
      const { fromMs, toMs, answer } = observation
      if (toMs < run.beginningMs) continue
      slowestMs = Math.max(slowestMs, toMs - fromMs)
      if (isDuring(run, observation)) statuses.add(answer?.status ?? 0)
      if (isAllowed(fault, run, row, observation)) continue
      if (severity === 'in the end' && answer?.isUnavailable) continue
      const moment = isDuring(run, observation) ? 'while it is away' : 'as it goes or comes'
      wrong.add(`instance ${instance}, ${moment}: ${describe(answer)}`)
    }
    const isMet = observations.some(
      (one) => isDuring(run, one) && one.answer && isPromised(fault, row, one.answer),
    )
    if (!isMet) wrong.add(`instance ${instance}: never as promised`)
  }
  return { statuses: [...statuses].sort(), slowestMs, wrong: [...wrong] }
}

function describe(answer: RowAnswer | undefined): string {
  if (!answer) return 'the connection broke'
  const { error, code } = JSON.parse(/^\{/.test(answer.body) ? answer.body : '{}') as {
    error?: string
    code?: string
  }
  return [answer.status, error ?? code].filter(Boolean).join(' ')
}

/** Asked and answered while the fault was there. */
function isDuring({ begunMs, endingMs }: OutageRun, { fromMs, toMs }: Observation): boolean {
  return fromMs >= begunMs && toMs <= endingMs
}

function isAllowed(fault: Fault, run: OutageRun, row: Row, observation: Observation): boolean {
  const { answer } = observation
  if (!answer) return false
  if (isDuring(run, observation)) return isPromised(fault, row, answer)
  const isServed = answer.status === row.served
  return isServed || answer.isUnavailable || isUnknownEnd(fault, row, answer)
}

/**
 * An end that was answered 503 is no promise yet. It holds from the first answer on where the store has
 * ended the session, or has to be told what it missed before it answers; a Redis that was there all the
 * time and refused to write hears of it from the poll.
 */
function isUnknownEnd({ down, takes }: Fault, { name }: Row, { status }: RowAnswer): boolean {
  const isKept = down.includes('redis')
    ? !takes.includes('accountWrites')
    : !takes.includes('familyWrites')
  return name === 'refresh of what was revoked' && status === 200 && !isKept
}

function backAfter({ endedMs }: OutageRun, { row, observations }: Watched): number {
  const isServed = ({ answer }: Observation) => answer?.status === row.served
  const lastWrong = observations.findLastIndex((one) => !isServed(one))
  const after = observations.slice(lastWrong + 1).find(({ fromMs }) => fromMs >= endedMs)
  return (after?.toMs ?? Number.POSITIVE_INFINITY) - endedMs
}

function readinessOf(run: OutageRun, watched: readonly Watched[]): string {
  const told = watched.map(({ observations }) => {
    const last = observations.findLast((one) => isDuring(run, one))
    const { status, dependencies = {} } = JSON.parse(last?.answer?.body ?? '{}') as {
      status?: string
      dependencies?: Record<string, string>
    }
    const down = Object.keys(dependencies).filter((part) => dependencies[part] === 'down')
    return [status ?? 'unknown', ...down].join(' ')
  })
  return [...new Set(told)].join(' / ')
}

/** None hides a fault of ours. */
function findOtherFailures({ down }: Fault, { failures }: OutageRun, severity: Severity): string[] {
  const parts = down.length === 0 || severity === 'in the end' ? ['postgresql', 'redis'] : down
  const isTheirs = (message: string) =>
    parts.some((part) => message.startsWith(`${part} is unavailable: `))
  const others = failures.filter(
    ({ name, message }) => name !== 'DependencyUnavailable' || !isTheirs(message),
  )
  return [...new Set(others.map(({ name, message }) => `${name}: ${message}`))]
}

/** Each reading of the metric is about the time since the one before. */
function standstillOf({ beginningMs }: OutageRun, { observations }: Watched): number {
  const read = observations
    .filter(({ fromMs }) => fromMs >= beginningMs)
    .map(({ answer }) => /^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(answer?.body ?? '')?.[1])
  return Math.max(0, ...read.map((seconds) => Number(seconds ?? 0) * 1000))
}
