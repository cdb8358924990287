// The rules of families as pure functions: what lives, what ended first, and what a presented
// token means. The PostgreSQL adapter runs them; the Lua scripts repeat them, and the contract
// suite holds both to the same answers.

import { usableScope } from '../oauth/role-bound-scope.ts'
import { sourceNetwork } from '../runtime/source-network.ts'
import type { EpochStart, UserRecord } from '../users/user.ts'
import type { CreateFamily, EndedReason, Family, InactiveReason, RotateFamily } from './family.ts'

/** The family that a login begins, in the epoch of the user's record. */
export function beginFamily(
  { family, nowMs }: CreateFamily,
  { userId, epoch }: UserRecord,
): Family {
  return {
    ...family,
    userId,
    epoch,
    generation: 0,
    rotatedAtMs: nowMs,
    usedAtMs: nowMs,
    ended: undefined,
    retriedElsewhere: 0,
  }
}

/**
 * Whether the record is missing or older than the family, so that it does not tell if that lives.
 */
export function isUserStale(user: UserRecord | undefined, family: Family): boolean {
  return user === undefined || user.epoch < family.epoch
}

/**
 * The last epoch in which the family is alive: its own, or the last of those directly after it that
 * kept it ("all but this").
 */
export function reachedEpoch(
  family: Pick<Family, 'familyId' | 'epoch'>,
  epochLog: readonly EpochStart[],
): number {
  return epochLog.reduce(
    (reached, { epoch, keptFamilyId }) =>
      epoch === reached + 1 && keptFamilyId === family.familyId ? epoch : reached,
    family.epoch,
  )
}

/** Why a family does not live at `nowMs`, in the order of docs/semantics.md §3; else undefined. */
export function findInactiveReason(
  family: Family,
  user: UserRecord,
  nowMs: number,
  clientSessionsValidFromMs: number,
): InactiveReason | undefined {
  if (family.ended) return 'family_ended'
  if (nowMs >= family.absoluteExpiresAtMs) return 'family_absolute_expired'
  if (nowMs >= family.idleExpiresAtMs) return 'family_idle_expired'
  if (user.status !== 'active') return 'user_inactive'
  if (reachedEpoch(family, user.epochLog) < user.epoch) return 'user_epoch_passed'
  if (family.createdAtMs < clientSessionsValidFromMs) return 'client_sessions_ended'
  return undefined
}

/**
 * How a family ended: by what came first in time, a tie by `absolute_expired`; undefined while it
 * lives.
 */
export function findEnd(
  family: Family,
  user: UserRecord | undefined,
  nowMs: number,
  clientSessionsValidFromMs: number,
): { reason: EndedReason; atMs: number } | undefined {
  const ends: { reason: EndedReason; atMs: number }[] = []
  if (nowMs >= family.absoluteExpiresAtMs) {
    ends.push({ reason: 'absolute_expired', atMs: family.absoluteExpiresAtMs })
  }
  if (nowMs >= family.idleExpiresAtMs) {
    ends.push({ reason: 'idle_expired', atMs: family.idleExpiresAtMs })
  }
  if (family.ended) ends.push(family.ended)
  const epochLog = user?.epochLog ?? []
  const reached = reachedEpoch(family, epochLog)
  const epochStart = epochLog.find((start) => start.epoch > reached)
  if (epochStart) ends.push({ reason: epochStart.reason, atMs: epochStart.atMs })
  if (family.createdAtMs < clientSessionsValidFromMs) {
    ends.push({ reason: 'client_sessions_ended', atMs: clientSessionsValidFromMs })
  }
  return ends.reduce<(typeof ends)[number] | undefined>(
    (first, end) => (first === undefined || end.atMs < first.atMs ? end : first),
    undefined,
  )
}

/**
 * Why scope or audience of the request are refused: more than was granted, or nothing left of it.
 */
export function findRefusal(
  family: Family,
  user: UserRecord,
  request: RotateFamily,
): 'invalid_scope' | 'invalid_target' | undefined {
  const { requestedScope, requestedAudience } = request
  if (requestedScope && requestedScope.length > 0) {
    if (!requestedScope.every((scope) => family.scope.includes(scope))) return 'invalid_scope'
    // Scopes that client or user have lost are dropped in silence; refused only when none is left.
    const left = usableScope(requestedScope, request.clientScopes, user.roles)
    if (left.length === 0) return 'invalid_scope'
  }
  const allowed = family.audience.filter((audience) => request.clientAudiences.includes(audience))
  const wanted = requestedAudience ?? allowed.slice(0, 1)
  if (wanted.length === 0 || !wanted.every((audience) => allowed.includes(audience))) {
    return 'invalid_target'
  }
  return undefined
}

/** Whether the request comes from elsewhere than the last rotation did. */
export function isElsewhere(family: Family, request: Pick<Family, 'ip' | 'userAgent'>): boolean {
  return (
    sourceNetwork(family.ip) !== sourceNetwork(request.ip) || family.userAgent !== request.userAgent
  )
}

/** The moment of a request, which is not before what the family has seen: clocks may differ. */
export function momentOf(
  { rotatedAtMs, usedAtMs }: Pick<Family, 'rotatedAtMs' | 'usedAtMs'>,
  nowMs: number,
): number {
  return Math.max(nowMs, rotatedAtMs, usedAtMs)
}

/**
 * Why a token that is current, or ahead, is answered with itself: its family never rotates, or is too
 * young to. Undefined where it is to be rotated.
 */
export function findKept(
  { confirmation, rotatedAtMs }: Family,
  { neverRotates, rotateAfterMs }: Pick<RotateFamily, 'neverRotates' | 'rotateAfterMs'>,
  meaning: 'current' | 'ahead',
  nowMs: number,
): 'never' | 'young' | undefined {
  if (neverRotates === 'all' || (neverRotates === 'bound' && confirmation)) return 'never'
  return meaning === 'current' && nowMs < rotatedAtMs + rotateAfterMs ? 'young' : undefined
}

/** What a token of a live family means by its generation. `nowMs` is not before the rotation. */
export function classifyGeneration(
  family: Family,
  generation: number,
  nowMs: number,
  graceMs: number,
): 'current' | 'ahead' | 'retry' | 'replay' {
  if (generation === family.generation) return 'current'
  if (generation > family.generation) return 'ahead'
  // Half open, so that a grace of 0 never forgives, not even within the same millisecond.
  const inGrace = nowMs < family.rotatedAtMs + graceMs
  return generation === family.generation - 1 && inGrace ? 'retry' : 'replay'
}
