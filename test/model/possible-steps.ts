// What may have happened, as far as somebody can tell who saw a call begin and end: the moment of its
// effect lies between the two, so where the grace decides there are two possible answers. A history is
// right when the steps of its calls can be put in one order in which each answer is possible.

import type { FamilyId } from '../../src/families/family.ts'
import { type Step, type UserFamilies, whyDead } from './user-families.ts'
import { newUserSessions, perform, type UserAnswer, type UserRequest } from './user-sessions.ts'

export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** The sessions of one user that live, each with the span in which its generation began. */
export interface KnownSessions {
  readonly sessions: UserFamilies
  readonly begun: ReadonlyMap<FamilyId, Span>
}

export interface PossibleStep {
  readonly answer: UserAnswer
  readonly after: KnownSessions
}

export function nobodysSessions(userId: string): KnownSessions {
  return { sessions: newUserSessions(userId), begun: new Map() }
}

/**
 * Every answer that the request may be given if it takes effect within the span, and the state after that;
 * the steps of a call that was not answered are the same, and besides them that nothing happened. Two clocks
 * that measure the grace may differ by `slackMs`.
 */
export function possibleSteps(
  before: KnownSessions,
  request: UserRequest,
  span: Span,
  { graceMs, slackMs }: { readonly graceMs: number; readonly slackMs: number },
): PossibleStep[] {
  const begun = 'familyId' in request ? before.begun.get(request.familyId) : undefined
  if (request.kind !== 'refresh' || !begun) {
    return [
      concluded(before, perform(before.sessions, request, { nowMs: span.toMs, graceMs }), span),
    ]
  }
  const kindest = { nowMs: span.fromMs, graceMs: graceMs + slackMs }
  const strictest = { nowMs: span.toMs, graceMs: graceMs - slackMs }
  const steps = [
    perform(begunAt(before.sessions, request.familyId, begun.toMs), request, kindest),
    perform(begunAt(before.sessions, request.familyId, begun.fromMs), request, strictest),
  ].map((step) => concluded(before, step, span))
  const [first, second] = steps
  return first?.answer.isServed === second?.answer.isServed ? steps.slice(0, 1) : steps
}

/** Two states with one key have the same future. */
export function keyOfSessions({ sessions, begun }: KnownSessions): string {
  const families = sessions.families.map(({ familyId, generation }) => {
    const span = begun.get(familyId)
    return `${familyId}:${generation}:${span?.fromMs}:${span?.toMs}`
  })
  return [sessions.copy?.status, ...families.sort()].join(' ')
}

function begunAt({ copy, families }: UserFamilies, familyId: FamilyId, atMs: number): UserFamilies {
  return {
    copy,
    families: families.map((family) =>
      family.familyId === familyId ? { ...family, rotatedAtMs: atMs, usedAtMs: atMs } : family,
    ),
  }
}

/** Forgets what has ended, and with it the epochs that have passed: nothing of that comes back. */
function concluded(
  before: KnownSessions,
  { answer, after: { copy, families } }: Step<UserAnswer>,
  span: Span,
): PossibleStep {
  const live = families.filter((family) => copy && !whyDead(family, copy, span.toMs, 0))
  const begun = live.map((family): [FamilyId, Span] => {
    const earlier = before.sessions.families.find(({ familyId }) => familyId === family.familyId)
    const isSame = earlier?.generation === family.generation
    return [family.familyId, (isSame && before.begun.get(family.familyId)) || span]
  })
  const sessions = { copy: copy && { ...copy, epochLog: [] }, families: live }
  return { answer, after: { sessions, begun: new Map(begun) } }
}
