// How the operations of a history take effect: which atomic steps a call consists of, between its
// beginning and its answer, and what a call may still do that was not answered.

import type { FamilyId } from '../../../src/families/family.ts'
import type { History, Operation } from '../history.ts'
import {
  ask,
  commit,
  isAlive,
  logIn,
  type Moments,
  type Possibility,
  publish,
  type SessionRequest,
  type UserChange,
  type UserState,
} from './user-state.ts'

/** How far a call has come; a login that may be refused because the user has changed is `overtaken`. */
export type Stage = 'called' | 'checked' | 'committed' | 'overtaken' | 'done'

export interface CallStep {
  readonly after: UserState
  readonly stage: Stage
  /** A change of the user was committed: logins under way may be refused. */
  readonly isCommit?: boolean
  /** The session that a step may have ended because its token was presented too late. */
  readonly robbed?: FamilyId
}

/** Called again and again, until the call is done. */
export type NextSteps = (state: UserState, stage: Stage, moments: Moments) => CallStep[]

const SERVED = [200, 204]

/** What an answered operation does. */
export function stepsOfOperation(operation: Operation): NextSteps {
  const { name, status, got } = operation
  const familyId = sessionOf(operation)
  const isServed = SERVED.includes(status)
  const request = sessionRequestOf(operation)
  if (name === 'login') return isServed ? beginSession(got?.session as FamilyId) : refuseLogin
  if (name === 'replay' || name === 'refresh' || name === 'verify' || name === 'revoke') {
    return request ? askOnce(request, (generation) => isGiven(operation, generation)) : nothing
  }
  if (name === 'logOutOthers' && familyId) return logOutOthers(familyId, isServed)
  return isServed ? change({ kind: name as 'logOutAll' | 'disable' | 'enable' }) : nothing
}

/** What an operation may have done whose answer is not known; undefined where that changes nothing. */
export function effectOf(operation: Operation): NextSteps | undefined {
  const { name } = operation
  const familyId = sessionOf(operation)
  const request = sessionRequestOf(operation)
  if (name === 'login' || name === 'verify') return undefined
  if (name === 'logOutOthers') {
    return familyId && commitOnly({ kind: 'logOutOthers', familyId })
  }
  return request ? askOnce(request, () => true) : commitOnly({ kind: name as 'logOutAll' })
}

/** For publishing what others have committed. */
export function publishOnly(state: UserState, moments: Moments): UserState | undefined {
  return state.unpublished && publish(state, moments)
}

function sessionOf({ session }: Operation): FamilyId | undefined {
  return session as FamilyId | undefined
}

function sessionRequestOf({
  name,
  session,
  generation = 0,
}: Operation): SessionRequest | undefined {
  const familyId = session as FamilyId | undefined
  if (!familyId) return undefined
  if (name === 'refresh' || name === 'replay') return { kind: 'refresh', familyId, generation }
  return name === 'verify' || name === 'revoke' ? { kind: name, familyId } : undefined
}

/** Whether that is what the operation was answered, with the generation of the token that it was given. */
function isGiven(
  { status, got }: Operation,
  { isServed, generation }: Possibility['answer'],
): boolean {
  return isServed === SERVED.includes(status) && (!got || generation === got.generation)
}

const nothing: NextSteps = (after) => [{ after, stage: 'done' }]

const beginSession =
  (familyId: FamilyId): NextSteps =>
  (state, _, moments) => {
    const after = logIn(state, familyId, moments)
    return after ? [{ after, stage: 'done' }] : []
  }

const refuseLogin: NextSteps = (state, stage) =>
  stage === 'overtaken' || state.status !== 'active' ? [{ after: state, stage: 'done' }] : []

const askOnce =
  (request: SessionRequest, isAsAnswered: (answer: Possibility['answer']) => boolean): NextSteps =>
  (state, _, moments) =>
    ask(state, request, moments)
      .filter(({ answer }) => isAsAnswered(answer))
      .map(({ after }) => {
        const { familyId } = request
        const isRobbed =
          request.kind === 'refresh' && isAlive(state, familyId) && !isAlive(after, familyId)
        return { after, stage: 'done', ...(isRobbed && { robbed: familyId }) }
      })

const change =
  (wanted: UserChange): NextSteps =>
  (state, stage) =>
    // What is committed is done once somebody has published it.
    stage === 'committed'
      ? []
      : [{ after: commit(state, wanted), stage: 'committed', isCommit: true }]

const commitOnly =
  (wanted: UserChange): NextSteps =>
  (state) => [{ after: commit(state, wanted), stage: 'done', isCommit: true }]

/** The session is looked at first, and may have ended when the others are ended. */
const logOutOthers =
  (familyId: FamilyId, isServed: boolean): NextSteps =>
  (state, stage, moments) => {
    const isChecked = stage === 'checked' || stage === 'committed'
    if (isChecked) return change({ kind: 'logOutOthers', familyId })(state, stage, moments)
    return ask(state, { kind: 'verify', familyId }, moments)
      .filter(({ answer }) => answer.isServed === isServed)
      .map(({ after }) => ({ after, stage: isServed ? 'checked' : 'done' }))
  }

/** Until when a call may act whose answer never came, or was that nothing is known. */
export function lateOf({ status, endMs }: Operation): number {
  return endMs + (status === 0 ? UNHEARD_MS : UNKNOWN_MS)
}

/** An instance that has given up has sent commands that are void within the time it waited for them. */
const UNKNOWN_MS = 1_000
/** What a client has given up may reach the instance at that moment, which then works for 2 s. */
const UNHEARD_MS = 2_500

/** The part of the span in which the instance reached a store; undefined where that is none of it. */
export function reachable(
  { instance }: Operation,
  span: Moments['span'],
  faults: History['faults'],
): Moments['span'] | undefined {
  const silence = faults.find(
    ({ silent, beginMs, endMs }) =>
      silent.includes(instance) && beginMs <= span.fromMs && span.fromMs <= endMs,
  )
  if (!silence) return span
  return span.toMs <= silence.endMs ? undefined : { fromMs: silence.endMs, toMs: span.toMs }
}
