// Judges a history by the rules of sessions in test/model: the operations of each user must have an order
// in which each answer is right, each taking effect between its beginning and its answer. One that was not
// answered may have taken effect within the time that a command of it could act, or not at all; the end of
// a session, which the journal keeps, at any time later.

import type { FamilyId } from '../../../src/families/family.ts'
import { type FaultSpan, type History, isAnswered, type Loss, type Operation } from '../history.ts'
import { effectOf, lateOf, reachable, stepsOfOperation } from './calls.ts'
import { type Call, type SearchEvent, search } from './search.ts'
import { beginState, doubt, type UserState } from './user-state.ts'

export interface Judged {
  /** Of each user whose history has no right order, the answer that none explains. */
  readonly unexplained: readonly Unexplained[]
  /** Sessions that may have ended because a token of theirs was presented too late. */
  readonly robbed: ReadonlySet<string>
  /** The most states in which one user might have been at a time. */
  readonly statesMax: number
}

export interface Unexplained {
  readonly operation: Operation
  /** What may have been so before it, in words. */
  readonly before: string
}

export function judgeHistory(history: History): Judged {
  const users = new Map<string, Operation[]>()
  for (const operation of history.operations) {
    users.set(operation.user, [...(users.get(operation.user) ?? []), operation])
  }
  const unexplained: Unexplained[] = []
  const robbed = new Set<string>()
  let statesMax = 0
  for (const [user, operations] of users) {
    const searched = search(beginState(user), eventsOf(operations, history))
    for (const session of searched.robbed) robbed.add(session)
    statesMax = Math.max(statesMax, searched.statesMax)
    const { failed } = searched
    const operation = failed && operations[failed.call.id]
    if (operation) unexplained.push({ operation, before: describe(failed.states, operation) })
  }
  return { unexplained, robbed, statesMax }
}

/** At one moment what begins comes before what ends. */
const ORDER: readonly SearchEvent['kind'][] = [
  'losing',
  'called',
  'possible',
  'answered',
  'over',
  'lost',
]

function eventsOf(operations: readonly Operation[], history: History): SearchEvent[] {
  const answered = operations.flatMap((operation, id): SearchEvent[] => {
    if (!isAnswered(operation)) return []
    const { startMs, endMs } = operation
    const call = callOf(operation, id, history)
    return [
      { atMs: startMs, kind: 'called', call },
      { atMs: endMs, kind: 'answered', call },
    ]
  })
  const losses = history.faults.flatMap((fault) => lossEvents(fault, operations))
  return [...answered, ...effectEvents(operations, history), ...losses].sort(
    (one, other) => one.atMs - other.atMs || ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind),
  )
}

function callOf(operation: Operation, id: number, { graceMs, faults }: History): Call {
  const { startMs, endMs } = operation
  const isSplit = faults.some(
    ({ loss }) => loss?.isSplit && loss.fromMs < endMs && startMs < loss.toMs,
  )
  const moments = { span: { fromMs: startMs, toMs: endMs }, graceMs, isSplit }
  return { id, next: stepsOfOperation(operation), moments }
}

interface Effect {
  readonly operation: Operation
  readonly id: number
  readonly fromMs: number
  readonly toMs: number
}

/** Attempts of one thing that overlap are one effect, which may come as often as it likes. */
function effectEvents(operations: readonly Operation[], history: History): SearchEvent[] {
  const last = new Map<string, Effect>()
  const done: Effect[] = []
  for (const [id, operation] of operations.entries()) {
    const span = isAnswered(operation) ? undefined : spanOfEffect(operation, history)
    if (!span) continue
    const { name, session, generation } = operation
    const thing = `${name} ${session} ${generation}`
    const held = last.get(thing)
    if (held && span.fromMs <= held.toMs) {
      last.set(thing, {
        ...held,
        fromMs: Math.min(held.fromMs, span.fromMs),
        toMs: Math.max(held.toMs, span.toMs),
      })
    } else {
      if (held) done.push(held)
      last.set(thing, { operation, id, ...span })
    }
  }
  return [...done, ...last.values()].flatMap((effect) => eventsOfEffect(effect, history))
}

function spanOfEffect(operation: Operation, { faults }: History) {
  const { name, startMs } = operation
  if (name === 'revoke') return { fromMs: startMs, toMs: Number.MAX_SAFE_INTEGER }
  const span = { fromMs: startMs, toMs: lateOf(operation) }
  const isOfStore = name === 'refresh' || name === 'replay'
  return isOfStore ? reachable(operation, span, faults) : span
}

function eventsOfEffect({ operation, id, fromMs, toMs }: Effect, { graceMs }: History) {
  const next = effectOf(operation)
  if (!next) return []
  const call: Call = { id, next, moments: { span: { fromMs, toMs }, graceMs } }
  const events: SearchEvent[] = [
    { atMs: fromMs, kind: 'possible', call },
    { atMs: toMs, kind: 'over', call },
  ]
  return events
}

/** What was under way at the end of a loss may be lost as well, though it is answered later. */
function lossEvents({ loss }: FaultSpan, operations: readonly Operation[]): SearchEvent[] {
  if (!loss) return []
  const lastMs = operations.reduce(
    (last, { startMs, endMs }) => (startMs < loss.toMs ? Math.max(last, endMs) : last),
    loss.toMs,
  )
  const lose = losing(loss, operations)
  return [
    { atMs: loss.fromMs, kind: 'losing', lose },
    { atMs: lastMs, kind: 'lost' },
  ]
}

function losing({ loginsBeforeMs }: Loss, operations: readonly Operation[]) {
  const forgotten = new Set<string>()
  for (const { name, got, startMs } of operations) {
    const isForgotten = loginsBeforeMs !== undefined && startMs < loginsBeforeMs
    if (name === 'login' && got && isForgotten) forgotten.add(got.session)
  }
  const doubtOf = (familyId: FamilyId) => (forgotten.has(familyId) ? 'family' : 'generation')
  return (state: UserState) => doubt(state, doubtOf)
}

const STATES_TOLD = 3

/** In what state the session is that was asked for. */
function describe(states: readonly UserState[], { session }: Operation): string {
  const words = states.map(({ store, status, unpublished, doubts }) => {
    const families = store.sessions.families.map(({ familyId, generation }) => {
      const span = store.begun.get(familyId)
      const since = `${Math.round(span?.fromMs ?? 0)}-${Math.round(span?.toMs ?? 0)}`
      const mark = familyId === session ? '*' : ''
      return `${mark}${familyId}: ${generation} since ${since} ${doubts.get(familyId) ?? ''}`
    })
    return `${status} ${unpublished?.survivor ?? ''} {${families.join(', ')}}`
  })
  const told = [...new Set(words)].slice(0, STATES_TOLD)
  return `of ${states.length} states ${told.join(' | ')}`
}
