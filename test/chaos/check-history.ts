// The rules that every history must keep, whatever went wrong meanwhile. What a client could not
// know, because no answer came, counts for the service: only what is certain is held against it.

import { type History, OPERATIONS, type Operation } from './history.ts'

export interface Violation {
  readonly rule: Rule
  readonly detail: string
  readonly operation?: Operation
}

export type Rule =
  | 'unexpected_status'
  | 'two_successors'
  | 'used_twice'
  | 'ended_works'
  | 'refused_without_cause'
  | 'false_alarm'
  | 'not_served_again'

/** What two clocks that follow each other may differ by. */
const CLOCK_SLACK_MS = 250

export function checkHistory(history: History): Violation[] {
  const sessions = groupBySession(history.operations)
  return [
    ...history.operations.flatMap(checkStatus),
    ...[...sessions.values()].flatMap((operations) => checkSuccessors(operations, history)),
    ...checkEnds(history, sessions),
    ...checkRefusals(history, sessions),
    ...checkAlarms(history, sessions),
    ...history.unserved.map((detail) => ({ rule: 'not_served_again' as const, detail })),
  ]
}

type Sessions = ReadonlyMap<string, readonly Operation[]>

function groupBySession(operations: readonly Operation[]): Sessions {
  const sessions = new Map<string, Operation[]>()
  for (const operation of operations) {
    const session = operation.session ?? operation.got?.session
    if (session === undefined) continue
    sessions.set(session, [...(sessions.get(session) ?? []), operation])
  }
  return sessions
}

function checkStatus(operation: Operation): Violation[] {
  const { name, status } = operation
  const allowed: readonly number[] = OPERATIONS[name]
  if (status === 0 || allowed.includes(status)) return []
  return [{ rule: 'unexpected_status', detail: `${name} was answered ${status}`, operation }]
}

/** A token has one successor, and is of no use once that one was used or the grace is over. */
function checkSuccessors(
  operations: readonly Operation[],
  { graceMs, faults }: History,
): Violation[] {
  const served = operations.filter(({ generation, got }) => generation !== undefined && got)
  return served.flatMap((operation): Violation[] => {
    const { generation = 0, got, startMs } = operation
    const detail = `generation ${generation} of ${operation.session}`
    const twins = served.filter((other) => other.generation === generation)
    if (got?.generation !== generation + 1 || got.digest !== twins[0]?.got?.digest) {
      return [{ rule: 'two_successors', detail, operation }]
    }
    const isOver = served.some(
      (other) =>
        ((other.generation ?? 0) > generation && other.endMs < startMs) ||
        (other.generation === generation && other.endMs + graceMs + CLOCK_SLACK_MS < startMs),
    )
    return isOver && !isForgotten(operation, served, faults)
      ? [{ rule: 'used_twice', detail, operation }]
      : []
  })
}

/**
 * Whether all that came after that generation happened before a failover that may have lost it. Then
 * nobody can tell until the session's own client, whose token is ahead, has come by.
 */
function isForgotten(
  { generation = 0, endMs }: Operation,
  served: readonly Operation[],
  faults: History['faults'],
): boolean {
  const later = served.filter((other) => (other.generation ?? 0) >= generation)
  return faults.some(
    ({ loss }) =>
      loss !== undefined &&
      loss.fromMs < endMs &&
      later.every((other) => other.endMs >= endMs || other.startMs < loss.toMs),
  )
}

/** Once the end of a session was confirmed, nothing of it works. */
function checkEnds({ operations }: History, sessions: Sessions): Violation[] {
  const ends = operations.filter(isConfirmedEnd)
  return [...sessions].flatMap(([session, ofSession]) => {
    const login = ofSession.find(({ name }) => name === 'login')
    const ended = ends.filter((end) => endsFor(end, session, login) && isBefore(login, end))
    const firstMs = Math.min(...ended.map(({ endMs }) => endMs))
    return ofSession
      .filter(({ name, status, startMs }) => isUse(name) && status === 200 && startMs > firstMs)
      .map((operation): Violation => {
        return { rule: 'ended_works', detail: `${operation.name} of ${session}`, operation }
      })
  })
}

