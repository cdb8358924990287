// What may be so of one user while a history is read: the record as PostgreSQL has it, the store of the
// families, and what of the one has not reached the other yet. The rules of the store are those of
// test/model; here stands what lies between two atomic steps, and what a loss leaves unknown
// (docs/semantics.md §3, §4).

import type { FamilyId } from '../../../src/families/family.ts'
import {
  type KnownSessions,
  keyOfSessions,
  nobodysSessions,
  possibleSteps,
  type Span,
} from '../../model/possible-steps.ts'
import type { UserAnswer, UserRequest } from '../../model/user-sessions.ts'

/** A change of the user's record. */
export type UserChange = Extract<
  UserRequest,
  { readonly kind: 'logOutOthers' | 'logOutAll' | 'disable' | 'enable' }
>

/** What is asked of the store about one session. */
export type SessionRequest = Extract<
  UserRequest,
  { readonly kind: 'refresh' | 'verify' | 'revoke' }
>

export interface UserState {
  readonly store: KnownSessions
  readonly status: 'active' | 'disabled'
  /** What is committed and not in the store: undefined where there is nothing. */
  readonly unpublished: Unpublished | undefined
  /** Families of which the store may have lost something, and whether even the family itself. */
  readonly doubts: ReadonlyMap<FamilyId, Doubt>
}

/** Which family goes on in the epochs that have begun: each one, this one or none. */
interface Unpublished {
  readonly survivor: FamilyId | 'each' | 'none'
}

export type Doubt = 'generation' | 'family'

export interface Moments {
  readonly span: Span
  readonly graceMs: number
  /** In a planned failover, in which an old master may still serve what has ended. */
  readonly isSplit?: boolean
}

export interface Possibility {
  readonly answer: UserAnswer
  readonly after: UserState
}

/** What two clocks that follow each other may differ by. */
const SLACK_MS = 250

export function beginState(userId: string): UserState {
  return {
    store: nobodysSessions(userId),
    status: 'active',
    unpublished: undefined,
    doubts: new Map(),
  }
}

/** Two states with one key have the same future. */
export function keyOfState({ store, status, unpublished, doubts }: UserState): string {
  const doubted = [...doubts].map((entry) => entry.join('=')).sort()
  return [keyOfSessions(store), status, unpublished?.survivor, ...doubted].join(' ')
}

export function isAlive({ store }: UserState, familyId: FamilyId): boolean {
  return store.sessions.families.some((family) => family.familyId === familyId)
}

/** Commits a change to PostgreSQL, with its entry of the journal. */
export function commit(before: UserState, change: UserChange): UserState {
  const survivor = before.unpublished?.survivor ?? 'each'
  if (change.kind === 'enable') {
    return { ...before, status: 'active', unpublished: { survivor } }
  }
  if (change.kind === 'logOutOthers') {
    const { familyId } = change
    const isKept = survivor === 'each' || survivor === familyId
    return { ...before, unpublished: { survivor: isKept ? familyId : 'none' } }
  }
  const status = change.kind === 'disable' ? 'disabled' : before.status
  return { ...before, status, unpublished: { survivor: 'none' } }
}

/** Brings the store the record of now. */
export function publish(before: UserState, moments: Moments): UserState {
  const { unpublished, status } = before
  if (!unpublished) return before
  const { survivor } = unpublished
  const isDisabled = before.store.sessions.copy?.status !== 'active'
  const requests: UserRequest[] = []
  if (survivor !== 'each') {
    const isKept = survivor !== 'none' && isAlive(before, survivor)
    requests.push(isKept ? { kind: 'logOutOthers', familyId: survivor } : { kind: 'logOutAll' })
  }
  if (status === 'disabled' && !isDisabled) requests.push({ kind: 'disable' })
  if (status === 'active' && isDisabled) requests.push({ kind: 'enable' })
  const store = requests.reduce((held, request) => only(held, request, moments), before.store)
  return { ...settle(before, store), unpublished: undefined }
}

/** A login that succeeds; it brings the store the record that it has read. Undefined where it cannot. */
export function logIn(
  before: UserState,
  familyId: FamilyId,
  moments: Moments,
): UserState | undefined {
  if (before.status !== 'active') return undefined
  const published = publish(before, moments)
  return settle(published, only(published.store, { kind: 'login', familyId }, moments))
}

/** Every answer that the store may give, and what is so afterwards. */
export function ask(before: UserState, request: SessionRequest, moments: Moments): Possibility[] {
  const asked = storesOf(before, request, moments.span).flatMap((store) =>
    stepsOf(store, request, moments).map(({ answer, after }) => ({
      answer,
      after: learning(settle(before, after), request),
    })),
  )
  if (!moments.isSplit || isAlive(before, request.familyId)) return asked
  const generation = request.kind === 'refresh' ? request.generation + 1 : undefined
  const answer = { isServed: true, ...(generation !== undefined && { generation }) }
  return [...asked, { answer, after: before }]
}

/** Whoever is served by a session knows that it is there; whoever uses its token, what is left of it. */
function learning(state: UserState, { kind, familyId }: SessionRequest): UserState {
  const doubts = new Map(state.doubts)
  if (kind !== 'verify') doubts.delete(familyId)
  else if (doubts.has(familyId)) doubts.set(familyId, 'generation')
  return { ...state, doubts }
}

/** From now on the store may lack what it knew of these families. */
export function doubt(before: UserState, doubtOf: (familyId: FamilyId) => Doubt): UserState {
  const families = before.store.sessions.families.map(({ familyId }) => familyId)
  const doubts = new Map(families.map((familyId) => [familyId, doubtOf(familyId)] as const))
  for (const [familyId, held] of before.doubts) if (held === 'family') doubts.set(familyId, held)
  return { ...before, doubts }
}

const stepsOf = (store: KnownSessions, request: UserRequest, { span, graceMs }: Moments) =>
  possibleSteps(store, request, span, { graceMs, slackMs: SLACK_MS })

/** Of requests that have one outcome. */
function only(store: KnownSessions, request: UserRequest, moments: Moments): KnownSessions {
  return stepsOf(store, request, moments)[0]?.after ?? store
}

/** Doubts are about families that live. */
function settle(before: UserState, store: KnownSessions): UserState {
  const doubts = new Map([...before.doubts].filter(([familyId]) => store.begun.has(familyId)))
  return { ...before, store, doubts }
}

/** The store as it is known, and where it may have lost something each that makes a difference. */
function storesOf({ store, doubts }: UserState, request: SessionRequest, span: Span) {
  const { familyId } = request
  const held = doubts.get(familyId)
  if (!held) return [store]
  const stores = [store]
  if (request.kind === 'refresh') {
    for (const generation of [request.generation, request.generation + 1]) {
      const earlier = withGeneration(store, familyId, generation, span)
      if (earlier) stores.push(earlier)
    }
  }
  if (held === 'family') stores.push(without(store, familyId))
  return stores
}

/** The store as it was when that was the generation of the family; undefined where it never was. */
function withGeneration(
  { sessions, begun }: KnownSessions,
  familyId: FamilyId,
  generation: number,
  span: Span,
): KnownSessions | undefined {
  const family = sessions.families.find((one) => one.familyId === familyId)
  if (!family || generation >= family.generation) return undefined
  const families = sessions.families.map((one) => (one === family ? { ...one, generation } : one))
  const moments = new Map(begun).set(familyId, { fromMs: 0, toMs: span.toMs })
  return { sessions: { ...sessions, families }, begun: moments }
}

function without({ sessions, begun }: KnownSessions, familyId: FamilyId): KnownSessions {
  const families = sessions.families.filter((one) => one.familyId !== familyId)
  const moments = new Map(begun)
  moments.delete(familyId)
  return { sessions: { ...sessions, families }, begun: moments }
}