function isConfirmedEnd({ name, status }: Operation): boolean {
  if (name === 'replay') return status === 400
  return isEnd(name) && (status === 200 || status === 204)
}

function isEnd(name: Operation['name']): boolean {
  return ['replay', 'revoke', 'logOutOthers', 'logOutAll', 'disable'].includes(name)
}

function isUse(name: Operation['name']): boolean {
  return name === 'refresh' || name === 'verify' || name === 'logOutOthers'
}

/** Whether that ending is meant for the session, whatever came of it. */
function endsFor(end: Operation, session: string, login: Operation | undefined): boolean {
  if (end.name === 'revoke' || end.name === 'replay') return end.session === session
  if (end.name === 'logOutOthers' && end.session === session) return false
  return end.user === login?.user
}

function isBefore(login: Operation | undefined, end: Operation): boolean {
  return login !== undefined && login.endMs < end.startMs
}

/** Nobody is refused unless somebody has, or may have, ended his session. */
function checkRefusals(history: History, sessions: Sessions): Violation[] {
  const ends = history.operations.filter(({ name }) => isEnd(name))
  return history.operations.flatMap((operation): Violation[] => {
    const { name, status, session, endMs } = operation
    if (status !== 400 && status !== 401) return []
    if (name === 'login') {
      return isLoginRefusable(operation, history) ? [] : [refusal(operation)]
    }
    if (!isUse(name) || session === undefined) return []
    const ofSession = sessions.get(session) ?? []
    const login = ofSession.find((other) => other.name === 'login')
    const hasCause = ends.some((end) => end.startMs < endMs && endsFor(end, session, login))
    if (hasCause || isOutlived(history, ofSession, operation)) return []
    return [refusal(operation)]
  })
}

function refusal(operation: Operation): Violation {
  const { name, status, error = '', session = '' } = operation
  return {
    rule: 'refused_without_cause',
    detail: `${name} ${session}: ${status} ${error}`,
    operation,
  }
}

/** While the user may be disabled, or something of his moves while he logs in. */
function isLoginRefusable({ user, startMs, endMs }: Operation, { operations }: History): boolean {
  const changes = operations.filter((other) => other.user === user && other.startMs < endMs)
  const enabledMs = Math.max(
    ...changes
      .filter(({ name, status, endMs: at }) => name === 'enable' && status === 200 && at < startMs)
      .map((enable) => enable.startMs),
  )
  return changes.some(({ name, startMs: at, endMs: until }) => {
    if (name === 'disable') return until > enabledMs || at > enabledMs
    return isEnd(name) && until > startMs
  })
}

/**
 * Whether an attempt may have succeeded whose answer never came, longer ago than the grace: then the
 * repetition is refused by design. One that met a frozen store from its beginning cannot have.
 */
function isOutlived(
  { graceMs, faults }: History,
  ofSession: readonly Operation[],
  { startMs, endMs, generation }: Pick<Operation, 'startMs' | 'endMs' | 'generation'>,
): boolean {
  return ofSession.some((attempt) => {
    const isUnknown = attempt.name === 'refresh' && (attempt.status === 0 || attempt.status === 503)
    if (!isUnknown || attempt.startMs >= startMs) return false
    if (generation !== undefined && (attempt.generation ?? 0) > generation) return false
    const isSilent = faults.some(
      (fault) =>
        fault.silent.includes(attempt.instance) &&
        fault.beginMs <= attempt.startMs &&
        attempt.endMs <= fault.endMs,
    )
    return !isSilent && attempt.startMs + graceMs < endMs
  })
}

/** An alarm has a theft, or a repetition that came after the grace. */
function checkAlarms(history: History, sessions: Sessions): Violation[] {
  return history.alarms.flatMap((session): Violation[] => {
    const ofSession = sessions.get(session) ?? []
    if (ofSession.some(({ name }) => name === 'replay')) return []
    const refusals = ofSession.filter(({ name, status }) => name === 'refresh' && status !== 200)
    if (refusals.some((refused) => isOutlived(history, ofSession, refused))) return []
    return [{ rule: 'false_alarm', detail: session }]
  })
}
